#include "ops/ref/ref.h"

void ref_decode_rows(Device *dev, Tensor *out, const void *blocks, QuantType type, const Tensor *ids)
{
    size_t row_bytes = quant_bytes(type, out->cols), block_bytes = quant_block_bytes(type);
    int64_t block = quant_block(type);
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < out->rows; n++) {
        const unsigned char *row =
            (const unsigned char *)blocks + (size_t)(ids ? tensor_i32(ids, 0)[n] : n) * row_bytes;
        float values[256];
        for (int64_t c = 0; c < out->cols; c += block, row += block_bytes) {
            quant_decode(values, row, type, block);
            for (int64_t i = 0; i < block; i++)
                tensor_set(out, n, c + i, (double)values[i]);
        }
    }
}
