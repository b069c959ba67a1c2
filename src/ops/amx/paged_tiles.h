/* Queries take in a page of bf16 in tiles: keys and values lie in a page as a product's right factor.
 * Behind simd/attention_paged.h.
 *
 * Scores are added in pieces of 32 numbers of a key, and values in pieces of 32 positions, as plain_tiles.h
 * says; positions that a query does not see have a probability of 0.  So a query has the same sums with
 * others and alone. */
#ifndef OPS_AMX_PAGED_TILES_H
#define OPS_AMX_PAGED_TILES_H

#include "ops/amx/tiles.h"
#include "ops/simd/attention_paged.h"

_Static_assert((int)BF16_ROWS == (int)QUERY_BLOCK && QUERY_BLOCK % TILE_N == 0,
               "queries of a task are whole tiles");
_Static_assert(KEY_PANELS == 4 && VALUE_VECTORS == 4, "tiles of sums");

static void tasks_begin(void)
{
    tiles_begin(TILE_N, 5, TILE_N);
}

static void tasks_end(void)
{
    tiles_end();
}

static inline void ask_for_lines(const unsigned char *p, int64_t next)
{
    for (int i = 0; i < TILE_N; i++)
        __builtin_prefetch(p + i * next, 0, 2);
}

/* Sixteen words of sixteen keys from word u on; those behind the last one as zeros, in memory of the
 * caller's. */
static inline const unsigned char *piece_of_keys(const Paged *a, const unsigned char *keys, int64_t u,
                                                 unsigned char zeroed[TILE_BYTES])
{
    int64_t left = a->key_units - u;
    if (left >= TILE_N)
        return keys + u * PACKED_VECTOR;
    memset(zeroed, 0, TILE_BYTES);
    memcpy(zeroed, keys + u * PACKED_VECTOR, (size_t)left * PACKED_VECTOR);
    return zeroed;
}

/* scores [16][KV_PAGE] = q k.  Meanwhile the keys of a later page are asked for. */
static inline void tile_scores(float *scores, const Paged *a, const Queries *b, int64_t i,
                               const unsigned char *keys, const unsigned char *later)
{
    _Alignas(64) unsigned char zeroed[TILE_BYTES];
    int64_t next = a->key_units * PACKED_VECTOR;
    TILE_ZERO(0);
    TILE_ZERO(1);
    TILE_ZERO(2);
    TILE_ZERO(3);
    for (int64_t u = 0; u < a->key_units; u += TILE_N) {
        TILE_LOAD(4, b->q + i * a->q_units + u, a->q_units * 4);
#define PANEL(c, w)                                                            \
    if (later != keys)                                                         \
        ask_for_lines(later + c * next + u * PACKED_VECTOR, PACKED_VECTOR);    \
    TILE_LOAD(w, piece_of_keys(a, keys + c * next, u, zeroed), PACKED_VECTOR); \
    TILE_BF16(c, 4, w)
        PANEL(0, 6);
        PANEL(1, 7);
        PANEL(2, 6);
        PANEL(3, 7);
#undef PANEL
    }
    TILE_STORE(scores, KV_PAGE * 4, 0);
    TILE_STORE(scores + TILE_N, KV_PAGE * 4, 1);
    TILE_STORE(scores + 2 * TILE_N, KV_PAGE * 4, 2);
    TILE_STORE(scores + 3 * TILE_N, KV_PAGE * 4, 3);
}

/* sums += p v of V vectors of values, a constant, from vector d on, and the first `pieces` of 32 positions.
 * Meanwhile those of a later page are asked for. */
SIMD_INLINE void tile_values(const Paged *a, Queries *b, int64_t i, const uint32_t *probabilities,
                             const unsigned char *values, const unsigned char *later, int64_t pieces,
                             int64_t d, const int V)
{
    const int64_t line = a->value_vectors * PACKED_VECTOR;
    float *sums = b->sums + (i * a->value_vectors + d) * 16;
#define EACH_VECTOR(X) \
    X(0, 6);           \
    if (V > 1)         \
        X(1, 7);       \
    if (V > 2)         \
        X(2, 6);       \
    if (V > 3)         \
    X(3, 7)
#define TAKE_UP(c, w) TILE_LOAD(c, sums + c * 16, line)
#define PUT_BACK(c, w) TILE_STORE(sums + c * 16, line, c)
#define VECTOR(c, w)                                             \
    do {                                                         \
        if (later != values)                                     \
            ask_for_lines(later + at + c * PACKED_VECTOR, line); \
        TILE_LOAD(w, values + at + c * PACKED_VECTOR, line);     \
        TILE_BF16(c, 4, w);                                      \
    } while (0)
    EACH_VECTOR(TAKE_UP);
    for (int64_t piece = 0; piece < pieces; piece++) {
        int64_t at = piece * TILE_N * line + d * PACKED_VECTOR;
        TILE_LOAD(4, probabilities + piece * TILE_N, KV_PAGE * 4);
        EACH_VECTOR(VECTOR);
    }
    EACH_VECTOR(PUT_BACK);
#undef VECTOR
#undef PUT_BACK
#undef TAKE_UP
#undef EACH_VECTOR
}

/* A thread that has used a tile multiplies half as fast in vectors for some hundred cycles: so there are
 * three steps for all queries, not for one tile after the other. */
static void page_step_bf16(const Paged *a, Queries *b, int64_t first, int64_t rows, int64_t page)
{
    _Alignas(64) float scores[QUERY_BLOCK * KV_PAGE];
    int64_t seen = positions_seen(a, b, first + rows - 1, page);
    if (seen <= 0)
        return;
    int32_t at = b->rows->pages[page], next = seen > KV_PAGE ? b->rows->pages[page + 1] : at;
    const unsigned char *keys = kv_keys(a->kv, at, b->head), *values = kv_values(a->kv, at, b->head);
    for (int64_t i = 0; i < rows; i += TILE_N)
        tile_scores(scores + i * KV_PAGE, a, b, first + i, keys,
                    i == 0 ? kv_keys(a->kv, next, b->head) : keys);
    int64_t sees = positions_seen(a, b, first, page), heads = first % a->shared;
    for (int r = 0; r < rows; r++) {
        Sums score[KEY_PANELS];
        for (int p = 0; p < KEY_PANELS; p++)
            score[p] = sums_load(scores + r * KV_PAGE + p * TILE_N);
        query_step(a, b, first + r, r, score, sees);
        if (++heads == a->shared) { /* the next row's queries */
            heads = 0;
            sees++;
        }
    }
    int64_t pieces = seen > 2 * TILE_N ? 2 : 1;
    for (int64_t i = 0; i < rows; i += TILE_N) {
        const unsigned char *later = i == 0 ? kv_values(a->kv, next, b->head) : values;
        const uint32_t *p = b->p + i * KV_PAGE;
        int64_t d = 0;
        for (; d + VALUE_VECTORS <= a->value_vectors; d += VALUE_VECTORS)
            tile_values(a, b, first + i, p, values, later, pieces, d, VALUE_VECTORS);
        for (; d < a->value_vectors; d++)
            tile_values(a, b, first + i, p, values, later, pieces, d, 1);
    }
}

#endif
