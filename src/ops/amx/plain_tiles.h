/* Products with BF16 weights in tiles: sixteen vectors of a panel, which are 32 numbers of sixteen rows, are
 * a factor as they lie.
 *
 * The processor adds a piece of 32 numbers of k to a sum so: the even numbers' products in one chain, the odd
 * ones' in another, then both to the sum; subnormal numbers are 0.  One row and five hundred, a panel alone
 * or two, are added in the same way, and so have the same sums.  For matmul_packed.c. */
#ifndef OPS_AMX_PLAIN_TILES_H
#define OPS_AMX_PLAIN_TILES_H

#include "ops/amx/tiles_product.h"

/* Of few rows so many panels are read at once, and so many bytes asked for ahead. */
enum { FEW_STREAMS = 4, BF16_AHEAD = 512 };

/* Sixteen vectors of a panel for a whole piece of k; those behind the last one as zeros, in memory of the
 * caller's. */
static inline const unsigned char *piece_of_panel(const unsigned char *panel, int64_t piece, int64_t K,
                                                  unsigned char zeroed[TILE_BYTES])
{
    int64_t left = (K + 1) / 2 - piece * TILE_N;
    if (left >= TILE_N)
        return panel + piece * TILE_BYTES;
    memset(zeroed, 0, TILE_BYTES);
    memcpy(zeroed, panel + piece * TILE_BYTES, (size_t)left * TILE_LINE);
    return zeroed;
}

/* Of a tile: rows n .. n + 15 and a panel. */
static inline void put_tile(const Place *at, int64_t n, int64_t panel, const float sums[TILE_N * TILE_N])
{
    for (int64_t r = 0; r < TILE_N && n + r < at->p->y->rows; r++)
        put_sums(at, n + r, panel, sums_load(sums + r * TILE_N));
}

static inline void ask_for_tile(const unsigned char *p)
{
    for (int i = 0; i < TILE_BYTES; i += TILE_LINE)
        __builtin_prefetch(p + i);
}

/* At most sixteen rows, and four panels that lie apart. */
static void bf16_streams(const Place *at, const Panels *w, const unsigned char *x, int64_t K)
{
    _Alignas(64) float sums[TILE_N * TILE_N];
    _Alignas(64) unsigned char zeroed[FEW_STREAMS][TILE_BYTES];
    const unsigned char *panel[FEW_STREAMS];
    for (int p = 0; p < FEW_STREAMS; p++)
        panel[p] = w->first + (p < w->count ? p : w->count - 1) * w->next;
    TILE_ZERO(0);
    TILE_ZERO(1);
    TILE_ZERO(2);
    TILE_ZERO(3);
    for (int64_t i = 0; i < x_pieces(K); i++, x += TILE_BYTES) {
        TILE_LOAD(4, x, TILE_LINE);
#define STREAM(c, b)                                                    \
    ask_for_tile(panel[c] + i * TILE_BYTES + BF16_AHEAD);               \
    TILE_LOAD(b, piece_of_panel(panel[c], i, K, zeroed[c]), TILE_LINE); \
    TILE_BF16(c, 4, b)
        STREAM(0, 5);
        STREAM(1, 6);
        STREAM(2, 7);
        STREAM(3, 5);
#undef STREAM
    }
#define STORE(c)                    \
    TILE_STORE(sums, TILE_LINE, c); \
    if (c < w->count)               \
    put_tile(at, 0, c * w->apart, sums)
    STORE(0);
    STORE(1);
    STORE(2);
    STORE(3);
#undef STORE
}

static void bf16_few(const Place *at, const PackedMatrix *w, const Panels *panels)
{
    const TilesProduct *p = tiles_product(at);
    int64_t apart = (panels->count + FEW_STREAMS - 1) / FEW_STREAMS;
    tiles_begin((int)at->p->y->rows, 4, TILE_N);
    for (int64_t i = 0; i < apart; i++) {
        Place to = {at->p, at->col + i * PACKED_ROWS, at->rows - i * PACKED_ROWS};
        Panels here = {panels->first + i * panels->next, panels->next * apart,
                       (panels->count - i + apart - 1) / apart, apart};
        bf16_streams(&to, &here, p->x.bf16, w->cols);
    }
}

/* Two tiles of rows and two panels, of which the second may not be there; some lines of the next two are
 * asked for. */
static void bf16_square(const Place *at, const Panels *w, const unsigned char *x, int64_t K, int64_t n,
                        const unsigned char *ask, int64_t ask_lines)
{
    _Alignas(64) float sums[TILE_N * TILE_N];
    _Alignas(64) unsigned char zeroed[2][TILE_BYTES];
    const unsigned char *left = w->first, *right = w->first + (w->count > 1 ? w->next : 0);
    const unsigned char *x2 = x + bf16_row_tile(K);
    int64_t pieces = x_pieces(K), asked = 0;
    TILE_ZERO(0);
    TILE_ZERO(1);
    TILE_ZERO(2);
    TILE_ZERO(3);
    for (int64_t i = 0; i < pieces; i++) {
        for (int64_t until = ask_lines * (i + 1) / pieces; asked < until; asked++)
            __builtin_prefetch(ask + asked * TILE_LINE, 0, 2);
        TILE_LOAD(6, piece_of_panel(left, i, K, zeroed[0]), TILE_LINE);
        TILE_LOAD(4, x + i * TILE_BYTES, TILE_LINE);
        TILE_BF16(0, 4, 6);
        TILE_LOAD(7, piece_of_panel(right, i, K, zeroed[1]), TILE_LINE);
        TILE_BF16(1, 4, 7);
        TILE_LOAD(5, x2 + i * TILE_BYTES, TILE_LINE);
        TILE_BF16(2, 5, 6);
        TILE_BF16(3, 5, 7);
    }
    TILE_STORE(sums, TILE_LINE, 0);
    put_tile(at, n, 0, sums);
    TILE_STORE(sums, TILE_LINE, 2);
    put_tile(at, n + TILE_N, 0, sums);
    if (w->count < 2)
        return;
    TILE_STORE(sums, TILE_LINE, 1);
    put_tile(at, n, 1, sums);
    TILE_STORE(sums, TILE_LINE, 3);
    put_tile(at, n + TILE_N, 1, sums);
}

/* Tiles [first, last) of rows, an even number of them, and all of the panels.  While two panels are used by
 * all rows, the next two come. */
static void bf16_task(const Place *at, const PackedMatrix *w, const Panels *panels, int64_t first,
                      int64_t last)
{
    const TilesProduct *p = tiles_product(at);
    size_t row_tile = bf16_row_tile(w->cols);
    tiles_begin(TILE_N, 5, TILE_N);
    for (int64_t i = 0; i < panels->count; i += 2) {
        Place to = {at->p, at->col + i * PACKED_ROWS, at->rows - i * PACKED_ROWS};
        Panels here = {panels->first + i * panels->next, panels->next, panels->count - i, 1};
        int64_t lines = 2 * panels->next / TILE_LINE, steps = (last - first) / 2;
        for (int64_t t = first; t < last; t += 2) {
            int64_t step = (t - first) / 2, from = lines * step / steps;
            bf16_square(&to, &here, p->x.bf16 + (size_t)t * row_tile, w->cols, t * TILE_N,
                        here.first + 2 * panels->next + from * TILE_LINE,
                        i + 2 < panels->count ? lines * (step + 1) / steps - from : 0);
        }
    }
}

#endif
