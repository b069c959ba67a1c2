/* Attention's forward pass: a block of QUERIES queries against blocks of KEYS keys, from the first key it may
 * see on.
 *
 * The softmax is online, but not about the running maximum: each query starts from its own key's score, which
 * it always sees, and a block's probabilities 2^(score - base) are made as its scores leave the product. Only
 * where one exceeds 2^LIMIT is the base raised, what has been summed rescaled, and the block done again; f32
 * and bf16 hold 2^LIMIT times many keys, and lose no precision to it.  Online softmax: Milakov & Gimelshein
 * 2018, arXiv:1805.02867; blocks: Dao 2023, arXiv:2307.08691. */
#ifndef OPS_SIMD_ATTENTION_FORWARD_H
#define OPS_SIMD_ATTENTION_FORWARD_H

#include "ops/simd/attention_tiles.h"

enum { LIMIT = 80 };

typedef struct {
    Dims m;
    const AttentionShape *s;
    Tensor *out, *lse; /* lse NULL: not wanted */
    const Tensor *q, *k, *v, *starts;
    Unit *k_rows, *v_down;  /* of every sequence and key head */
    int64_t k_each, v_each; /* units of one */
} Forward;

typedef struct {
    int64_t first, vecs;       /* first query, of its sequence; vectors of queries */
    int32_t start, last_start; /* of its first and last query */
    const Unit *k_rows, *v_down;
    Unit *q;                            /* across */
    Unit *p;                            /* [KEYS / STEP][QUERIES]: probabilities of a block, down */
    float *out;                         /* [cols][QUERIES] */
    float base[QUERIES], sum[QUERIES];  /* log2 of the scale of out and sum; sum of probabilities */
    float added[QUERIES], top[QUERIES]; /* a block's sum and greatest log2, at least 0 */
    float starts[QUERIES];
} QueryBlock;

/* Probabilities of TILE_ROWS keys from `key` for `vecs` vectors of queries from `at`. */
SIMD_INLINE void forward_tile(const Forward *f, QueryBlock *b, int64_t key, Unit *p, int64_t at,
                              const int vecs, const bool masked)
{
    Vec x[TILE_ROWS][4];
    for (int r = 0; r < TILE_ROWS; r++)
        for (int v = 0; v < vecs; v++)
            x[r][v] = vec_all(0);
    tile_multiply(x, (Left){b->k_rows + key * f->m.units, f->m.units, 1}, (Right){b->q + at * LANES, QUERIES},
                  f->m.units, vecs);
    Vec scale = vec_all(f->m.log2_scale);
    for (int v = 0; v < vecs; v++) {
        int64_t i = (at + v) * LANES;
        Vec base = vec_load_f32(b->base + i, LANES), sum = vec_load_f32(b->added + i, LANES);
        Vec top = vec_load_f32(b->top + i, LANES);
        for (int r = 0; r < TILE_ROWS; r += STEP) {
            Vec e[STEP];
            for (int n = 0; n < STEP; n++) {
                Vec y = vec_fma(x[r + n][v], scale, vec_all(0) - base);
                if (masked) {
                    Vec none = vec_all(-INFINITY), here = vec_all((float)(key + r + n));
                    y = vec_where_ge(positions_from(f->m.past + b->first + i), here, y, none);
                    y = vec_where_ge(here, vec_load_f32(b->starts + i, LANES), y, none);
                }
                top = vec_max(top, y);
                e[n] = vec_exp2(y);
                sum = sum + e[n];
            }
            units_store(p + r / STEP * QUERIES + i, units_weave(units_round(e)), LANES);
        }
        vec_store_f32(b->added + i, sum, LANES);
        vec_store_f32(b->top + i, top, LANES);
    }
}

SIMD_INLINE void forward_panel(const Forward *f, QueryBlock *b, int64_t key, int64_t keys, int64_t at,
                               const int vecs, const bool masked)
{
    for (int64_t j = 0; j < keys; j += TILE_ROWS)
        forward_tile(f, b, key + j, b->p + j / STEP * QUERIES, at, vecs, masked);
}

SIMD_INLINE void forward_scores(const Forward *f, QueryBlock *b, int64_t key, int64_t keys, int64_t at,
                                const bool masked)
{
    for (; at < b->vecs; at += TILE_VECS) {
        switch (b->vecs - at < TILE_VECS ? b->vecs - at : TILE_VECS) {
        case 1: forward_panel(f, b, key, keys, at, 1, masked); break;
        case 2: forward_panel(f, b, key, keys, at, 2, masked); break;
        case 3: forward_panel(f, b, key, keys, at, 3, masked); break;
        default: forward_panel(f, b, key, keys, at, 4, masked); break;
        }
    }
}

