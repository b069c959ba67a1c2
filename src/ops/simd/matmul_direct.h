/* Products of a few rows with quantised weights: blocks are taken apart as they come from memory, and
 * multiplied by dot products of bytes.  For matmul_packed.h, which says what the constants are. */
#ifndef OPS_SIMD_MATMUL_DIRECT_H
#define OPS_SIMD_MATMUL_DIRECT_H

#include "ops/simd/packed_blocks.h"
#include "ops/simd/packed_product.h"

enum {
    AHEAD = 2048, /* bytes to ask ahead */
    MOST_PANELS = (int)ONE_PANELS > (int)DIRECT_PANELS ? (int)ONE_PANELS : (int)DIRECT_PANELS
};

/* Of a tile of R rows: lines of a block, and those that hold what sums begin with. */
typedef struct {
    const uint32_t *x;
    int64_t lines, begin, min;
} XBlocks;

static inline XBlocks x_blocks(const PackedX *p, QuantType t, int64_t first, int64_t block)
{
    int64_t begin = t == QUANT_Q8_0 && !NARROW           ? p->full
                    : t == QUANT_Q8_0 || t == QUANT_Q4_0 ? p->nibble
                                                         : p->halves;
    return (XBlocks){tile_at(p->dots, first, dot_words(p)) + block * p->lines * tile_rows(p, first), p->lines,
                     begin, p->min};
}

/* What sums of row r begin with: half 1 where there are halves, part 0 or 1 of words in two parts. */
SIMD_INLINE Words dots_begin(const XBlocks *x, const QuantType t, const int R, int r, const int half,
                             const int part)
{
    bool zero = has_min(t) || part < parts_of_word(t) - 1;
    return zero ? words_all(0) : words_all(x->x[(x->begin + half) * R + r]);
}

SIMD_INLINE float x_float(const XBlocks *x, int64_t line, const int R, int r)
{
    float f;
    memcpy(&f, &x->x[line * R + r], sizeof f);
    return f;
}

/* sum + the whole sums times both scales: a link of the chain that ref_add_dot states.  min_end is the one
 * behind it. */
SIMD_INLINE Sums dots_end(Sums sum, const XBlocks *x, Words dots, Sums scale, const int R, int r)
{
    return sums_fma(sums_of_words(dots), sums_times(scale, sums_all(x_float(x, X_SCALE, R, r))), sum);
}

/* sum - the minimum times the sum of x */
SIMD_INLINE Sums min_end(Sums sum, const XBlocks *x, Sums min, const int R, int r)
{
    return sums_fnma(min, sums_all(x_float(x, x->min, R, r)), sum);
}

/* Asks for the words of a later block, as many as sub-block j of a half takes.  One or two rows are bound by
 * memory, which is read fastest where nobody asks, or where ONE_AHEAD says; more are bound by arithmetic, and
 * wait if nobody does.  Of Q8_0 so much comes that the first cache cannot take it early. */
SIMD_INLINE void ask_ahead(const QuantType t, const FileBlock *b, int half, const int j, const int R)
{
    const int words = words_of_block(t), sub = sub_blocks(t);
    for (int i = j * words / sub; i < (j + 1) * words / sub; i++) {
        const unsigned char *at = b->words + (half * words / 2 + i) * PACKED_VECTOR;
        if (R <= 2)
            __builtin_prefetch(at + ONE_AHEAD);
        else if (t == QUANT_Q8_0)
            __builtin_prefetch(at + AHEAD, 0, 2);
        else
            __builtin_prefetch(at + AHEAD);
    }
}

/* Panels 0 .. P - 1 for rows n .. n + R - 1, their blocks taken apart as they come.  A panel that is not
 * there is the last one again, whose sums go nowhere. */
