/* Products with plain weights, BF16 and F32: tiles of rows and panels whose sums stay in registers.  For
 * matmul_packed.h. */
#ifndef OPS_SIMD_MATMUL_PLAIN_H
#define OPS_SIMD_MATMUL_PLAIN_H

#include "ops/simd/packed_product.h"

enum {
    PLAIN_UNITS = 128, /* of k in a piece: 4 panels of it are 32 kB */
    WIDE_BYTES = GROUP * PLAIN_UNITS * PACKED_VECTOR
};

/* Rows n .. n + R - 1, panels 0 .. P - 1, `units` of k.  type, R and P are constants.  A panel that is not
 * there is the last one again, whose sums go nowhere. */
SIMD_INLINE void plain_tile(const Place *at, const Pieces *k, const QuantType type, const Panels *w,
                            const uint32_t *x, int64_t units, int64_t n, const int R, const int P)
{
    Sums sum[8][GROUP];
    const unsigned char *from[GROUP];
    const int parts = word_parts(type, WIDENS);
    for (int p = 0; p < P; p++)
        from[p] = w->first + (p < w->count ? p : w->count - 1) * w->next;
    for (int r = 0; r < R; r++)
        for (int p = 0; p < P; p++)
            sum[r][p] = sums_begin(k, r * GROUP + p);
    for (int64_t u = 0; u < units; u++) {
        Words panel[GROUP];
        for (int p = 0; p < P; p++) {
            if (ONE_AHEAD > 0 && R != TILE_ROWS) /* those are in a cache */
                __builtin_prefetch(from[p] + u * PACKED_VECTOR + ONE_AHEAD);
            panel[p] = words_load(from[p] + u * PACKED_VECTOR);
        }
        for (int i = 0; i < parts; i++) {
            Words part[GROUP];
            for (int p = 0; p < P; p++)
                part[p] = word_part(panel[p], parts, i);
            for (int r = 0; r < R; r++)
                for (int p = 0; p < P; p++)
                    sum[r][p] = sums_dot(sum[r][p], part[p], x + r, part_type(type, WIDENS));
            x += R;
        }
    }
    for (int r = 0; r < R; r++)
        for (int p = 0; p < P; p++)
            sums_end(k, r * GROUP + p, at, n + r, p * w->apart, sum[r][p]);
}

_Static_assert((int)ONE_PANELS <= (int)GROUP, "one row's places are panels of one tile");

/* A tile of `rows`, and all of the panels, at most GROUP where k is in pieces. */
SIMD_INLINE void plain_panels(const Place *at, const Pieces *k, const QuantType type, const Panels *w,
                              const uint32_t *x, int64_t units, int64_t n, const int R, const int P)
{
    for (int64_t p = 0; p < w->count; p += P) {
        Place to = place_from(at, p * w->apart);
        Pieces part = {k->kept + p * PACKED_ROWS, k->first, k->last};
        Panels here = {w->first + p * w->next, w->next, w->count - p, w->apart};
        plain_tile(&to, &part, type, &here, x, units, n, R, P);
    }
}

SIMD_INLINE void plain_switch(const Place *at, const Pieces *k, const QuantType type, const Panels *w,
                              const uint32_t *x, int64_t units, int64_t n, int64_t rows)
{
    switch (rows) {
    case 1: plain_panels(at, k, type, w, x, units, n, 1, ONE_PANELS); break;
    case 2: plain_panels(at, k, type, w, x, units, n, 2, FEW_PANELS); break;
    case 4: plain_panels(at, k, type, w, x, units, n, 4, FEW_PANELS); break;
    case TILE_ROWS: plain_panels(at, k, type, w, x, units, n, TILE_ROWS, TILE_PANELS); break;
    case 8: plain_panels(at, k, type, w, x, units, n, FEW_TILE, FEW_PANELS); break;
    default: break;
    }
}

static void plain_bf16(const Place *at, const Pieces *k, const Panels *w, const uint32_t *x, int64_t units,
                       int64_t n, int64_t rows)
{
    plain_switch(at, k, QUANT_BF16, w, x, units, n, rows);
}

static void plain_f32(const Place *at, const Pieces *k, const Panels *w, const uint32_t *x, int64_t units,
                      int64_t n, int64_t rows)
{
    plain_switch(at, k, QUANT_F32, w, x, units, n, rows);
}

