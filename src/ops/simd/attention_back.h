/* Attention's backward pass: blocks of KEYS keys, each against the blocks of QUERIES queries that may see it.
 *
 * With p = exp2(score - lse), dp = dout v^T and ds = p (dp - delta), five products a pair of blocks:
 *   scores^T = k q^T    dp^T = v dout^T    dv += p^T dout    dk += ds^T q    dq^T += k^T ds
 * The first two meet in registers, where p and ds are made and rounded; 1 / sqrt(D) multiplies dq and dk at
 * their end. dq is kept as [cols][QUERIES] for every block of queries, so that ds is a right factor there and
 * needs no transposition. */
#ifndef OPS_SIMD_ATTENTION_BACK_H
#define OPS_SIMD_ATTENTION_BACK_H

#include "ops/simd/attention_tiles.h"

enum { ROW = QUERIES / STEP }; /* units of a row of p and ds */
enum { MOST_PIECES = 4 };

typedef struct {
    Dims m;
    const AttentionShape *s;
    Tensor *dq, *dk, *dv;
    const Tensor *dout, *out, *lse, *q, *k, *v, *starts;
    int64_t pieces;   /* of a pair, by keys */
    float *dq_pieces; /* [B * H][pieces] of [blocks][cols][QUERIES], where there are more than one */
} Back;

/* One sequence and key head, with one of its query heads at a time. */
typedef struct {
    int64_t sequence, head; /* query head */
    int64_t packed;         /* blocks of queries so far */
    /* of the query head, by blocks of queries */
    Unit *q_across, *dout_across; /* [blocks][units][QUERIES] */
    Unit *q_down, *dout_down;     /* [blocks][QUERIES / STEP][cols] */
    float *dq;                    /* [blocks][cols][QUERIES] */
    float *lse, *delta, *start;   /* [blocks][QUERIES]; lse in log2 */
    /* of the block of keys */
    Unit *k_rows, *v_rows;  /* [KEYS][units] */
    Unit *k_down;           /* [KEYS / STEP][cols] */
    Unit *p_rows, *ds_rows; /* [KEYS][ROW] */
    Unit *ds_down;          /* [KEYS / STEP][QUERIES] */
    float *dk, *dv;         /* [key_rows][cols], or of one block of keys where no query heads share them */
} Pair;

/* A block of queries against keys of the block of keys. */
typedef struct {
    int64_t first;    /* query, of its sequence */
    int64_t key, row; /* first key, of its sequence and of the block of keys */
    int64_t keys;
    const Unit *q, *dout; /* across */
    const float *lse, *delta, *start;
} Meeting;

SIMD_INLINE void back_tile(const Back *a, const Pair *x, const Meeting *b, int64_t j, int64_t at,
                           const int vecs, const bool masked)
{
    int64_t units = a->m.units, row = b->row + j;
    Vec p[TILE_ROWS][4], ds[TILE_ROWS][4];
    for (int r = 0; r < TILE_ROWS; r++)
        for (int v = 0; v < vecs; v++)
            p[r][v] = ds[r][v] = vec_all(0);
    tile_multiply(p, (Left){x->k_rows + row * units, units, 1}, (Right){b->q + at * LANES, QUERIES}, units,
                  vecs);
    Vec scale = vec_all(a->m.log2_scale);
    for (int v = 0; v < vecs; v++) {
        int64_t i = (at + v) * LANES;
        Vec lse = vec_load_f32(b->lse + i, LANES);
        for (int r = 0; r < TILE_ROWS; r += STEP) {
            Vec e[STEP];
            for (int n = 0; n < STEP; n++) {
                Vec y = vec_fma(p[r + n][v], scale, vec_all(0) - lse);
                if (masked) {
                    Vec none = vec_all(-INFINITY), here = vec_all((float)(b->key + j + r + n));
                    y = vec_where_ge(positions_from(b->first + i), here, y, none);
                    y = vec_where_ge(here, vec_load_f32(b->start + i, LANES), y, none);
                }
                p[r + n][v] = e[n] = vec_exp2(y);
            }
            units_store_rows(x->p_rows + (row + r) * ROW, ROW, at + v, units_round(e));
        }
    }
    tile_multiply(ds, (Left){x->v_rows + row * units, units, 1}, (Right){b->dout + at * LANES, QUERIES},
                  units, vecs);
    for (int v = 0; v < vecs; v++) {
        int64_t i = (at + v) * LANES;
        Vec delta = vec_load_f32(b->delta + i, LANES);
        for (int r = 0; r < TILE_ROWS; r += STEP) {
            Vec e[STEP];
            for (int n = 0; n < STEP; n++)
                e[n] = p[r + n][v] * (ds[r + n][v] - delta);
            Units rounded = units_round(e);
            units_store_rows(x->ds_rows + (row + r) * ROW, ROW, at + v, rounded);
            units_store(x->ds_down + (row + r) / STEP * QUERIES + i, units_weave(rounded), LANES);
        }
    }
}