/* Sets p, added and top for `keys` keys from `key` and the queries from vector `at` on. */
static void forward_probabilities(const Forward *f, QueryBlock *b, int64_t key, int64_t keys, int64_t at,
                                  bool masked)
{
    for (int64_t i = at * LANES; i < QUERIES; i++)
        b->added[i] = b->top[i] = 0;
    if (masked)
        forward_scores(f, b, key, keys, at, true);
    else
        forward_scores(f, b, key, keys, at, false);
}

/* Whether some query's base was raised. */
static bool forward_rescale(const Forward *f, QueryBlock *b, int64_t at)
{
    bool raised = false;
    for (int64_t i = at * LANES; i < b->vecs * LANES; i += LANES) {
        Vec top = vec_load_f32(b->top + i, LANES);
        if (!(vec_top(top) > LIMIT))
            continue;
        raised = true;
        Vec less = vec_exp2(vec_all(0) - top);
        vec_store_f32(b->base + i, vec_load_f32(b->base + i, LANES) + top, LANES);
        vec_store_f32(b->sum + i, vec_load_f32(b->sum + i, LANES) * less, LANES);
        for (int64_t c = 0; c < f->m.cols; c++) {
            float *o = b->out + c * QUERIES + i;
            vec_store_f32(o, vec_load_f32(o, LANES) * less, LANES);
        }
    }
    return raised;
}

static void forward_keys(const Forward *f, QueryBlock *b, int64_t key, int64_t keys, int64_t at, bool masked)
{
    masked = masked || b->last_start > key;
    forward_probabilities(f, b, key, keys, at, masked);
    if (forward_rescale(f, b, at))
        forward_probabilities(f, b, key, keys, at, masked);
    for (int64_t i = at * LANES; i < b->vecs * LANES; i += LANES)
        vec_store_f32(b->sum + i, vec_load_f32(b->sum + i, LANES) + vec_load_f32(b->added + i, LANES), LANES);
    product_down(b->out + at * LANES, QUERIES, b->v_down + key / STEP * f->m.cols, f->m.cols,
                 (Right){b->p + at * LANES, QUERIES}, f->m.cols, b->vecs - at, keys / STEP);
}

/* Packs the queries and sets what a block begins with. */
static void forward_start(const Forward *f, QueryBlock *b, int64_t sequence, int64_t head, int64_t count)
{
    const Dims *m = &f->m;
    int64_t row = sequence * m->T + b->first, key_row = sequence * m->keys + m->past + b->first;
    const int32_t *starts = f->starts ? tensor_i32(f->starts, 0) + row : NULL;
    b->vecs = up_to(count, LANES) / LANES;
    b->start = starts ? starts[0] : 0;
    b->last_start = starts ? starts[count - 1] : 0;
    for (int64_t i = 0; i < QUERIES; i++) {
        b->starts[i] = starts && i < count ? (float)starts[i] : 0;
        b->sum[i] = 0;
    }
    pack_across(b->q, m, f->q, row, head * m->D, count);
    for (int64_t i = 0; i < QUERIES; i += LANES) {
        Vec own = row_dots(m, head_rows(f->q, row + i, head * m->D),
                           head_rows(f->k, key_row + i, head / m->shared * m->D), f->q->dtype, count - i);
        vec_store_f32(b->base + i, own * vec_all(m->log2_scale), LANES);
    }
    memset(b->out, 0, (size_t)(m->cols * QUERIES) * sizeof *b->out);
}

static void forward_end(const Forward *f, QueryBlock *b, int64_t sequence, int64_t head, int64_t count)
{
    int64_t row = sequence * f->m.T + b->first;
    float factor[QUERIES];
    for (int64_t i = 0; i < QUERIES; i++)
        factor[i] = 1 / b->sum[i];
    write_across(f->out, &f->m, row, head * f->m.D, count, b->out, factor);
    for (int64_t i = 0; f->lse && i < count; i++)
        tensor_f32(f->lse, row + i)[head] = (b->base[i] + log2f(b->sum[i])) * 0x1.62e43p-1f;
}

static void forward_block(const Forward *f, QueryBlock *b, int64_t sequence, int64_t head)
{
    int64_t count = f->m.T - b->first < QUERIES ? f->m.T - b->first : QUERIES;
    forward_start(f, b, sequence, head, count);
    int64_t before = f->m.past + b->first, diagonal = before / LANES * LANES, key = b->start / LANES * LANES;
    for (; key < diagonal; key += KEYS)
        forward_keys(f, b, key, diagonal - key < KEYS ? diagonal - key : KEYS, 0, false);
    /* On the diagonal, few keys at a time, each time with fewer queries. */
    int64_t last = up_to(before + count, LANES);
    for (key = diagonal; key < last; key += STRIP)
        forward_keys(f, b, key, last - key < STRIP ? last - key : STRIP,
                     key > before ? (key - before) / LANES : 0, true);
    forward_end(f, b, sequence, head, count);
}

