#ifndef OPS_SIMD_CAST_H
#define OPS_SIMD_CAST_H

#include "ops/simd/simd.h"

SIMD_INLINE void cast_row(void *to, DType to_type, const void *from, DType from_type, int64_t n)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        simd_store(to, to_type, i, simd_load(from, from_type, i, LANES), LANES);
    if (i < n)
        simd_store(to, to_type, i, simd_load(from, from_type, i, (int)(n - i)), (int)(n - i));
}

/* n elements of a row of one type to a row of another, from column `first` on. */
static inline void simd_convert(const Tensor *out, int64_t to, const Tensor *x, int64_t from, int64_t first,
                                int64_t n)
{
    if (out->dtype == DTYPE_F32 && x->dtype == DTYPE_F32)
        cast_row(tensor_f32(out, to) + first, DTYPE_F32, tensor_f32(x, from) + first, DTYPE_F32, n);
    else if (out->dtype == DTYPE_F32)
        cast_row(tensor_f32(out, to) + first, DTYPE_F32, tensor_bf16(x, from) + first, DTYPE_BF16, n);
    else if (x->dtype == DTYPE_F32)
        cast_row(tensor_bf16(out, to) + first, DTYPE_BF16, tensor_f32(x, from) + first, DTYPE_F32, n);
    else
        memcpy(tensor_bf16(out, to) + first, tensor_bf16(x, from) + first, (size_t)n * sizeof(uint16_t));
}

static void simd_cast(Device *dev, Tensor *out, const Tensor *x)
{
    if (!simd_takes(out) || !simd_takes(x)) {
        ops_ref.cast(dev, out, x);
        return;
    }
    if (tensor_contiguous(out) &&
        tensor_contiguous(x)) { /* any shape, one long row: threads cut it anywhere */
        Tensor to = tensor_view(out->data, out->dtype, 1, tensor_count(out));
        Tensor from = tensor_view(x->data, x->dtype, 1, tensor_count(x));
#pragma omp parallel num_threads(dev->threads)
        {
            SimdShare part = simd_share(to.cols, 64);
            simd_convert(&to, 0, &from, 0, part.first, part.last - part.first);
        }
        return;
    }
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < out->rows; n++)
        simd_convert(out, n, x, n, 0, out->cols);
}

#endif