SIMD_INLINE void back_panel(const Back *a, const Pair *x, const Meeting *b, int64_t at, const int vecs,
                            const bool masked)
{
    for (int64_t j = 0; j < b->keys; j += TILE_ROWS)
        back_tile(a, x, b, j, at, vecs, masked);
}

SIMD_INLINE void back_scores(const Back *a, const Pair *x, const Meeting *b, int64_t at, const bool masked)
{
    for (; at < QUERY_VECS; at += TILE_VECS) {
        switch (QUERY_VECS - at < TILE_VECS ? QUERY_VECS - at : TILE_VECS) {
        case 1: back_panel(a, x, b, at, 1, masked); break;
        case 2: back_panel(a, x, b, at, 2, masked); break;
        case 3: back_panel(a, x, b, at, 3, masked); break;
        default: back_panel(a, x, b, at, 4, masked); break;
        }
    }
}

/* Keys row .. row + keys - 1 of the block of keys at `key` against block `i` of queries, from its vector `at`
 * on. */
static void back_meet(const Back *a, const Pair *x, int64_t key, int64_t row, int64_t keys, int64_t i,
                      int64_t at, bool diagonal)
{
    const Dims *m = &a->m;
    int64_t across = i * m->units * QUERIES, down = (i * QUERIES + at * LANES) / STEP * m->cols;
    int64_t rows = row * ROW + at * LANES / STEP, steps = (QUERIES - at * LANES) / STEP;
    Meeting b = {.first = i * QUERIES,
                 .key = key + row,
                 .row = row,
                 .keys = keys,
                 .q = x->q_across + across,
                 .dout = x->dout_across + across,
                 .lse = x->lse + i * QUERIES,
                 .delta = x->delta + i * QUERIES,
                 .start = x->start + i * QUERIES};
    if (diagonal || b.start[QUERIES - 1] > (float)b.key)
        back_scores(a, x, &b, at, true);
    else
        back_scores(a, x, &b, at, false);
    int64_t to = (a->m.shared > 1 ? key + row : row) * m->cols;
    product_rows(x->dv + to, m->cols, x->p_rows + rows, ROW, (Right){x->dout_down + down, m->cols}, keys,
                 m->cols / LANES, steps);
    product_rows(x->dk + to, m->cols, x->ds_rows + rows, ROW, (Right){x->q_down + down, m->cols}, keys,
                 m->cols / LANES, steps);
    product_down(x->dq + i * m->cols * QUERIES + at * LANES, QUERIES, x->k_down + row / STEP * m->cols,
                 m->cols, (Right){x->ds_down + row / STEP * QUERIES + at * LANES, QUERIES}, m->cols,
                 QUERY_VECS - at, keys / STEP);
}

/* Asks for a block of queries that will be packed. */
static void back_expect_queries(const Back *a, int64_t sequence, int64_t head, int64_t i)
{
    const Dims *m = &a->m;
    int64_t row = sequence * m->T + i * QUERIES;
    expect_rows(a->q, m, row, head * m->D, QUERIES);
    expect_rows(a->dout, m, row, head * m->D, QUERIES);
    expect_rows(a->out, m, row, head * m->D, QUERIES);
}

