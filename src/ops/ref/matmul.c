#include "ops/ref/ref.h"

static void put(const Tensor *t, int64_t r, int64_t c, double value, bool add_to)
{
    if (add_to)
        ref_add_to(t, r, c, value);
    else
        tensor_set(t, r, c, value);
}

void ref_matmul(Device *dev, Tensor *y, const Tensor *x, const Tensor *w, bool add_to)
{
#pragma omp parallel for schedule(static) collapse(2) num_threads(dev->threads)
    for (int64_t n = 0; n < y->rows; n++)
        for (int64_t m = 0; m < y->cols; m++)
            put(y, n, m, ref_dot(x, n, 0, w, m, 0, x->cols), add_to);
}

/* y[n,m] = sum_k x[n,k] w[m,k], so  dx[n,k] = sum_m dy[n,m] w[m,k]  and  dw[m,k] = sum_n dy[n,m] x[n,k]. */
void ref_matmul_back_x(Device *dev, Tensor *dx, const Tensor *dy, const Tensor *w, bool add_to)
{
#pragma omp parallel for schedule(static) collapse(2) num_threads(dev->threads)
    for (int64_t n = 0; n < dx->rows; n++) {
        for (int64_t k = 0; k < dx->cols; k++) {
            double sum = 0;
            for (int64_t m = 0; m < dy->cols; m++)
                sum += tensor_get(dy, n, m) * tensor_get(w, m, k);
            put(dx, n, k, sum, add_to);
        }
    }
}

void ref_matmul_back_w(Device *dev, Tensor *dw, const Tensor *dy, const Tensor *x, bool add_to)
{
#pragma omp parallel for schedule(static) collapse(2) num_threads(dev->threads)
    for (int64_t m = 0; m < dw->rows; m++) {
        for (int64_t k = 0; k < dw->cols; k++) {
            double sum = 0;
            for (int64_t n = 0; n < dy->rows; n++)
                sum += tensor_get(dy, n, m) * tensor_get(x, n, k);
            put(dw, m, k, sum, add_to);
        }
    }
}