static int64_t query_block_bytes(const Dims *m)
{
    return lines((int64_t)sizeof(QueryBlock)) + lines(m->units * QUERIES * (int64_t)sizeof(Unit)) +
           lines(KEYS / STEP * QUERIES * (int64_t)sizeof(Unit)) +
           lines(m->cols * QUERIES * (int64_t)sizeof(float));
}

static QueryBlock *query_block_take(char *memory, const Dims *m)
{
    QueryBlock *b = take(&memory, (int64_t)sizeof *b);
    b->q = take(&memory, m->units * QUERIES * (int64_t)sizeof(Unit));
    b->p = take(&memory, KEYS / STEP * QUERIES * (int64_t)sizeof(Unit));
    b->out = take(&memory, m->cols * QUERIES * (int64_t)sizeof(float));
    return b;
}

/* LANES keys and values of every head: rows of a fused matrix are read as they lie. */
static void forward_pack_keys(const Forward *f, int64_t sequence, int64_t key)
{
    const Dims *m = &f->m;
    int64_t row = sequence * m->keys + key, count = m->keys - key < LANES ? m->keys - key : LANES;
    for (int64_t h = 0; h < f->s->Hk; h++) {
        int64_t head = sequence * f->s->Hk + h;
        pack_rows(f->k_rows + head * f->k_each + key * m->units, m, f->k, row, h * m->D, count, LANES);
        pack_down(f->v_down + head * f->v_each + key / STEP * m->cols, m, f->v, row, h * m->D, count, LANES);
    }
}

/* Asks for the queries of a task, and for their own keys. */
static void forward_expect(const Forward *f, int64_t task)
{
    const Dims *m = &f->m;
    int64_t head = task / m->blocks, sequence = head / f->s->H,
            first = (m->blocks - 1 - task % m->blocks) * QUERIES;
    head %= f->s->H;
    expect_rows(f->q, m, sequence * m->T + first, head * m->D, QUERIES);
    expect_rows(f->k, m, sequence * m->keys + m->past + first, head / m->shared * m->D, QUERIES);
}

/* All of it: keys and values are packed once for all query heads, then every block of queries of every head
 * is a task, the longest first.  A task's result does not depend on who does it. */
static void forward_run(Device *dev, Forward *f)
{
    const Dims *m = &f->m;
    int64_t heads = f->s->B * f->s->Hk, tasks = f->s->B * f->s->H * m->blocks, each = query_block_bytes(m);
    f->k_each = up_to(m->key_rows * m->units, 16);
    f->v_each = up_to(m->key_rows / STEP * m->cols, 16);
    int64_t k_bytes = heads * f->k_each * (int64_t)sizeof(Unit),
            v_bytes = heads * f->v_each * (int64_t)sizeof(Unit);
    char *memory = device_scratch(dev, (size_t)(k_bytes + v_bytes + dev->threads * each));
    if (!memory)
        return;
    f->k_rows = take(&memory, k_bytes);
    f->v_down = take(&memory, v_bytes);
#pragma omp parallel num_threads(dev->threads)
    {
#pragma omp for schedule(static) collapse(2)
        for (int64_t n = 0; n < f->s->B; n++)
            for (int64_t key = 0; key < m->key_rows; key += LANES)
                forward_pack_keys(f, n, key);
        QueryBlock *b = query_block_take(memory + omp_get_thread_num() * each, m);
#pragma omp for schedule(dynamic, 1)
        for (int64_t i = 0; i < tasks; i++) {
            int64_t head = i / m->blocks, key_head = head / m->shared; /* over all sequences */
            b->first = (m->blocks - 1 - i % m->blocks) * QUERIES;
            b->k_rows = f->k_rows + key_head * f->k_each;
            b->v_down = f->v_down + key_head * f->v_each;
            if (i + dev->threads < tasks)
                forward_expect(f, i + dev->threads);
            forward_block(f, b, head / f->s->H, head % f->s->H);
        }
    }
}

static void simd_attention(Device *dev, Tensor *out, Tensor *lse, const Tensor *q, const Tensor *k,
                           const Tensor *v, const Tensor *starts, const AttentionShape *s)
{
    Forward f = {
        .m = dims_of(s, 0), .s = s, .out = out, .lse = lse, .q = q, .k = k, .v = v, .starts = starts};
    forward_run(dev, &f);
}

#endif