static void back_expect_keys(const Back *a, int64_t sequence, int64_t key_head, int64_t key)
{
    const Dims *m = &a->m;
    expect_rows(a->k, m, sequence * m->T + key, key_head * m->D, KEYS);
    expect_rows(a->v, m, sequence * m->T + key, key_head * m->D, KEYS);
}

/* Packs block `i` of the queries, and zeroes its dq. */
static void back_pack_queries(const Back *a, const Pair *x, int64_t i)
{
    const Dims *m = &a->m;
    int64_t first = i * QUERIES, count = m->T - first < QUERIES ? m->T - first : QUERIES;
    int64_t across = i * m->units * QUERIES, down = first / STEP * m->cols;
    int64_t row = x->sequence * m->T + first, col = x->head * m->D;
    if (count < QUERIES) {
        memset(x->q_across + across, 0, (size_t)(m->units * QUERIES) * sizeof(Unit));
        memset(x->dout_across + across, 0, (size_t)(m->units * QUERIES) * sizeof(Unit));
    }
    pack_across(x->q_across + across, m, a->q, row, col, count);
    pack_across(x->dout_across + across, m, a->dout, row, col, count);
    pack_down(x->q_down + down, m, a->q, row, col, count, QUERIES);
    pack_down(x->dout_down + down, m, a->dout, row, col, count, QUERIES);
    for (int64_t n = 0; n < QUERIES; n += LANES)
        vec_store_f32(x->delta + first + n,
                      row_dots(m, head_rows(a->dout, row + n, col), head_rows(a->out, row + n, col),
                               a->q->dtype, count - n),
                      LANES);
    for (int64_t n = 0; n < QUERIES; n++) {
        int64_t last = n < count ? n : count - 1; /* rows of zeros see what the last one sees */
        x->lse[first + n] = n < count ? tensor_f32(a->lse, row + n)[x->head] * 0x1.715476p+0f : 0;
        x->start[first + n] = a->starts ? (float)tensor_i32(a->starts, 0)[row + last] : 0;
    }
    memset(x->dq + first * m->cols, 0, (size_t)(QUERIES * m->cols) * sizeof *x->dq);
}

static void back_keys(const Back *a, Pair *x, int64_t key, int64_t keys)
{
    const Dims *m = &a->m;
    for (int64_t i = key / QUERIES; i < m->blocks; i++) {
        int64_t first = i * QUERIES;
        if (i == x->packed) {
            back_pack_queries(a, x, i);
            if (++x->packed < m->blocks)
                back_expect_queries(a, x->sequence, x->head, x->packed);
        }
        if (x->start[first] >= (float)(key + keys))
            break; /* a later document: so are all that follow */
        int64_t below = first - key < keys ? first - key : keys; /* keys that all of these queries may see */
        if (below > 0)
            back_meet(a, x, key, 0, below, i, 0, false);
        for (int64_t row = below > 0 ? below : 0; row < keys; row += STRIP)
            back_meet(a, x, key, row, keys - row < STRIP ? keys - row : STRIP, i, (key + row - first) / LANES,
                      true);
    }
}

static void back_write_queries(const Back *a, int64_t sequence, int64_t head, int64_t i, const float *dq)
{
    const Dims *m = &a->m;
    int64_t first = i * QUERIES, count = m->T - first < QUERIES ? m->T - first : QUERIES;
    float scale[QUERIES];
    for (int64_t n = 0; n < QUERIES; n++)
        scale[n] = m->scale;
    write_across(a->dq, m, sequence * m->T + first, head * m->D, count, dq, scale);
}

/* Rows of a key head from [count][cols] f32, times scale. */
static void back_write_keys(const Tensor *t, const Dims *m, int64_t row, int64_t col, int64_t count,
                            const float *from, float scale)
{
    for (int64_t r = 0; r < count; r++)
        for (int64_t d = 0; d < m->D; d += LANES)
            simd_store(head_row(t, row + r, col), t->dtype, d,
                       vec_load_f32(from + r * m->cols + d, LANES) * vec_all(scale), lanes_left(d, m->D));
}

