/* Attention to a cache in pages, for the attention_paged.c of an instruction set.  Before this header come
 * vec.h, the folder's attention_lanes.h and packed_dots.h, and
 *
 *   QUERY_ROWS      queries whose scores with a page stay in registers
 *   BF16_ROWS       queries that take in a page of bf16 at once
 *   WIDENS          whether bf16 is multiplied as f32: no instruction multiplies pairs of it, or not as fast
 *   PACKED(name)    the public name: avx2_attention_paged for attention_paged
 *
 * and behind it the functions that are only declared here, paged_bf16.h's or the folder's own.
 *
 * A query is one row's one head.  Queries that read the same head of keys stand together: a page is read once
 * for all heads that share it, and for the rows of a block.  A page is one step of a softmax whose maximum
 * may rise on the way (Milakov & Gimelshein 2018, arXiv:1805.02867), in the order of the pages: a query's
 * result depends on nothing but what it sees.
 *
 * Scores have keys as lanes, since the keys' panels are like those of weights; probabilities are then rows of
 * the left factor, and values the right one.  Products are pairs of bf16 or single f32, as the pages are;
 * where bf16 widens, the left factors are f32 from the start. */
#ifndef OPS_SIMD_ATTENTION_PAGED_H
#define OPS_SIMD_ATTENTION_PAGED_H

#include <stdatomic.h>

#include "ops/simd/packed_lanes.h"

enum {
    QUERY_BLOCK = 48,                   /* queries of a task */
    KEY_PANELS = KV_PAGE / PACKED_ROWS, /* of a page: vectors of scores of a query */
    VALUE_VECTORS = 4,                  /* vectors of a value that are summed at once */
    STEP_ROWS = (int)BF16_ROWS > (int)QUERY_ROWS ? (int)BF16_ROWS : (int)QUERY_ROWS
};

typedef struct {
    const Tensor *out, *q;
    const KvPages *kv;
    const AttentionShape *s;
    QuantType type;                         /* of the pages, as packed products name it */
    int64_t step, key_units, value_vectors; /* numbers a word; words of a key; vectors of a value */
    int64_t shared;                         /* heads of queries to a head of keys */
    bool wide;                              /* the pages are bf16, the left factors f32 */
    int64_t q_units;  /* words of a query: whole vectors, zeros behind its last number */
    float log2_scale; /* 1 / sqrt(D), and what makes exp2 of it */
} Paged;

/* The queries of a task, and how far their softmax has come. */
typedef struct {
    const PagedRows *rows;
    int64_t head, first, n; /* of keys; first row of the sequence's new ones; queries */
    uint32_t *q;            /* [query][q_units] */
    float *sums;            /* [query][value_vectors][16] */
    float *totals;          /* [query][16]: of the probabilities */
    float *greatest;        /* [query]: logarithm to base 2 */
    uint32_t *p;            /* [STEP_ROWS][KV_PAGE]: of the page at hand, as words of the left factor */
} Queries;

/* What a thread does before its first task and after its last. */
static void tasks_begin(void);
static void tasks_end(void);

/* Queries i .. i + rows - 1, at most BF16_ROWS, take in one page of bf16. */
static void page_step_bf16(const Paged *a, Queries *b, int64_t i, int64_t rows, int64_t page);

static inline int64_t queries_words(const Paged *a)
{
    return QUERY_BLOCK * (a->q_units + (a->value_vectors + 1) * 16 + 1) + STEP_ROWS * KV_PAGE;
}

static inline void queries_place(Queries *b, const Paged *a, uint32_t *memory)
{
    b->q = memory;
    b->sums = (float *)(memory + QUERY_BLOCK * a->q_units);
    b->totals = b->sums + QUERY_BLOCK * a->value_vectors * 16;
    b->p = (uint32_t *)(b->totals + QUERY_BLOCK * 16);
    b->greatest = (float *)(b->p + STEP_ROWS * KV_PAGE);
}

/* Row of the batch, and first column, of query i. */
static inline int64_t query_row(const Paged *a, const Queries *b, int64_t i)
{
    return b->rows->first + b->first + i / a->shared;
}

static inline int64_t query_col(const Paged *a, const Queries *b, int64_t i)
{
    return (b->head * a->shared + i % a->shared) * a->s->D;
}

/* How many positions of a page query i sees; may be negative. */
static inline int64_t positions_seen(const Paged *a, const Queries *b, int64_t i, int64_t page)
{
    return b->rows->past + b->first + i / a->shared + 1 - page * KV_PAGE;
}

