#ifndef OPS_SIMD_CROSS_ENTROPY_H
#define OPS_SIMD_CROSS_ENTROPY_H

#include "ops/simd/simd.h"

/* A row of V logits goes through in blocks that stay in the first-level cache; each block's sum of exp is
 * taken against the greatest logit so far, and the sum so far is scaled when that grows (Milakov & Gimelshein
 * 2018, arXiv:1805.02867). */
enum { CROSS_ENTROPY_BLOCK = 2048 };

typedef struct {
    float max;
    double sum; /* of exp(logit - max) */
} Softmax;

SIMD_INLINE void cross_entropy_block(Softmax *s, const void *row, DType d, int64_t from, int64_t to)
{
    Vec top = vec_all(-INFINITY), sum = vec_all(0), more = vec_all(0);
    int64_t v = from;
    for (; v + LANES <= to; v += LANES) {
        simd_prefetch(row, d, v, CROSS_ENTROPY_BLOCK);
        top = vec_max(top, simd_load(row, d, v, LANES));
    }
    if (v < to)
        top = vec_max(top, vec_fill(simd_load(row, d, v, (int)(to - v)), (int)(to - v), -INFINITY));
    float block_max = vec_top(top);
    if (block_max > s->max) {
        s->sum *= exp((double)s->max - (double)block_max);
        s->max = block_max;
    }
    if (s->max == -INFINITY) /* nothing but -infinity so far: exp would be asked for NaN */
        return;
    Vec max = vec_all(s->max);
    for (v = from; v + 2 * LANES <= to; v += 2 * LANES) {
        sum = sum + simd_exp(simd_load(row, d, v, LANES) - max);
        more = more + simd_exp(simd_load(row, d, v + LANES, LANES) - max);
    }
    for (; v + LANES <= to; v += LANES)
        sum = sum + simd_exp(simd_load(row, d, v, LANES) - max);
    if (v < to)
        sum = sum + simd_exp(vec_fill(simd_load(row, d, v, (int)(to - v)), (int)(to - v), -INFINITY) - max);
    s->sum += vec_sum_f64(sum + more);
}

SIMD_INLINE Softmax cross_entropy_softmax(const void *row, DType d, int64_t V)
{
    Softmax s = {.max = -INFINITY};
    for (int64_t v = 0; v < V; v += CROSS_ENTROPY_BLOCK)
        cross_entropy_block(&s, row, d, v, v + CROSS_ENTROPY_BLOCK < V ? v + CROSS_ENTROPY_BLOCK : V);
    return s;
}

SIMD_INLINE void cross_entropy_back_vec(void *out, DType out_type, const void *row, DType d, Vec max,
                                        Vec scale, int64_t v, int lanes)
{
    simd_store(out, out_type, v, simd_exp(simd_load(row, d, v, lanes) - max) * scale, lanes);
}

SIMD_INLINE void cross_entropy_back_row(void *out, DType out_type, const void *row, DType d, Vec max,
                                        Vec scale, int64_t V)
{
    int64_t v = 0;
    for (; v + LANES <= V; v += LANES)
        cross_entropy_back_vec(out, out_type, row, d, max, scale, v, LANES);
    if (v < V)
        cross_entropy_back_vec(out, out_type, row, d, max, scale, v, (int)(V - v));
}

/* dlogits[n,:] = softmax(logits[n,:]) * scale, and then - scale at the target. */
static void cross_entropy_back(const Tensor *dlogits, const Tensor *logits, int64_t n, const Softmax *s,
                               int32_t target, float scale)
{
    int64_t V = logits->cols;
    void *out = simd_row(dlogits, n), *row = simd_row(logits, n);
    float z = (float)dtype_load(row, logits->dtype, target),
          p = (float)(exp((double)z - (double)s->max) / s->sum);
    Vec max = vec_all(s->max), factor = vec_all((float)((double)scale / s->sum));
    if (logits->dtype == DTYPE_F32 && dlogits->dtype == DTYPE_F32)
        cross_entropy_back_row(out, DTYPE_F32, row, DTYPE_F32, max, factor, V);
    else if (logits->dtype == DTYPE_F32)
        cross_entropy_back_row(out, DTYPE_BF16, row, DTYPE_F32, max, factor, V);
    else if (dlogits->dtype == DTYPE_F32)
        cross_entropy_back_row(out, DTYPE_F32, row, DTYPE_BF16, max, factor, V);
    else
        cross_entropy_back_row(out, DTYPE_BF16, row, DTYPE_BF16, max, factor, V);
    dtype_store(out, dlogits->dtype, target, (double)(scale * (p - 1)));
}

static void simd_cross_entropy(Device *dev, Tensor *loss, Tensor *dlogits, const Tensor *logits,
                               const Tensor *targets, float scale)
{
    if (loss->dtype != DTYPE_F32 || !simd_takes(logits) || (dlogits && !simd_takes(dlogits))) {
        ops_ref.cross_entropy(dev, loss, dlogits, logits, targets, scale);
        return;
    }
    int64_t V = logits->cols;
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < logits->rows; n++) {
        int32_t target = tensor_i32(targets, 0)[n];
        tensor_f32(loss, 0)[n] = 0;
        if (target < 0) {
            if (dlogits)
                memset(simd_row(dlogits, n), 0, (size_t)V * dtype_size(dlogits->dtype));
            continue;
        }
        const void *row = simd_row(logits, n);
        Softmax s = logits->dtype == DTYPE_BF16 ? cross_entropy_softmax(row, DTYPE_BF16, V)
                                                : cross_entropy_softmax(row, DTYPE_F32, V);
        tensor_f32(loss, 0)[n] = (float)((double)s.max + log(s.sum) - dtype_load(row, logits->dtype, target));
        if (dlogits)
            cross_entropy_back(dlogits, logits, n, &s, target, scale);
    }
}

#endif
