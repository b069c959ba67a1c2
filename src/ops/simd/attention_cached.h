/* Attention of new rows to a cache.  A few rows (generation) are bound by reading the cache: each task reads
 * a chunk of keys and values once, as they lie, for all heads, and leaves a partial softmax of each; these
 * are joined in the order of the keys, so the result does not depend on the threads.  Many rows (a prompt) go
 * by blocks of queries, as in training. Partial softmaxes: Dao et al. 2023, "Flash-Decoding for long-context
 * inference". */
#ifndef OPS_SIMD_ATTENTION_CACHED_H
#define OPS_SIMD_ATTENTION_CACHED_H

#include "ops/simd/attention_forward.h"

enum { FEW_ROWS = 8, LEAST_CHUNK = 64, MOST_CHUNKS = 64 };
enum { HEADS = 4, TILE_KEYS = 16 }; /* query heads and keys to a tile */

typedef struct {
    Dims m;
    const AttentionShape *s;
    const Tensor *out, *q, *k, *v;
    int64_t chunk, chunks; /* keys of one, and how many */
    float *parts;          /* [T][chunks][H] of [part]: sums [cols], then greatest logarithm and sum of the
                              probabilities */
    int64_t part;
} Cached;

static inline float *cached_part(const Cached *c, int64_t t, int64_t chunk, int64_t head)
{
    return c->parts + ((t * c->chunks + chunk) * c->s->H + head) * c->part;
}

/* p [H][chunk] = scores in log2; `greatest` of each head follows its sums. */
static void cached_scores(const Cached *c, float *p, int64_t t, int64_t chunk, int64_t count)
{
    const Dims *m = &c->m;
    Vec scale = vec_all(m->log2_scale);
    for (int64_t j = 0; j < count; j += LANES) {
        int lanes = lanes_left(j, count);
        for (int64_t h = 0; h < c->s->H; h++) {
            Rows keys = head_rows(c->k, chunk * c->chunk + j, h / m->shared * m->D);
            Rows query = {head_row(c->q, t, h * m->D), 0};
            Vec x = vec_fill(row_dots(m, keys, query, c->q->dtype, lanes) * scale, lanes, -INFINITY);
            float *greatest = cached_part(c, t, chunk, h) + m->cols, here = vec_top(x);
            *greatest = j == 0 || here > *greatest ? here : *greatest;
            vec_store_f32(p + h * c->chunk + j, x, LANES);
        }
    }
}

/* p = 2^(p - greatest), and its sum. */
static void cached_softmax(const Cached *c, float *p, int64_t t, int64_t chunk, int64_t count)
{
    for (int64_t h = 0; h < c->s->H; h++, p += c->chunk) {
        float *tail = cached_part(c, t, chunk, h) + c->m.cols;
        Vec sum = vec_all(0), greatest = vec_all(tail[0]);
        for (int64_t j = 0; j < count; j += LANES) {
            Vec x = vec_exp2(vec_load_f32(p + j, LANES) - greatest);
            sum = sum + x;
            vec_store_f32(p + j, x, LANES);
        }
        tail[1] = vec_sum(sum);
    }
}

/* Adds `count` values, columns d .. d + 2 * LANES - 1 or as many as there are, weighed by rows of p, to parts
 * of heads. */
SIMD_INLINE void cached_tile(const Cached *c, float *parts, const float *p, Rows values, const DType type,
                             int64_t count, int64_t d, const int heads, const bool whole)
{
    Vec sum[HEADS][2];
    int64_t left = c->m.D - d;
    int first = whole ? LANES : lanes_left(0, left), second = whole          ? LANES
                                                              : left > LANES ? lanes_left(LANES, left)
                                                                             : 0;
    for (int h = 0; h < heads; h++) {
        sum[h][0] = vec_load_f32(parts + h * c->part + d, LANES);
        sum[h][1] = second ? vec_load_f32(parts + h * c->part + d + LANES, LANES) : vec_all(0);
    }
    for (int64_t j = 0; j < count; j++) {
        const char *row = values.data + j * values.next;
        Vec v0 = simd_load(row, type, d, first),
            v1 = second ? simd_load(row, type, d + LANES, second) : vec_all(0);
        for (int h = 0; h < heads; h++) {
            Vec weight = vec_all(p[h * c->chunk + j]);
            sum[h][0] = vec_fma(weight, v0, sum[h][0]);
            sum[h][1] = vec_fma(weight, v1, sum[h][1]);
        }
    }
    for (int h = 0; h < heads; h++) {
        vec_store_f32(parts + h * c->part + d, sum[h][0], LANES);
        if (second)
            vec_store_f32(parts + h * c->part + d + LANES, sum[h][1], LANES);
    }
}

