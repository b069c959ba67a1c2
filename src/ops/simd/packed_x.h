/* x as products with packed weights take it: rounded, and in tiles of a few rows, words of the rows side by
 * side, so that a product reads one address after the other.  Behind the whole tiles come smaller ones, of 4,
 * 2 or 1 rows.
 *
 *   bf16   [pair of numbers][row]           0 behind an odd last one
 *   f32    [number][row]
 *   wide   [number][row]                    bf16 as f32; 0 behind an odd last one
 *   i8     [block of 32][line][row]         lines: eight words of four numbers, the scale in f32, and what
 *                                           the types need:
 *          full     -128 sum
 *          nibble   -8 sum
 *          halves   -32 sum of the first 16, -32 sum of the last
 *          min      scale * sum, in f32
 *
 * A weight that is stored as q + zero gives a dot product that is too great by zero * sum(x): the products
 * start there.  Where they are NARROW, a line's lower 16 bits are of the first two numbers of each word, its
 * upper ones of the others; and of Q8_0's two parts the upper one starts at -8 sum, which needs no `full`. */
#ifndef OPS_SIMD_PACKED_X_H
#define OPS_SIMD_PACKED_X_H

#include <float.h>

#include "ops/simd/packed_lanes.h"

enum { X_SCALE = 8, X_LINES = 9 }; /* lines of a block that all types need */

typedef struct {
    const Tensor *x;
    int64_t tile;                           /* rows of a whole tile */
    bool widens;                            /* matrices of bf16 need `wide` instead of pairs */
    uint32_t *pairs, *floats, *wide, *dots; /* NULL: no matrix needs them */
    int64_t lines;                          /* of a block */
    int64_t full, nibble, halves, min;      /* which line; 0: no matrix needs it */
} PackedX;

/* Which forms a product needs. */
static inline void packed_x_plan(PackedX *p, const PackedMatrix *w, int count)
{
    bool needs[QUANT_TYPES] = {false};
    for (int i = 0; i < count; i++)
        needs[w[i].type] = true;
    p->lines = X_LINES;
    if (needs[QUANT_Q8_0] && !NARROW)
        p->full = p->lines++;
    if (needs[QUANT_Q4_0] || (needs[QUANT_Q8_0] && NARROW))
        p->nibble = p->lines++;
    if (needs[QUANT_Q6_K]) {
        p->halves = p->lines;
        p->lines += 2;
    }
    if (needs[QUANT_Q4_K] || needs[QUANT_Q5_K])
        p->min = p->lines++;
}

static inline bool packed_needs(const PackedMatrix *w, int count, QuantType plain, bool quantised)
{
    for (int i = 0; i < count; i++)
        if (quantised ? packed_form(w[i].type) != NULL : w[i].type == plain)
            return true;
    return false;
}

static inline int64_t pair_words(const PackedX *p)
{
    return (p->x->cols + 1) / 2;
}

static inline int64_t wide_words(const PackedX *p)
{
    return 2 * pair_words(p);
}

/* Words that the forms take, of all rows; `memory` NULL: only counts them. */
static inline int64_t packed_x_place(PackedX *p, const PackedMatrix *w, int count, uint32_t *memory)
{
    int64_t N = p->x->rows, K = p->x->cols, at = 0;
    packed_x_plan(p, w, count);
    p->pairs = p->floats = p->wide = p->dots = NULL;
    if (packed_needs(w, count, QUANT_BF16, false)) {
        *(p->widens ? &p->wide : &p->pairs) = memory ? memory + at : NULL;
        at += packed_round_up(N * (p->widens ? wide_words(p) : pair_words(p)), 16);
    }
    if (packed_needs(w, count, QUANT_F32, false)) {
        p->floats = memory ? memory + at : NULL;
        at += packed_round_up(N * K, 16);
    }
    if (packed_needs(w, count, QUANT_F32, true)) {
        p->dots = memory ? memory + at : NULL;
        at += packed_round_up(N * (K / DOT_BLOCK) * p->lines, 16);
    }
    return at;
}

static inline uint32_t word_of_float(float f)
{
    uint32_t w;
    memcpy(&w, &f, sizeof w);
    return w;
}

/* Numbers `of` of one row, `rows` of them to its tile: so far apart are its words. */
static inline void x_round_pairs(uint32_t *to, int64_t rows, const Tensor *x, int64_t n, SimdShare of)
{
    uint16_t part[2 * LANES];
    for (int64_t k = of.first; k < of.last; k += 2 * LANES) {
        memset(part, 0, sizeof part);
        for (int i = 0; i < 2 && k + i * LANES < x->cols; i++) {
            int lanes = simd_lanes(k + i * LANES, x->cols);
            vec_store_bf16(part + i * LANES, simd_load(simd_row(x, n), x->dtype, k + i * LANES, lanes),
                           lanes);
        }
        for (int64_t i = 0; i < LANES && k + 2 * i < x->cols; i++)
            memcpy(&to[(k / 2 + i) * rows], part + 2 * i, sizeof *to);
    }
}

/* Rounded to bf16 where `wide`. */
static inline void x_round_floats(uint32_t *to, int64_t rows, const Tensor *x, int64_t n, SimdShare of,
                                  bool wide)
{
    float part[LANES];
    for (int64_t k = of.first; k < of.last; k += LANES) {
        int lanes = simd_lanes(k, x->cols);
        Vec numbers = simd_load(simd_row(x, n), x->dtype, k, lanes);
        vec_store_f32(part, wide ? vec_rounded(numbers) : numbers, lanes);
        for (int i = 0; i < lanes; i++)
            to[(k + i) * rows] = word_of_float(part[i]);
    }
    if (wide && of.last == x->cols && x->cols % 2)
        to[x->cols * rows] = 0;
}

