#ifndef OPS_SIMD_DROPOUT_H
#define OPS_SIMD_DROPOUT_H

#include "ops/dropout_mask.h"
#include "ops/simd/simd.h"

enum { DROPOUT_CHUNK = 256 }; /* factors at a time: they stay in the nearest cache */

/* Plain C, which the compiler makes vectors of. */
static inline void dropout_factors(float *out, const Dropout *d, DropoutRow row, int64_t first, int64_t n)
{
    uint32_t limit = dropout_limit(d->rate);
    if (limit == 0) { /* nothing is dropped */
        for (int64_t i = 0; i < n; i++)
            out[i] = d->scale;
        return;
    }
    for (int64_t i = 0; i < n; i++)
        out[i] = dropout_number(row, (uint32_t)(first + i)) >= limit ? d->scale : 0;
}

SIMD_INLINE void dropout_vec(void *out, const void *x, const float *factors, DType d, bool add_to, int64_t c,
                             int64_t i, int lanes)
{
    Vec value = simd_load(x, d, c + i, lanes) * vec_load_f32(factors + i, lanes);
    if (add_to)
        value = value + simd_load(out, d, c + i, lanes);
    simd_store(out, d, c + i, value, lanes);
}

SIMD_INLINE void dropout_chunk(void *out, const void *x, const float *factors, DType d, bool add_to,
                               int64_t c, int64_t n)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        dropout_vec(out, x, factors, d, add_to, c, i, LANES);
    if (i < n)
        dropout_vec(out, x, factors, d, add_to, c, i, (int)(n - i));
}

static void simd_dropout(Device *dev, Tensor *out, const Tensor *x, const Dropout *d, bool add_to)
{
    if (!simd_takes(out)) {
        ops_ref.dropout(dev, out, x, d, add_to);
        return;
    }
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < x->rows; n++) {
        DropoutRow row = dropout_row(d->key, n);
        float factors[DROPOUT_CHUNK];
        for (int64_t c = 0; c < x->cols; c += DROPOUT_CHUNK) {
            int64_t left = x->cols - c < DROPOUT_CHUNK ? x->cols - c : DROPOUT_CHUNK;
            dropout_factors(factors, d, row, c, left);
            if (out->dtype == DTYPE_BF16)
                dropout_chunk(simd_row(out, n), simd_row(x, n), factors, DTYPE_BF16, add_to, c, left);
            else
                dropout_chunk(simd_row(out, n), simd_row(x, n), factors, DTYPE_F32, add_to, c, left);
        }
    }
}

#endif
