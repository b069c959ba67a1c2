#include <math.h>

#include "ops/ref/ref.h"

void ref_rmsnorm(Device *dev, Tensor *out, Tensor *rstd, const Tensor *x, const Tensor *w, float eps)
{
    int64_t C = x->cols;
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < x->rows; n++) {
        double r = 1 / sqrt(ref_dot(x, n, 0, x, n, 0, C) / (double)C + (double)eps);
        for (int64_t c = 0; c < C; c++)
            tensor_set(out, n, c, tensor_get(x, n, c) * r * tensor_get(w, 0, c));
        if (rstd)
            tensor_set(rstd, 0, n, r);
    }
}

/* out[c] = x[c] r w[c] with r = (mean(x^2) + eps)^(-1/2), so d r / d x[c] = -r^3 x[c] / C and
 *   dx[c] = sum_k dout[k] w[k] (r [k = c] - r^3 x[k] x[c] / C)
 *         = r (g[c] - xh[c] sum_k g[k] xh[k] / C)              with g = dout w, xh = x r
 *   dw[c] = sum_n dout[n,c] xh[n,c] */
void ref_rmsnorm_back(Device *dev, Tensor *dx, Tensor *dx_cast, Tensor *dw, const Tensor *dout,
                      const Tensor *x, const Tensor *w, const Tensor *rstd)
{
    int64_t N = x->rows, C = x->cols;
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t c = 0; c < C; c++) {
        double sum = 0;
        for (int64_t n = 0; n < N; n++)
            sum += tensor_get(dout, n, c) * tensor_get(x, n, c) * tensor_get(rstd, 0, n);
        ref_add_to(dw, 0, c, sum);
    }
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < N; n++) {
        double r = tensor_get(rstd, 0, n), mean = 0;
        for (int64_t c = 0; c < C; c++)
            mean += tensor_get(dout, n, c) * tensor_get(w, 0, c) * tensor_get(x, n, c) * r;
        mean /= (double)C;
        for (int64_t c = 0; c < C; c++) {
            double g = tensor_get(dout, n, c) * tensor_get(w, 0, c);
            ref_add_to(dx, n, c, r * (g - tensor_get(x, n, c) * r * mean));
            if (dx_cast)
                tensor_set(dx_cast, n, c, tensor_get(dx, n, c));
        }
    }
}