/* The first block of keys of a piece: pieces have about equal numbers of blocks of queries to meet. */
static int64_t piece_first(const Dims *m, int64_t piece, int64_t pieces)
{
    int64_t n = m->blocks, first = 0;
    while (first < n && first * (2 * n - first + 1) * pieces < piece * n * (n + 1))
        first++;
    return first;
}

/* How many pieces to cut pairs into, so that no thread waits long for another. */
static int64_t piece_count(const Dims *m, int64_t pairs, int64_t threads)
{
    int64_t best = 1;
    double least = INFINITY;
    for (int64_t n = 1; n <= MOST_PIECES && n <= m->blocks; n++) {
        double idle = (double)(up_to(pairs * n, threads)) / (double)(pairs * n) - 1;
        if (idle < 0.9 * least - 0.05) {
            least = idle;
            best = n;
        }
    }
    return best;
}

static inline float *piece_dq(const Back *a, int64_t sequence, int64_t head, int64_t piece)
{
    return a->dq_pieces +
           ((sequence * a->s->H + head) * a->pieces + piece) * a->m.blocks * QUERIES * a->m.cols;
}

/* A block of keys against all queries of x's head that may see it; its dk and dv are written after the last
 * head. */
static void back_block(const Back *a, Pair *x, int64_t key, bool last_head)
{
    const Dims *m = &a->m;
    int64_t base = x->sequence * m->T, key_head = x->head / m->shared, col = key_head * m->D;
    int64_t count = m->T - key < KEYS ? m->T - key : KEYS, keys = up_to(count, LANES);
    pack_rows(x->k_rows, m, a->k, base + key, col, count, keys);
    pack_rows(x->v_rows, m, a->v, base + key, col, count, keys);
    pack_down(x->k_down, m, a->k, base + key, col, count, keys);
    if (key + KEYS < m->T)
        back_expect_keys(a, x->sequence, key_head, key + KEYS);
    else if (x->head + 1 < a->s->H) {
        back_expect_keys(a, x->sequence, (x->head + 1) / m->shared, 0);
        back_expect_queries(a, x->sequence, x->head + 1, 0);
    }
    int64_t from = m->shared > 1 ? key * m->cols : 0;
    if (x->head % m->shared == 0) {
        memset(x->dk + from, 0, (size_t)(keys * m->cols) * sizeof *x->dk);
        memset(x->dv + from, 0, (size_t)(keys * m->cols) * sizeof *x->dv);
    }
    back_keys(a, x, key, keys);
    if (last_head) {
        back_write_keys(a->dk, m, base + key, col, count, x->dk + from, m->scale);
        back_write_keys(a->dv, m, base + key, col, count, x->dv + from, 1);
    }
}

static void back_piece(const Back *a, Pair *x, int64_t sequence, int64_t key_head, int64_t piece)
{
    const Dims *m = &a->m;
    int64_t first = piece_first(m, piece, a->pieces), end = piece_first(m, piece + 1, a->pieces);
    x->sequence = sequence;
    for (int64_t h = 0; h < m->shared; h++) {
        x->head = key_head * m->shared + h;
        x->packed = first;
        if (a->pieces > 1)
            x->dq = piece_dq(a, sequence, x->head, piece);
        for (int64_t i = first; i < end; i++)
            back_block(a, x, i * KEYS, h + 1 == m->shared);
        for (int64_t i = 0; i < m->blocks && a->pieces == 1; i++)
            back_write_queries(a, sequence, x->head, i, x->dq + i * QUERIES * m->cols);
        if (a->pieces > 1 && x->packed < m->blocks)
            memset(x->dq + x->packed * QUERIES * m->cols, 0,
                   (size_t)((m->blocks - x->packed) * QUERIES * m->cols) * sizeof *x->dq);
    }
}