static void plain_rows(const Place *at, const Pieces *k, QuantType type, const Panels *w, int64_t unit,
                       int64_t units, int64_t n)
{
    const PackedX *x = &at->p->x;
    int64_t rows = tile_rows(x, n);
    if (type == QUANT_BF16 && WIDENS)
        plain_bf16(at, k, w, tile_at(x->wide, n, wide_words(x)) + 2 * unit * rows, units, n, rows);
    else if (type == QUANT_BF16)
        plain_bf16(at, k, w, tile_at(x->pairs, n, pair_words(x)) + unit * rows, units, n, rows);
    else
        plain_f32(at, k, w, tile_at(x->floats, n, x->x->cols) + unit * rows, units, n, rows);
}

/* Numbers [k, k + count) of the panels as f32, WIDE_BYTES; k is even. */
static void panels_widen(unsigned char *to, const Panels *w, int64_t k, int64_t count)
{
    for (int64_t p = 0; p < w->count; p++) {
        const unsigned char *from = w->first + p * w->next + k / 2 * PACKED_VECTOR;
        unsigned char *at = to + p * PLAIN_UNITS * PACKED_VECTOR;
        for (int64_t i = 0; i < count; i += 2, from += PACKED_VECTOR, at += (size_t)2 * PACKED_VECTOR) {
            Words pairs = words_load(from);
            words_store(at, word_part(pairs, 2, 0));
            words_store(at + PACKED_VECTOR, word_part(pairs, 2, 1));
        }
    }
}

static int64_t units_of(const PackedMatrix *w)
{
    return w->type == QUANT_BF16 ? (w->cols + 1) / 2 : w->cols;
}

/* Few rows: the panels of a tile come from memory, and stay in a cache for the tiles of the other rows. */
static void plain_few(const Place *at, const PackedMatrix *w, const Panels *panels)
{
    const Pieces whole = {NULL, true, true};
    const PackedX *x = &at->p->x;
    int64_t apart = panels_apart(panels, x->x->rows == 1 ? (int)ONE_PANELS : (int)FEW_PANELS);
    for (int64_t p = 0; p < apart; p++) {
        Place to = place_from(at, p);
        Panels here = panels_from(panels, p, apart);
        for (int64_t n = 0; n < at->p->y->rows; n += tile_rows(x, n))
            plain_rows(&to, &whole, w->type, &here, 0, units_of(w), n);
    }
}

/* As plain_task, of bf16 without instructions made for it: weights become f32 once for all rows, as those of
 * x have been.  Products of two bf16 are exact in f32, and k goes in the same order: the sums are those of
 * pairs, bit for bit. */
static void wide_task(const Place *at, const PackedMatrix *w, const Panels *panels, int64_t first,
                      int64_t last, float *kept, unsigned char *wide)
{
    const PackedX *x = &at->p->x;
    for (int64_t u = 0; u < w->cols; u += PLAIN_UNITS) {
        int64_t left = w->cols - u, count = left < PLAIN_UNITS ? left : PLAIN_UNITS;
        Panels part = {wide, (int64_t)PLAIN_UNITS * PACKED_VECTOR, panels->count, 1};
        panels_widen(wide, panels, u, count);
        for (int64_t n = first; n < last; n += tile_rows(x, n)) {
            Pieces k = {kept + (n - first) * GROUP * PACKED_ROWS, u == 0, count == left};
            int64_t rows = tile_rows(x, n);
            plain_f32(at, &k, &part, tile_at(x->wide, n, wide_words(x)) + u * rows, count, n, rows);
        }
    }
}

/* Rows [first, last) of a group of panels. */
static void plain_task(const Place *at, const PackedMatrix *w, const Panels *panels, int64_t first,
                       int64_t last, float *kept)
{
    for (int64_t u = 0; u < units_of(w); u += PLAIN_UNITS) {
        int64_t left = units_of(w) - u, count = left < PLAIN_UNITS ? left : PLAIN_UNITS;
        Panels part = {panels->first + u * PACKED_VECTOR, panels->next, panels->count, 1};
        for (int64_t n = first; n < last; n += tile_rows(&at->p->x, n)) {
            Pieces k = {kept + (n - first) * GROUP * PACKED_ROWS, u == 0, count == left};
            plain_rows(at, &k, w->type, &part, u, count, n);
        }
    }
}

#endif