/* What products with n numbers of x start with, where weights are stored as q + zero. */
SIMD_INLINE uint32_t x_start(const int8_t *q, const int n, int sum, const int zero)
{
    int first = 0;
    for (int i = 0; i < n && NARROW; i += 4)
        first += q[i] + q[i + 1];
    return NARROW ? (uint16_t)(-zero * first) | (uint32_t)(-zero * (sum - first)) << 16
                  : (uint32_t)(-zero * sum);
}

/* As ref_round_block in ops/ref/dot_block.h, bit for bit. */
SIMD_INLINE void x_round_block(const PackedX *p, uint32_t *to, int64_t rows, const void *row,
                               const DType type, int64_t k)
{
    Vec x[DOT_BLOCK / LANES];
    float top = 0;
    for (int i = 0; i < DOT_BLOCK / LANES; i++)
        x[i] = simd_load(row, type, k + i * LANES, LANES);
    for (int i = 0; i < DOT_BLOCK / LANES; i += 2) {
        float here = vec_greatest(x[i], x[i + 1]);
        top = here > top || here != here ? here : top;
    }
    float d = top / 127.0f;
    bool normal = d >= FLT_MIN && d <= FLT_MAX;
    float inverse = normal ? 1.0f / d : 0;
    int8_t q[DOT_BLOCK] = {0};
    int sums[2] = {0};
    for (int i = 0; i < DOT_BLOCK / LANES && normal; i++)
        sums[i * 2 * LANES / DOT_BLOCK] += vec_round_i8(q + i * LANES, x[i] * vec_all(inverse));
    for (int64_t i = 0; i < 8; i++)
        memcpy(&to[i * rows], q + 4 * i, sizeof *to);
    int sum = sums[0] + sums[1];
    to[X_SCALE * rows] = word_of_float(d);
    if (p->full)
        to[p->full * rows] = (uint32_t)(-128 * sum);
    if (p->nibble)
        to[p->nibble * rows] = x_start(q, DOT_BLOCK, sum, 8);
    if (p->halves) {
        to[p->halves * rows] = x_start(q, DOT_BLOCK / 2, sums[0], 32);
        to[(p->halves + 1) * rows] = x_start(q + 16, DOT_BLOCK / 2, sums[1], 32);
    }
    if (p->min)
        to[p->min * rows] = word_of_float(d * (float)sum);
}

static inline void x_round_dots(const PackedX *p, uint32_t *to, int64_t rows, int64_t n, SimdShare of)
{
    const void *row = simd_row(p->x, n);
    if (p->x->dtype == DTYPE_BF16)
        for (int64_t k = of.first; k < of.last; k += DOT_BLOCK)
            x_round_block(p, to + k / DOT_BLOCK * p->lines * rows, rows, row, DTYPE_BF16, k);
    else
        for (int64_t k = of.first; k < of.last; k += DOT_BLOCK)
            x_round_block(p, to + k / DOT_BLOCK * p->lines * rows, rows, row, DTYPE_F32, k);
}

/* Rows of the tile that begins at row `first`. */
static inline int64_t tile_rows(const PackedX *p, int64_t first)
{
    int64_t left = p->x->rows - first;
    return left >= p->tile ? p->tile : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/* The first row of the tile that row n is in. */
static inline int64_t tile_of(const PackedX *p, int64_t n)
{
    int64_t first = n / p->tile * p->tile;
    while (first + tile_rows(p, first) <= n)
        first += tile_rows(p, first);
    return first;
}

/* Where the tile that begins at row `first` is, and its word of a unit: words of a row before it times rows
 * before it. */
static inline uint32_t *tile_at(uint32_t *form, int64_t first, int64_t row_words)
{
    return form + first * row_words;
}

static inline int64_t dot_words(const PackedX *p)
{
    return p->x->cols / DOT_BLOCK * p->lines;
}

static inline SimdShare x_all_numbers(const PackedX *p)
{
    return (SimdShare){0, p->x->cols};
}

/* A thread's part of the numbers of each row. */
static inline SimdShare x_share_of_numbers(const PackedX *p)
{
    return simd_share(p->x->cols, DOT_BLOCK);
}

/* Numbers `of` of some rows.  Many rows are shared among the threads; of few rows, whose words lie side by
 * side in one line of a cache, each thread takes a part of the numbers, so that no two write to one line. */
static inline void packed_x_round(const PackedX *p, SimdShare some, SimdShare of)
{
    for (int64_t n = some.first; n < some.last; n++) {
        int64_t tile = tile_of(p, n), rows = tile_rows(p, tile), r = n - tile;
        if (p->pairs)
            x_round_pairs(tile_at(p->pairs, tile, pair_words(p)) + r, rows, p->x, n, of);
        if (p->floats)
            x_round_floats(tile_at(p->floats, tile, p->x->cols) + r, rows, p->x, n, of, false);
        if (p->wide)
            x_round_floats(tile_at(p->wide, tile, wide_words(p)) + r, rows, p->x, n, of, true);
        if (p->dots)
            x_round_dots(p, tile_at(p->dots, tile, dot_words(p)) + r, rows, n, of);
    }
}

#endif
