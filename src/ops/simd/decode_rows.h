#ifndef OPS_SIMD_DECODE_ROWS_H
#define OPS_SIMD_DECODE_ROWS_H

#include "ops/simd/cast.h"
#include "tensor/quant_decode.h"

/* Blocks become f32 in the nearest cache, and are rounded from there. */
static inline void decode_row(void *out, DType d, const unsigned char *blocks, QuantType type, int64_t cols)
{
    int64_t block = quant_block(type), step = block > 1 ? block : 256;
    float values[256];
    for (int64_t c = 0; c < cols; c += step) {
        int64_t n = cols - c < step ? cols - c : step;
        float *to = d == DTYPE_F32 ? (float *)out + c : values;
        if (block > 1)
            decode_block(to, blocks, type);
        else
            quant_decode(to, blocks, type, n);
        if (d == DTYPE_BF16)
            cast_row((uint16_t *)out + c, DTYPE_BF16, values, DTYPE_F32, n);
        blocks += quant_bytes(type, n);
    }
}

static void simd_decode_rows(Device *dev, Tensor *out, const void *blocks, QuantType type, const Tensor *ids)
{
    if (!simd_takes(out)) {
        ops_ref.decode_rows(dev, out, blocks, type, ids);
        return;
    }
    size_t row_bytes = quant_bytes(type, out->cols);
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < out->rows; n++) {
        size_t row = (size_t)(ids ? tensor_i32(ids, 0)[n] : n);
        decode_row(simd_row(out, n), out->dtype, (const unsigned char *)blocks + row * row_bytes, type,
                   out->cols);
    }
}

#endif
