#include <math.h>

#include "ops/ref/ref.h"

/* loss = log(sum_v exp(z[v])) - z[target], so d loss / d z[v] = exp(z[v]) / sum - [v = target]. */
void ref_cross_entropy(Device *dev, Tensor *loss, Tensor *dlogits, const Tensor *logits,
                       const Tensor *targets, float scale)
{
    int64_t V = logits->cols;
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < logits->rows; n++) {
        int32_t target = tensor_i32(targets, 0)[n];
        double max = -INFINITY, sum = 0;
        for (int64_t v = 0; v < V; v++)
            max = fmax(max, tensor_get(logits, n, v));
        for (int64_t v = 0; v < V; v++)
            sum += exp(tensor_get(logits, n, v) - max);
        tensor_set(loss, 0, n, target < 0 ? 0 : max + log(sum) - tensor_get(logits, n, target));
        for (int64_t v = 0; dlogits && v < V; v++) {
            double d = exp(tensor_get(logits, n, v) - max) / sum - (v == target);
            tensor_set(dlogits, n, v, target < 0 ? 0 : (double)scale * d);
        }
    }
}
