#ifndef OPS_SIMD_ROPE_H
#define OPS_SIMD_ROPE_H

#include "ops/simd/simd.h"

/* What the heads of a row share. */
typedef struct {
    const float *cosine, *sine;
    int64_t half, heads, stride;
    Vec sign;
} Rope;

SIMD_INLINE void rope_vec(const Rope *a, void *row, DType d, int64_t low, int64_t high, int64_t i, int lanes)
{
    simd_prefetch(row, d, low + i, a->stride);
    simd_prefetch(row, d, high + i, a->stride);
    Vec x = simd_load(row, d, low + i, lanes), y = simd_load(row, d, high + i, lanes);
    Vec c = vec_load_f32(a->cosine + i, lanes), s = vec_load_f32(a->sine + i, lanes) * a->sign;
    simd_store(row, d, low + i, vec_fnma(y, s, x * c), lanes);
    simd_store(row, d, high + i, vec_fma(x, s, y * c), lanes);
}

SIMD_INLINE void rope_row(const Rope *a, void *row, DType d)
{
    int64_t half = a->half;
    for (int64_t low = 0; low < a->heads * 2 * half; low += 2 * half) {
        int64_t i = 0;
        for (; i + LANES <= half; i += LANES)
            rope_vec(a, row, d, low, low + half, i, LANES);
        if (i < half)
            rope_vec(a, row, d, low, low + half, i, (int)(half - i));
    }
}

typedef struct {
    const Tensor *x, *table, *positions;
    int64_t D;
    float sign;
} RopeRows;

static void rope_rows(const void *args, int64_t first, int64_t last)
{
    const RopeRows *r = (const RopeRows *)args;
    for (int64_t n = first; n < last; n++) {
        const float *angles = tensor_f32(r->table, tensor_i32(r->positions, 0)[n]);
        Rope a = {.cosine = angles,
                  .sine = angles + r->D / 2,
                  .half = r->D / 2,
                  .heads = r->x->cols / r->D,
                  .stride = r->x->stride,
                  .sign = vec_all(r->sign)};
        if (r->x->dtype == DTYPE_BF16)
            rope_row(&a, tensor_bf16(r->x, n), DTYPE_BF16);
        else
            rope_row(&a, tensor_f32(r->x, n), DTYPE_F32);
    }
}

static void rope_rotate(Device *dev, Tensor *x, const Tensor *table, const Tensor *positions, int64_t D,
                        float sign)
{
    RopeRows a = {x, table, positions, D, sign};
    simd_each_row(dev, rope_rows, &a, x->rows, x->cols);
}

static void simd_rope(Device *dev, Tensor *x, const Tensor *table, const Tensor *positions, int64_t head_dim)
{
    if (simd_takes(x) && table->dtype == DTYPE_F32)
        rope_rotate(dev, x, table, positions, head_dim, 1);
    else
        ops_ref.rope(dev, x, table, positions, head_dim);
}

static void simd_rope_back(Device *dev, Tensor *dx, const Tensor *table, const Tensor *positions,
                           int64_t head_dim)
{
    if (simd_takes(dx) && table->dtype == DTYPE_F32)
        rope_rotate(dev, dx, table, positions, head_dim, -1);
    else
        ops_ref.rope_back(dev, dx, table, positions, head_dim);
}

#endif