static void queries_begin(const Paged *a, Queries *b)
{
    for (int64_t i = 0; i < b->n; i++) {
        uint32_t *to = b->q + i * a->q_units;
        const char *row = (const char *)simd_row(a->q, query_row(a, b, i)) +
                          query_col(a, b, i) * (a->q->dtype == DTYPE_BF16 ? 2 : 4);
        memset(to, 0, (size_t)a->q_units * sizeof *to);
        for (int64_t d = 0; d < a->s->D; d += LANES) {
            int lanes = simd_lanes(d, a->s->D);
            Vec x = simd_load(row, a->q->dtype, d, lanes);
            if (a->wide)
                vec_store_f32((float *)(void *)to + d, vec_rounded(x), lanes);
            else
                simd_store(to, a->kv->dtype, d, x, lanes);
        }
        b->greatest[i] = -INFINITY;
    }
    memset(b->sums, 0, (size_t)(b->n * a->value_vectors * 16) * sizeof(float));
    memset(b->totals, 0, (size_t)(b->n * 16) * sizeof(float));
}

/* score[r][panel] = q k, of queries i .. i + R - 1.  Meanwhile the keys of a later page are asked for. */
SIMD_INLINE void page_scores(Sums score[QUERY_ROWS][KEY_PANELS], const Paged *a, const Queries *b, int64_t i,
                             const unsigned char *keys, const unsigned char *later, const QuantType type,
                             const int R)
{
    int64_t next = a->key_units * PACKED_VECTOR;
    const int parts = word_parts(type, WIDENS);
    for (int r = 0; r < R; r++)
        for (int p = 0; p < KEY_PANELS; p++)
            score[r][p] = sums_all(0);
    for (int64_t u = 0; u < a->key_units; u++) {
        for (int p = 0; p < KEY_PANELS; p++)
            __builtin_prefetch(later + p * next + u * PACKED_VECTOR, 0, 2);
        for (int part = 0; part < parts; part++) {
            Words panel[KEY_PANELS];
            for (int p = 0; p < KEY_PANELS; p++)
                panel[p] = word_part(words_load(keys + p * next + u * PACKED_VECTOR), parts, part);
            for (int r = 0; r < R; r++)
                for (int p = 0; p < KEY_PANELS; p++)
                    score[r][p] =
                        sums_dot(score[r][p], panel[p], b->q + (i + r) * a->q_units + u * parts + part,
                                 part_type(type, WIDENS));
        }
    }
}

/* Scores in log2, -infinity for keys that are not seen; returns the greatest. */
SIMD_INLINE float scaled_and_hidden(Sums score[KEY_PANELS], float scale, int64_t seen)
{
    Vec top = vec_all(-INFINITY);
    for (int p = 0; p < KEY_PANELS; p++) {
        for (int v = 0; v < PARTS; v++) {
            int64_t here = seen - p * PACKED_ROWS - v * LANES;
            Vec s = score[p].v[v] * vec_all(scale);
            if (here < LANES)
                s = here > 0 ? vec_fill(s, (int)here, -INFINITY) : vec_all(-INFINITY);
            score[p].v[v] = s;
            top = vec_max(top, s);
        }
    }
    return vec_top(top);
}

/* The step of query i, whose scores are given: p becomes its probabilities, and what is summed so far is
 * brought to the new maximum. */
SIMD_INLINE void query_step(const Paged *a, Queries *b, int64_t i, int r, Sums score[KEY_PANELS],
                            int64_t seen)
{
    uint32_t *p = b->p + r * KV_PAGE;
    if (seen <= 0) { /* a later page than its own: nothing is added to it */
        memset(p, 0, KV_PAGE * sizeof *p);
        return;
    }
    float top = scaled_and_hidden(score, a->log2_scale, seen), before = b->greatest[i];
    float greatest = top <= before ? before : top;
    Sums total = sums_load(b->totals + i * 16);
    if (greatest != before) {
        float shrink[LANES];
        vec_store_f32(shrink, vec_exp2(vec_all(before - greatest)), LANES);
        Sums factor = sums_all(shrink[0]);
        for (int64_t d = 0; d < a->value_vectors; d++) {
            float *sums = b->sums + (i * a->value_vectors + d) * 16;
            sums_store(sums, sums_times(sums_load(sums), factor));
        }
        total = sums_times(total, factor);
        b->greatest[i] = greatest;
    }
    for (int k = 0; k < KEY_PANELS; k++) {
        for (int v = 0; v < PARTS; v++) {
            Vec x = vec_exp2(score[k].v[v] - vec_all(greatest));
            total.v[v] = total.v[v] + x;
            simd_store(p, a->wide ? DTYPE_F32 : a->kv->dtype, k * PACKED_ROWS + v * LANES, x, LANES);
        }
    }
    sums_store(b->totals + i * 16, total);
}

