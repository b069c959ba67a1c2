#include <math.h>

#include "ops/ref/ref.h"

void ref_adamw(Device *dev, Tensor *w, Tensor *w_cast, Tensor *m, Tensor *v, const Tensor *g,
               const AdamWStep *step)
{
    double beta1 = (double)step->beta1, beta2 = (double)step->beta2, lr = (double)step->lr;
    int64_t n = tensor_count(w); /* contiguous: element i of row 0, whatever the shape */
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t i = 0; i < n; i++) {
        double gi = tensor_get(g, 0, i) * (double)step->grad_scale;
        double mi = beta1 * tensor_get(m, 0, i) + (1 - beta1) * gi;
        double vi = beta2 * tensor_get(v, 0, i) + (1 - beta2) * gi * gi;
        double wi = tensor_get(w, 0, i);
        double update = mi / (double)step->bias1 / (sqrt(vi / (double)step->bias2) + (double)step->eps);
        tensor_set(m, 0, i, mi);
        tensor_set(v, 0, i, vi);
        tensor_set(w, 0, i, wi - lr * (update + (double)step->weight_decay * wi));
        if (w_cast)
            tensor_set(w_cast, 0, i, tensor_get(w, 0, i));
    }
}