SIMD_INLINE void direct_tile(const Place *at, const QuantType t, const Panels *w, XBlocks x, int64_t blocks,
                             int64_t n, const int R, const int P)
{
    Sums sum[8][MOST_PANELS];
    const unsigned char *panel[MOST_PANELS];
    for (int p = 0; p < P; p++)
        panel[p] = w->first + (p < w->count ? p : w->count - 1) * w->next;
    for (int r = 0; r < R; r++)
        for (int p = 0; p < P; p++)
            sum[r][p] = sums_all(0);
    for (int64_t i = 0; i < blocks / sub_blocks(t); i++) {
        FileBlock b[MOST_PANELS];
        for (int p = 0; p < P; p++)
            file_block_open(&b[p], t, panel[p], i);
        for (int half = 0; half < halves_of(t); half++) {
#pragma GCC unroll 4
            for (int j = 0; j < blocks_of_half(t); j++) {
                const int parts = has_halves(t) ? 2 : 1, words = BLOCK_WORDS / parts, a_sum = words_a_sum(t);
                Sums scale[MOST_PANELS][2], min[MOST_PANELS];
                compiler_fence();
                for (int p = 0; p < P && (R > 2 || ONE_AHEAD > 0); p++)
                    ask_ahead(t, &b[p], half, j, R);
#pragma GCC unroll 2
                for (int h = 0; h < parts; h++) {
                    Words dots[8][MOST_PANELS];
                    for (int r = 0; r < R; r++)
                        for (int p = 0; p < P; p++)
                            dots[r][p] = words_all(0);
#pragma GCC unroll 4
                    for (int s = 0; s < parts_of_word(t) * words / a_sum; s++) {
                        const int part = s * a_sum / words, first = h * words + s * a_sum % words;
                        compiler_fence();
                        Words sums[8][MOST_PANELS];
                        for (int r = 0; r < R; r++)
                            for (int p = 0; p < P; p++)
                                sums[r][p] = dots_begin(&x, t, R, r, h, part);
#pragma GCC unroll 8
                        for (int k = first; k < first + a_sum; k++) {
                            Words q[MOST_PANELS];
                            for (int p = 0; p < P; p++)
                                q[p] = bits_of_word(block_word(t, &b[p], half, j, k), parts_of_word(t), part);
                            for (int r = 0; r < R; r++)
                                for (int p = 0; p < P; p++)
                                    sums[r][p] = words_dot(sums[r][p], q[p], x.x + k * R + r);
                        }
                        for (int r = 0; r < R; r++)
                            for (int p = 0; p < P; p++)
                                dots[r][p] = words_dot_end(dots[r][p], sums[r][p], part ? 16 : 1);
                    }
                    compiler_fence();
                    for (int p = 0; p < P; p++)
                        block_scales(scale[p], &min[p], t, &b[p], half, j);
                    for (int r = 0; r < R; r++)
                        for (int p = 0; p < P; p++)
                            sum[r][p] = dots_end(sum[r][p], &x, dots[r][p], scale[p][h], R, r);
                }
                for (int r = 0; r < R && has_min(t); r++)
                    for (int p = 0; p < P; p++)
                        sum[r][p] = min_end(sum[r][p], &x, min[p], R, r);
                x.x += x.lines * R;
            }
        }
    }
    for (int r = 0; r < R; r++)
        for (int p = 0; p < P; p++)
            put_sums(at, n + r, p * w->apart, sum[r][p]);
}

/* A tile of rows, and all of the panels. */
SIMD_INLINE void direct_panels(const Place *at, const QuantType t, const Panels *w, XBlocks x, int64_t blocks,
                               int64_t n, const int R, const int P)
{
    for (int64_t p = 0; p < w->count; p += P) {
        Place to = place_from(at, p * w->apart);
        Panels here = {w->first + p * w->next, w->next, w->count - p, w->apart};
        direct_tile(&to, t, &here, x, blocks, n, R, P);
    }
}

SIMD_INLINE void direct_switch(const Place *at, const QuantType t, const Panels *w, XBlocks x, int64_t blocks,
                               int64_t n, int64_t rows)
{
    switch (rows) {
    case 1: direct_panels(at, t, w, x, blocks, n, 1, ONE_PANELS); break;
    case 2: direct_panels(at, t, w, x, blocks, n, 2, DIRECT_PANELS); break;
    case 4: direct_panels(at, t, w, x, blocks, n, 4, DIRECT_PANELS); break;
    case 8: direct_panels(at, t, w, x, blocks, n, FEW_TILE, DIRECT_PANELS); break;
    default: break;
    }
}

/* One function a type, so that each is compiled once. */
#define QUANTISED_TYPES(X) \
    X(QUANT_Q8_0, q8_0) X(QUANT_Q4_0, q4_0) X(QUANT_Q4_K, q4_k) X(QUANT_Q5_K, q5_k) X(QUANT_Q6_K, q6_k)
#define DIRECT_FUNCTION(TYPE, name)                                                                   \
    static void direct_##name(const Place *at, const Panels *w, XBlocks x, int64_t blocks, int64_t n, \
                              int64_t rows)                                                           \
    {                                                                                                 \
        direct_switch(at, TYPE, w, x, blocks, n, rows);                                               \
    }
QUANTISED_TYPES(DIRECT_FUNCTION)

typedef void DirectKernel(const Place *, const Panels *, XBlocks, int64_t, int64_t, int64_t);
static DirectKernel *const direct_kernels[QUANT_TYPES] = {
#define DIRECT_ENTRY(TYPE, name) [TYPE] = direct_##name,
    QUANTISED_TYPES(DIRECT_ENTRY)};

/* Few rows: the panels of a tile come from memory, and stay in a cache for the tiles of the other rows. */
static void dots_few(const Place *at, const PackedMatrix *w, const Panels *panels)
{
    const PackedX *x = &at->p->x;
    int64_t apart = panels_apart(panels, x->x->rows == 1 ? (int)ONE_PANELS : (int)DIRECT_PANELS);
    for (int64_t p = 0; p < apart; p++) {
        Place to = place_from(at, p);
        Panels here = panels_from(panels, p, apart);
        for (int64_t n = 0; n < at->p->y->rows; n += tile_rows(x, n))
            direct_kernels[w->type](&to, &here, x_blocks(x, w->type, n, 0), w->cols / DOT_BLOCK, n,
                                    tile_rows(x, n));
    }
}

#endif