SIMD_INLINE void cached_heads(const Cached *c, float *parts, const float *p, Rows values, int64_t count,
                              const int heads)
{
    DType type = c->v->dtype;
    int64_t d = 0;
    for (; d + 2 * LANES <= c->m.D && type == DTYPE_BF16; d += 2 * LANES)
        cached_tile(c, parts, p, values, DTYPE_BF16, count, d, heads, true);
    for (; d + 2 * LANES <= c->m.D; d += 2 * LANES)
        cached_tile(c, parts, p, values, DTYPE_F32, count, d, heads, true);
    if (d < c->m.D)
        cached_tile(c, parts, p, values, type, count, d, heads, false);
}

static void cached_values(const Cached *c, const float *p, int64_t t, int64_t chunk, int64_t count)
{
    const Dims *m = &c->m;
    for (int64_t h = 0; h < c->s->H; h++)
        memset(cached_part(c, t, chunk, h), 0, (size_t)m->cols * sizeof(float));
    for (int64_t j = 0; j < count; j += TILE_KEYS) {
        int64_t keys = count - j < TILE_KEYS ? count - j : TILE_KEYS;
        for (int64_t h = 0, heads; h < c->s->H; h += heads) {
            int64_t left = m->shared - h % m->shared; /* heads that share these values */
            heads = left < HEADS ? left : HEADS;
            Rows values = head_rows(c->v, chunk * c->chunk + j, h / m->shared * m->D);
            float *parts = cached_part(c, t, chunk, h);
            const float *weights = p + h * c->chunk + j;
            switch (heads) {
            case 1: cached_heads(c, parts, weights, values, keys, 1); break;
            case 2: cached_heads(c, parts, weights, values, keys, 2); break;
            case 3: cached_heads(c, parts, weights, values, keys, 3); break;
            default: cached_heads(c, parts, weights, values, keys, 4); break;
            }
        }
    }
}

static void cached_chunk(const Cached *c, float *p, int64_t t, int64_t chunk)
{
    int64_t left = c->m.past + t + 1 - chunk * c->chunk, count = left < c->chunk ? left : c->chunk;
    if (count <= 0)
        return;
    cached_scores(c, p, t, chunk, count);
    cached_softmax(c, p, t, chunk, count);
    cached_values(c, p, t, chunk, count);
}

/* out = sum_chunks 2^(greatest_c - greatest) sums_c / sum_chunks 2^(greatest_c - greatest) sum_c */
static void cached_join(const Cached *c, int64_t t, int64_t head)
{
    const Dims *m = &c->m;
    int64_t chunks = up_to(m->past + t + 1, c->chunk) / c->chunk, step = c->s->H * c->part;
    float *parts = cached_part(c, t, 0, head), *tail = parts + m->cols;
    float greatest = tail[0], total = 0;
    for (int64_t n = 1; n < chunks; n++)
        greatest = tail[n * step] > greatest ? tail[n * step] : greatest;
    for (int64_t n = 0; n < chunks; n++) {
        tail[n * step] = exp2f(tail[n * step] - greatest);
        total += tail[n * step] * tail[n * step + 1];
    }
    for (int64_t d = 0; d < m->D; d += LANES) {
        Vec sum = vec_all(0);
        for (int64_t n = 0; n < chunks; n++)
            sum = vec_fma(vec_all(tail[n * step] / total), vec_load_f32(parts + n * step + d, LANES), sum);
        simd_store(head_row(c->out, t, head * m->D), c->out->dtype, d, sum, lanes_left(d, m->D));
    }
}

static void cached_run(Device *dev, Cached *c)
{
    int64_t most = c->m.keys / MOST_CHUNKS;
    c->part = c->m.cols + LANES;
    c->chunk = up_to(most < LEAST_CHUNK ? LEAST_CHUNK : most, LANES);
    c->chunks = up_to(c->m.keys, c->chunk) / c->chunk;
    int64_t parts = c->m.T * c->chunks * c->s->H * c->part * (int64_t)sizeof(float);
    int64_t each = lines(c->s->H * c->chunk * (int64_t)sizeof(float));
    char *memory = device_scratch(dev, (size_t)(lines(parts) + dev->threads * each));
    if (!memory)
        return;
    c->parts = take(&memory, parts);
#pragma omp parallel num_threads(dev->threads)
    {
#pragma omp for schedule(static) collapse(2)
        for (int64_t t = 0; t < c->m.T; t++)
            for (int64_t n = 0; n < c->chunks; n++)
                cached_chunk(c, (float *)(void *)(memory + omp_get_thread_num() * each), t, n);
#pragma omp for schedule(static) collapse(2)
        for (int64_t t = 0; t < c->m.T; t++)
            for (int64_t h = 0; h < c->s->H; h++)
                cached_join(c, t, h);
    }
}

static void simd_attention_cached(Device *dev, Tensor *out, const Tensor *q, const Tensor *k, const Tensor *v,
                                  int64_t past, const AttentionShape *s)
{
    if (s->T >= FEW_ROWS) {
        Forward f = {.m = dims_of(s, past), .s = s, .out = out, .q = q, .k = k, .v = v};
        forward_run(dev, &f);
    } else {
        Cached c = {.m = dims_of(s, past), .s = s, .out = out, .q = q, .k = k, .v = v};
        cached_run(dev, &c);
    }
}

#endif
