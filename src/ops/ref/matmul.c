#include "ops/ref/ref.h"

/* A matrix, or its transpose. */
typedef struct {
    const Tensor *t;
    bool transposed;
} Factor;

static double at(Factor f, int64_t r, int64_t c)
{
    return f.transposed ? tensor_get(f.t, c, r) : tensor_get(f.t, r, c);
}

/* out[i,j] = sum_k a[i,k] b[k,j], k < inner; or += */
static void multiply(Device *dev, Tensor *out, Factor a, Factor b, int64_t inner, bool add_to)
{
#pragma omp parallel for schedule(static) collapse(2) num_threads(dev->threads)
    for (int64_t i = 0; i < out->rows; i++) {
        for (int64_t j = 0; j < out->cols; j++) {
            double sum = 0;
            for (int64_t k = 0; k < inner; k++)
                sum += at(a, i, k) * at(b, k, j);
            if (add_to)
                ref_add_to(out, i, j, sum);
            else
                tensor_set(out, i, j, sum);
        }
    }
}

void ref_matmul(Device *dev, Tensor *y, const Tensor *x, const Tensor *w, bool add_to)
{
    multiply(dev, y, (Factor){x, false}, (Factor){w, true}, x->cols, add_to);
}

void ref_matmul_back_x(Device *dev, Tensor *dx, const Tensor *dy, const Tensor *w, bool add_to)
{
    multiply(dev, dx, (Factor){dy, false}, (Factor){w, false}, w->rows, add_to);
}

void ref_matmul_back_w(Device *dev, Tensor *dw, const Tensor *dy, const Tensor *x, bool add_to)
{
    multiply(dev, dw, (Factor){dy, true}, (Factor){x, false}, x->rows, add_to);
}
