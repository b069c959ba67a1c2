#include "ops/ref/ref.h"

static void rotate(Device *dev, Tensor *x, const Tensor *table, const Tensor *positions, int64_t D,
                   double sign)
{
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < x->rows; n++) {
        int32_t position = tensor_i32(positions, 0)[n];
        for (int64_t head = 0; head < x->cols; head += D) {
            for (int64_t i = 0; i < D / 2; i++) {
                double cosine = tensor_get(table, position, i),
                       sine = sign * tensor_get(table, position, D / 2 + i);
                double a = tensor_get(x, n, head + i), b = tensor_get(x, n, head + D / 2 + i);
                tensor_set(x, n, head + i, a * cosine - b * sine);
                tensor_set(x, n, head + D / 2 + i, b * cosine + a * sine);
            }
        }
    }
}

void ref_rope(Device *dev, Tensor *x, const Tensor *table, const Tensor *positions, int64_t head_dim)
{
    rotate(dev, x, table, positions, head_dim, 1);
}

/* A rotation is orthogonal: its transpose is the rotation by the opposite angle. */
void ref_rope_back(Device *dev, Tensor *dx, const Tensor *table, const Tensor *positions, int64_t head_dim)
{
    rotate(dev, dx, table, positions, head_dim, -1);
}
