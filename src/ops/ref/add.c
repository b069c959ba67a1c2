#include "ops/ref/ref.h"

void ref_add(Device *dev, Tensor *out, const Tensor *a, const Tensor *b)
{
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < out->rows; n++)
        for (int64_t c = 0; c < out->cols; c++)
            tensor_set(out, n, c, tensor_get(a, n, c) + tensor_get(b, n, c));
}