/* sums += p v: R queries, V vectors of values from vector d on, `units` words of positions.  Meanwhile those
 * of a later page are asked for. */
SIMD_INLINE void page_values(const Paged *a, Queries *b, int64_t i, const unsigned char *values,
                             const unsigned char *later, int64_t units, int64_t d, const QuantType type,
                             const int R, const int V)
{
    Sums sum[QUERY_ROWS][VALUE_VECTORS];
    const int parts = word_parts(type, WIDENS);
    for (int r = 0; r < R; r++)
        for (int v = 0; v < V; v++)
            sum[r][v] = sums_load(b->sums + ((i + r) * a->value_vectors + d + v) * 16);
    const unsigned char *at = values + d * PACKED_VECTOR;
    later += d * PACKED_VECTOR;
    for (int64_t u = 0; u < units; u++) {
        for (int v = 0; v < V; v++)
            __builtin_prefetch(later + v * PACKED_VECTOR, 0, 2);
        later += a->value_vectors * PACKED_VECTOR;
        for (int part = 0; part < parts; part++) {
            Words value[VALUE_VECTORS];
            for (int v = 0; v < V; v++)
                value[v] = word_part(words_load(at + v * PACKED_VECTOR), parts, part);
            for (int r = 0; r < R; r++)
                for (int v = 0; v < V; v++)
                    sum[r][v] = sums_dot(sum[r][v], value[v], b->p + r * KV_PAGE + u * parts + part,
                                         part_type(type, WIDENS));
        }
        at += a->value_vectors * PACKED_VECTOR;
    }
    for (int r = 0; r < R; r++)
        for (int v = 0; v < V; v++)
            sums_store(b->sums + ((i + r) * a->value_vectors + d + v) * 16, sum[r][v]);
}

/* Queries i .. i + R - 1 take in one page. */
SIMD_INLINE void page_step(const Paged *a, Queries *b, int64_t i, int64_t page, const QuantType type,
                           const int R)
{
    int64_t seen = positions_seen(a, b, i + R - 1, page); /* the last one sees most */
    if (seen <= 0)
        return;
    /* The first queries of a task ask for the next page, for processors do not read ahead from page to page.
     */
    bool asks = i == 0 && seen > KV_PAGE;
    int32_t at = b->rows->pages[page], next = asks ? b->rows->pages[page + 1] : at;
    Sums score[QUERY_ROWS][KEY_PANELS];
    page_scores(score, a, b, i, kv_keys(a->kv, at, b->head), kv_keys(a->kv, next, b->head), type, R);
    for (int r = 0; r < R; r++)
        query_step(a, b, i + r, r, score[r], positions_seen(a, b, i + r, page));
    int64_t units = ((seen < KV_PAGE ? seen : KV_PAGE) + a->step - 1) / a->step, d = 0;
    const unsigned char *values = kv_values(a->kv, at, b->head), *later = kv_values(a->kv, next, b->head);
    for (; d + VALUE_VECTORS <= a->value_vectors; d += VALUE_VECTORS)
        page_values(a, b, i, values, later, units, d, type, R, VALUE_VECTORS);
    for (; d < a->value_vectors; d++)
        page_values(a, b, i, values, later, units, d, type, R, 1);
}

#define PAGE_CASE(R)                                                 \
    case R:                                                          \
        if (R <= QUERY_ROWS)                                         \
            page_step(a, b, i, page, type, R <= QUERY_ROWS ? R : 1); \
        break

SIMD_INLINE void page_switch(const Paged *a, Queries *b, int64_t i, int64_t rows, int64_t page,
                             const QuantType type)
{
    switch (rows) {
        PAGE_CASE(1);
        PAGE_CASE(2);
        PAGE_CASE(3);
        PAGE_CASE(4);
        PAGE_CASE(5);
        PAGE_CASE(6);
    default: break;
    }
}

static void page_step_f32(const Paged *a, Queries *b, int64_t i, int64_t rows, int64_t page)
{
    page_switch(a, b, i, rows, page, QUANT_F32);
}

/* out = sums / total.  Adding 0 makes one of the two zeros: which of them a sum of nothing is depends on rows
 * beside it. */
