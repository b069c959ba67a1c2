/* Rows of a packed table.  A row is one lane of its panel's vectors. */
#ifndef OPS_SIMD_EMBED_PACKED_H
#define OPS_SIMD_EMBED_PACKED_H

#include "ops/simd/packed_blocks.h"

static void embed_plain_row(float *to, const unsigned char *lane, QuantType type, int64_t cols)
{
    for (int64_t k = 0; k < cols; k++) {
        uint16_t half;
        if (type == QUANT_BF16) {
            memcpy(&half, lane + k / 2 * PACKED_VECTOR + k % 2 * 2, sizeof half);
            to[k] = bf16_to_f32(half);
        } else {
            memcpy(&to[k], lane + k * PACKED_VECTOR, sizeof to[k]);
        }
    }
}

static float lane_of(Sums s, int64_t lane)
{
    float all[PACKED_ROWS];
    sums_store(all, s);
    return all[lane];
}

/* The block taken apart for all rows of the panel, of which one is wanted. */
SIMD_INLINE void embed_block(float *to, const QuantType t, const FileBlock *b, int half, const int j,
                             int64_t lane)
{
    const int zero = t == QUANT_Q8_0 ? 128 : t == QUANT_Q4_0 ? 8 : has_halves(t) ? 32 : 0;
    Sums scales[2], mins = sums_all(0);
    block_scales(scales, &mins, t, b, half, j);
    float scale[2] = {lane_of(scales[0], lane), lane_of(scales[has_halves(t)], lane)},
          min = lane_of(mins, lane);
    for (int i = 0; i < BLOCK_WORDS; i++) {
        unsigned char bytes[PACKED_VECTOR];
        words_store(bytes, block_word(t, b, half, j, i));
        for (int k = 0; k < 4; k++)
            to[4 * i + k] = scale[i / 4] * (float)(bytes[lane * 4 + k] - zero) - min;
    }
}

SIMD_INLINE void embed_blocks_row(float *to, const QuantType t, const unsigned char *panel, int64_t lane,
                                  int64_t cols)
{
    for (int64_t i = 0; i < cols / (DOT_BLOCK * sub_blocks(t)); i++) {
        FileBlock b;
        file_block_open(&b, t, panel, i);
        for (int half = 0; half < halves_of(t); half++) {
#pragma GCC unroll 4
            for (int j = 0; j < blocks_of_half(t); j++) {
                embed_block(to, t, &b, half, j, lane);
                to += DOT_BLOCK;
            }
        }
    }
}

static void embed_row(float *to, const PackedMatrix *w, int64_t row)
{
    const unsigned char *panel = packed_panel(w, row / PACKED_ROWS);
    int64_t lane = row % PACKED_ROWS;
    switch (w->type) {
    case QUANT_Q8_0: embed_blocks_row(to, QUANT_Q8_0, panel, lane, w->cols); break;
    case QUANT_Q4_0: embed_blocks_row(to, QUANT_Q4_0, panel, lane, w->cols); break;
    case QUANT_Q4_K: embed_blocks_row(to, QUANT_Q4_K, panel, lane, w->cols); break;
    case QUANT_Q5_K: embed_blocks_row(to, QUANT_Q5_K, panel, lane, w->cols); break;
    case QUANT_Q6_K: embed_blocks_row(to, QUANT_Q6_K, panel, lane, w->cols); break;
    default: embed_plain_row(to, panel + lane * 4, w->type, w->cols); break;
    }
}

static void simd_embed_packed(Device *dev, Tensor *out, const PackedMatrix *table, const Tensor *ids)
{
    if (out->dtype != DTYPE_F32) {
        ops_ref.embed_packed(dev, out, table, ids);
        return;
    }
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < out->rows; n++)
        embed_row(tensor_f32(out, n), table, tensor_i32(ids, 0)[n]);
}

#endif