/* Adds up what the pieces have for a block of queries: those whose keys begin no later. */
static void back_join(const Back *a, int64_t sequence, int64_t head, int64_t i)
{
    const Dims *m = &a->m;
    int64_t at = i * QUERIES * m->cols;
    float *dq = piece_dq(a, sequence, head, 0) + at;
    for (int64_t piece = 1; piece < a->pieces && piece_first(m, piece, a->pieces) <= i; piece++) {
        const float *more = piece_dq(a, sequence, head, piece) + at;
        for (int64_t n = 0; n < QUERIES * m->cols; n += LANES)
            vec_store_f32(dq + n, vec_load_f32(dq + n, LANES) + vec_load_f32(more + n, LANES), LANES);
    }
    back_write_queries(a, sequence, head, i, dq);
}

/* A pair's memory from `memory`; returns how much it is.  memory NULL: only that. */
static int64_t pair_take(Pair *x, char *memory, const Dims *m)
{
    const int64_t unit = (int64_t)sizeof(Unit), number = (int64_t)sizeof(float),
                  queries = m->blocks * QUERIES;
    int64_t sums = (m->shared > 1 ? m->key_rows : KEYS) * m->cols;
    const struct {
        void *to;
        int64_t bytes;
    } parts[] = {
        {&x->q_across, queries * m->units * unit},
        {&x->dout_across, queries * m->units * unit},
        {&x->q_down, queries / STEP * m->cols * unit},
        {&x->dout_down, queries / STEP * m->cols * unit},
        {&x->dq, queries * m->cols * number},
        {&x->lse, queries * number},
        {&x->delta, queries * number},
        {&x->start, queries * number},
        {&x->k_rows, KEYS * m->units * unit},
        {&x->v_rows, KEYS * m->units * unit},
        {&x->k_down, KEYS / STEP * m->cols * unit},
        {&x->p_rows, KEYS * QUERIES / STEP * unit},
        {&x->ds_rows, KEYS * QUERIES / STEP * unit},
        {&x->ds_down, KEYS / STEP * QUERIES * unit},
        {&x->dk, sums * number},
        {&x->dv, sums * number},
    };
    int64_t used = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char *p = memory ? memory + used : NULL;
        memcpy(parts[i].to, &p, sizeof p);
        used += lines(parts[i].bytes);
    }
    return used;
}

static void simd_attention_back(Device *dev, Tensor *dq, Tensor *dk, Tensor *dv, const Tensor *dout,
                                const Tensor *out, const Tensor *lse, const Tensor *q, const Tensor *k,
                                const Tensor *v, const Tensor *starts, const AttentionShape *s)
{
    Back a = {.m = dims_of(s, 0),
              .s = s,
              .dq = dq,
              .dk = dk,
              .dv = dv,
              .dout = dout,
              .out = out,
              .lse = lse,
              .q = q,
              .k = k,
              .v = v,
              .starts = starts};
    Pair sizes;
    int64_t each = pair_take(&sizes, NULL, &a.m), block = QUERIES * a.m.cols * (int64_t)sizeof(float);
    a.pieces = piece_count(&a.m, s->B * s->Hk, dev->threads);
    int64_t dq_bytes = a.pieces > 1 ? lines(s->B * s->H * a.pieces * a.m.blocks * block) : 0;
    char *memory = device_scratch(dev, (size_t)(dq_bytes + dev->threads * each));
    if (!memory)
        return;
    a.dq_pieces = take(&memory, dq_bytes);
#pragma omp parallel num_threads(dev->threads)
    {
        Pair x;
        pair_take(&x, memory + omp_get_thread_num() * each, &a.m);
#pragma omp for schedule(dynamic, 1)
        for (int64_t i = 0; i < s->B * s->Hk * a.pieces; i++)
            back_piece(&a, &x, i / a.pieces / s->Hk, i / a.pieces % s->Hk, i % a.pieces);
#pragma omp for schedule(static)
        for (int64_t i = 0; i < s->B * s->H * a.m.blocks * (a.pieces > 1); i++)
            back_join(&a, i / a.m.blocks / s->H, i / a.m.blocks % s->H, i % a.m.blocks);
    }
}

#endif