static void queries_end(const Paged *a, const Queries *b)
{
    for (int64_t i = 0; i < b->n; i++) {
        Sums total = sums_load(b->totals + i * 16);
        float sum = 0;
        for (int v = 0; v < PARTS; v++)
            sum += vec_sum(total.v[v]);
        char *row = (char *)simd_row(a->out, query_row(a, b, i)) +
                    query_col(a, b, i) * (a->out->dtype == DTYPE_BF16 ? 2 : 4);
        const float *sums = b->sums + i * a->value_vectors * 16;
        for (int64_t d = 0; d < a->s->D; d += LANES) {
            Vec x = vec_load_f32(sums + d, LANES) / vec_all(sum) + vec_all(0);
            simd_store(row, a->out->dtype, d, x, simd_lanes(d, a->s->D));
        }
    }
}

/* Rows in registers are as many in each step, so that none has few of them. */
static void queries_run(const Paged *a, Queries *b)
{
    int64_t most = a->type == QUANT_BF16 ? BF16_ROWS : QUERY_ROWS, tiles = (b->n + most - 1) / most;
    int64_t last = positions_seen(a, b, b->n - 1, 0), tile = most;
    if (most <= QUERY_ROWS)
        tile = (b->n + tiles - 1) / tiles;
    queries_begin(a, b);
    for (int64_t page = 0; page * KV_PAGE < last; page++) {
        for (int64_t i = 0; i < b->n; i += tile) {
            int64_t rows = b->n - i < tile ? b->n - i : tile;
            if (a->type == QUANT_BF16)
                page_step_bf16(a, b, i, rows, page);
            else
                page_step_f32(a, b, i, rows, page);
        }
    }
    queries_end(a, b);
}

/* Tasks go to the threads in turn, to whoever has time: later rows see more. */
static void paged_tasks(const Paged *a, const PagedRows *rows, int64_t count, _Atomic int64_t *next,
                        uint32_t *memory)
{
    int64_t shared = a->shared, block = shared < QUERY_BLOCK ? QUERY_BLOCK / shared : 1;
    int64_t task = 0, mine = atomic_fetch_add(next, 1);
    Queries b;
    queries_place(&b, a, memory);
    for (int64_t i = 0; i < count; i++) {
        for (int64_t t = 0; t < rows[i].n; t += block) {
            for (int64_t h = 0; h < a->s->Hk; h++) {
                int64_t n = rows[i].n - t < block ? rows[i].n - t : block;
                b.rows = &rows[i];
                b.head = h;
                b.first = t;
                b.n = n * shared;
                if (task++ == mine) {
                    queries_run(a, &b);
                    mine = atomic_fetch_add(next, 1);
                }
            }
        }
    }
}

static void simd_attention_paged(Device *dev, Tensor *out, const Tensor *q, const KvPages *kv,
                                 const PagedRows *rows, int64_t count, const AttentionShape *s)
{
    bool bf16 = kv->dtype == DTYPE_BF16;
    Paged a = {
        .out = out, .q = q, .kv = kv, .s = s, .type = bf16 ? QUANT_BF16 : QUANT_F32, .step = bf16 ? 2 : 1};
    a.key_units = (s->D + a.step - 1) / a.step;
    a.shared = s->H / s->Hk;
    a.wide = bf16 && WIDENS;
    a.q_units = packed_round_up(a.wide ? 2 * a.key_units : a.key_units, 16);
    a.value_vectors = (s->D + 15) / 16;
    a.log2_scale = 0x1.715476p+0f / sqrtf((float)s->D);
    int64_t each = packed_round_up(queries_words(&a), 16);
    char *memory = device_scratch(dev, (size_t)(dev->threads * each) * sizeof(uint32_t));
    if (!memory)
        return;
    _Atomic int64_t next = 0;
#pragma omp parallel num_threads(dev->threads)
    {
        tasks_begin();
        paged_tasks(&a, rows, count, &next, (uint32_t *)(void *)memory + omp_get_thread_num() * each);
        tasks_end();
    }
}

void PACKED(attention_paged)(Device *dev, Tensor *out, const Tensor *q, const KvPages *kv,
                             const PagedRows *rows, int64_t count, const AttentionShape *s)
{
    if (simd_takes(q) && s->H / s->Hk <= QUERY_BLOCK)
        simd_attention_paged(dev, out, q, kv, rows, count, s);
    else
        ops_ref.attention_paged(dev, out, q, kv, rows, count, s);
}

#endif
