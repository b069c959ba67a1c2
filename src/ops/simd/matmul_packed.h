/* Products with packed weights, for the matmul_packed.c of an instruction set.  Before this header come
 * vec.h, the folder's packed_dots.h, and
 *
 *   FEW_TILE, FEW_PANELS     rows and panels at once, of which the sums stay in registers, while rows are few
 *   TILE_ROWS, TILE_PANELS   the same of plain weights when there are more
 *   DOT_ROWS, DOT_PANELS     and of quantised ones
 *   PACKED(name)             the public name: avx2_matmul_packed for matmul_packed
 *
 * Each sum is one chain over k, in its order, whatever the tile, the pieces in which k is walked, and the
 * threads: sums of a piece of k are stored in f32 and taken up again.
 *
 * Few rows are bound by reading: every thread walks through its own panels, several at once where the chain
 * would make it wait, and asks for what comes later.  Many rows are bound by arithmetic: a piece of a few
 * panels goes into the first cache, quantised ones taken apart, and is used by all rows. */
#ifndef OPS_SIMD_MATMUL_PACKED_H
#define OPS_SIMD_MATMUL_PACKED_H

#include "ops/simd/packed_blocks.h"
#include "ops/simd/packed_x.h"

enum {
    FEW_PLAIN = 24,     /* rows are computed as weights come; more, from a piece of them in the first cache */
    FEW_DOTS = 64,      /* the same, where weights are to be taken apart */
    GROUP = 4,          /* panels of a task of many rows */
    PLAIN_UNITS = 128,  /* of k in a piece: 4 panels of it are 32 kB */
    DOT_BLOCKS = 16,    /* the same, of quantised weights: 4 panels are 37 kB */
    ROWS_AT_ONCE = 504, /* whose sums are kept between pieces: 126 kB; whole tiles */
    RECORD =
        (BLOCK_WORDS + 2) * PACKED_VECTOR, /* a block taken apart: words, scale, second scale or minimum */
    AHEAD = 2048                           /* bytes to ask ahead */
};

_Static_assert((int)TILE_ROWS == (int)DOT_ROWS, "matrices of both kinds share the tiles of x");

typedef struct {
    PackedX x;
    const Tensor *y;
    const PackedMatrix *w;
    int count;
    bool add_to;
} Product;

/* Where 16 outputs of a matrix go. */
typedef struct {
    const Product *p;
    int64_t col,
        rows; /* of y, and how many there are from this panel on: of the matrix, or of this thread's share */
} Place;

SIMD_INLINE void put_sums(const Place *at, int64_t n, int64_t panel, Sums s)
{
    int64_t left = at->rows - panel * PACKED_ROWS;
    if (left >= PACKED_ROWS)
        sums_put(at->p->y, n, at->col + panel * PACKED_ROWS, s, PACKED_ROWS, at->p->add_to);
    else if (left > 0)
        sums_put(at->p->y, n, at->col + panel * PACKED_ROWS, s, left, at->p->add_to);
}

/* Sums of one tile between pieces of k: [row][panel][16]. */
typedef struct {
    float *kept; /* of the tile's first row; NULL: there is one piece */
    bool first, last;
} Pieces;

SIMD_INLINE Sums sums_begin(const Pieces *k, int64_t i)
{
    return k->first ? sums_all(0) : sums_load(k->kept + i * PACKED_ROWS);
}

SIMD_INLINE void sums_end(const Pieces *k, int64_t i, const Place *at, int64_t n, int64_t panel, Sums s)
{
    if (k->last)
        put_sums(at, n, panel, s);
    else
        sums_store(k->kept + i * PACKED_ROWS, s);
}

/* Plain weights ------------------------------------------------------------------------------------------ */

/* Panels that lie `next` bytes apart, and how many there are from the first one on. */
typedef struct {
    const unsigned char *first;
    int64_t next, count;
} Panels;

/* Rows n .. n + R - 1, panels 0 .. P - 1, `units` of k.  type, R and P are constants.  A panel that is not
 * there is the last one again, whose sums go nowhere. */
SIMD_INLINE void plain_tile(const Place *at, const Pieces *k, const QuantType type, const Panels *w,
                            const uint32_t *x, int64_t units, int64_t n, const int R, const int P)
{
    Sums sum[8][GROUP];
    const unsigned char *from[GROUP];
    for (int p = 0; p < P; p++)
        from[p] = w->first + (p < w->count ? p : w->count - 1) * w->next;
    for (int r = 0; r < R; r++)
        for (int p = 0; p < P; p++)
            sum[r][p] = sums_begin(k, r * GROUP + p);
    for (int64_t u = 0; u < units; u++) {
        Words panel[GROUP];
        for (int p = 0; p < P; p++)
            panel[p] = words_load(from[p] + u * PACKED_VECTOR);
        for (int r = 0; r < R; r++)
            for (int p = 0; p < P; p++)
                sum[r][p] = sums_dot(sum[r][p], panel[p], x + r, type);
        x += R;
    }
    for (int r = 0; r < R; r++)
        for (int p = 0; p < P; p++)
            sums_end(k, r * GROUP + p, at, n + r, p, sum[r][p]);
}

/* A tile of `rows`, and all of the panels, at most GROUP where k is in pieces. */
SIMD_INLINE void plain_panels(const Place *at, const Pieces *k, const QuantType type, const Panels *w,
                              const uint32_t *x, int64_t units, int64_t n, const int R, const int P)
{
    for (int64_t p = 0; p < w->count; p += P) {
        Place to = {at->p, at->col + p * PACKED_ROWS, at->rows - p * PACKED_ROWS};
        Pieces part = {k->kept + p * PACKED_ROWS, k->first, k->last};
        Panels here = {w->first + p * w->next, w->next, w->count - p};
        plain_tile(&to, &part, type, &here, x, units, n, R, P);
    }
}

SIMD_INLINE void plain_switch(const Place *at, const Pieces *k, const QuantType type, const Panels *w,
                              const uint32_t *x, int64_t units, int64_t n, int64_t rows)
{
    switch (rows) {
    case 1: plain_panels(at, k, type, w, x, units, n, 1, 1); break;
    case 2: plain_panels(at, k, type, w, x, units, n, 2, TILE_PANELS); break;
    case 4: plain_panels(at, k, type, w, x, units, n, 4, TILE_ROWS < 4 ? 1 : TILE_PANELS); break;
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
    if (type == QUANT_BF16)
        plain_bf16(at, k, w, tile_at(x->pairs, n, pair_words(x)) + unit * rows, units, n, rows);
    else
        plain_f32(at, k, w, tile_at(x->floats, n, x->x->cols) + unit * rows, units, n, rows);
}

static int64_t units_of(const PackedMatrix *w)
{
    return w->type == QUANT_BF16 ? (w->cols + 1) / 2 : w->cols;
}

/* Few rows: so many panels as one tile of one row takes come from memory, and stay in a cache for the other
 * tiles. */
static void plain_few(const Place *at, const PackedMatrix *w, const Panels *panels)
{
    const Pieces whole = {NULL, true, true};
    for (int64_t p = 0; p < panels->count; p += GROUP) {
        int64_t left = panels->count - p;
        Panels here = {panels->first + p * panels->next, panels->next, left < GROUP ? left : GROUP};
        Place to = {at->p, at->col + p * PACKED_ROWS, at->rows - p * PACKED_ROWS};
        for (int64_t n = 0; n < at->p->y->rows; n += tile_rows(&at->p->x, n))
            plain_rows(&to, &whole, w->type, &here, 0, units_of(w), n);
    }
}

/* Rows [first, last) of a group of panels. */
static void plain_task(const Place *at, const PackedMatrix *w, const Panels *panels, int64_t first,
                       int64_t last, float *kept)
{
    for (int64_t u = 0; u < units_of(w); u += PLAIN_UNITS) {
        int64_t left = units_of(w) - u, count = left < PLAIN_UNITS ? left : PLAIN_UNITS;
        Panels part = {panels->first + u * PACKED_VECTOR, panels->next, panels->count};
        for (int64_t n = first; n < last; n += tile_rows(&at->p->x, n)) {
            Pieces k = {kept + (n - first) * GROUP * PACKED_ROWS, u == 0, count == left};
            plain_rows(at, &k, w->type, &part, u, count, n);
        }
    }
}

/* Quantised weights -------------------------------------------------------------------------------------- */

/* Of a tile of R rows: lines of a block, and those that hold what sums begin with. */
typedef struct {
    const uint32_t *x;
    int64_t lines, begin, min;
} XBlocks;

static inline XBlocks x_blocks(const PackedX *p, QuantType t, int64_t first, int64_t block)
{
    int64_t begin = t == QUANT_Q8_0 ? p->full : t == QUANT_Q4_0 ? p->nibble : p->halves;
    return (XBlocks){tile_at(p->dots, first, dot_words(p)) + block * p->lines * tile_rows(p, first), p->lines,
                     begin, p->min};
}

/* What the whole sums of row r begin with: half 1 where there are halves. */
SIMD_INLINE Words dots_begin(const XBlocks *x, const QuantType t, const int R, int r, const int half)
{
    return has_min(t) ? words_all(0) : words_all(x->x[(x->begin + half) * R + r]);
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
 * memory, which is read fastest where nobody asks; more are bound by arithmetic, and wait if nobody does.  Of
 * Q8_0 so much comes that the first cache cannot take it early. */
SIMD_INLINE void ask_ahead(const QuantType t, const FileBlock *b, int half, const int j)
{
    const int words = words_of_block(t), sub = sub_blocks(t);
    for (int i = j * words / sub; i < (j + 1) * words / sub; i++) {
        const unsigned char *at = b->words + (half * words / 2 + i) * PACKED_VECTOR;
        if (t == QUANT_Q8_0)
            __builtin_prefetch(at + AHEAD / 2, 0, 2);
        else
            __builtin_prefetch(at + AHEAD);
    }
}

/* Panels 0 .. P - 1 for rows n .. n + R - 1, their blocks taken apart as they come.  A panel that is not
 * there is the last one again, whose sums go nowhere. */
SIMD_INLINE void direct_tile(const Place *at, const QuantType t, const Panels *w, XBlocks x, int64_t blocks,
                             int64_t n, const int R, const int P)
{
    Sums sum[8][DIRECT_PANELS];
    const unsigned char *panel[DIRECT_PANELS];
    for (int p = 0; p < P; p++)
        panel[p] = w->first + (p < w->count ? p : w->count - 1) * w->next;
    for (int r = 0; r < R; r++)
        for (int p = 0; p < P; p++)
            sum[r][p] = sums_all(0);
    for (int64_t i = 0; i < blocks / sub_blocks(t); i++) {
        FileBlock b[DIRECT_PANELS];
        for (int p = 0; p < P; p++)
            file_block_open(&b[p], t, panel[p], i);
        for (int half = 0; half < halves_of(t); half++) {
#pragma GCC unroll 4
            for (int j = 0; j < blocks_of_half(t); j++) {
                const int parts = has_halves(t) ? 2 : 1, words = BLOCK_WORDS / parts;
                Sums scale[DIRECT_PANELS][2], min[DIRECT_PANELS];
                for (int p = 0; p < P; p++) {
                    if (R > 2)
                        ask_ahead(t, &b[p], half, j);
                    block_scales(scale[p], &min[p], t, &b[p], half, j);
                }
#pragma GCC unroll 2
                for (int h = 0; h < parts; h++) {
                    Words dots[8][DIRECT_PANELS];
                    for (int r = 0; r < R; r++)
                        for (int p = 0; p < P; p++)
                            dots[r][p] = dots_begin(&x, t, R, r, h);
#pragma GCC unroll 8
                    for (int k = h * words; k < (h + 1) * words; k++) {
                        Words q[DIRECT_PANELS];
                        for (int p = 0; p < P; p++)
                            q[p] = block_word(t, &b[p], half, j, k);
                        for (int r = 0; r < R; r++)
                            for (int p = 0; p < P; p++)
                                dots[r][p] = words_dot(dots[r][p], q[p], x.x + k * R + r, t == QUANT_Q8_0);
                    }
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
            put_sums(at, n + r, p, sum[r][p]);
}

/* A tile of rows, and all of the panels. */
SIMD_INLINE void direct_panels(const Place *at, const QuantType t, const Panels *w, XBlocks x, int64_t blocks,
                               int64_t n, const int R, const int P)
{
    for (int64_t p = 0; p < w->count; p += P) {
        Place to = {at->p, at->col + p * PACKED_ROWS, at->rows - p * PACKED_ROWS};
        Panels here = {w->first + p * w->next, w->next, w->count - p};
        direct_tile(&to, t, &here, x, blocks, n, R, P);
    }
}

SIMD_INLINE void direct_switch(const Place *at, const QuantType t, const Panels *w, XBlocks x, int64_t blocks,
                               int64_t n, int64_t rows)
{
    switch (rows) {
    case 1: direct_panels(at, t, w, x, blocks, n, 1, 1); break;
    case 2: direct_panels(at, t, w, x, blocks, n, 2, DIRECT_PANELS); break;
    case 4: direct_panels(at, t, w, x, blocks, n, 4, DIRECT_PANELS); break;
    case 8: direct_panels(at, t, w, x, blocks, n, FEW_TILE, DIRECT_PANELS); break;
    default: break;
    }
}

/* Blocks [first, first + count) of a panel, taken apart. */
SIMD_INLINE void take_apart(unsigned char *to, const QuantType t, const unsigned char *panel, int64_t first,
                            int64_t count)
{
    for (int64_t i = first / sub_blocks(t); i < (first + count) / sub_blocks(t); i++) {
        FileBlock b;
        file_block_open(&b, t, panel, i);
        for (int half = 0; half < halves_of(t); half++) {
#pragma GCC unroll 4
            for (int j = 0; j < blocks_of_half(t); j++) {
                float *scales = (float *)(void *)(to + BLOCK_WORDS * PACKED_VECTOR);
                Sums scale[2], min = sums_all(0);
                for (int k = 0; k < BLOCK_WORDS; k++)
                    words_store(to + k * PACKED_VECTOR, block_word(t, &b, half, j, k));
                block_scales(scale, &min, t, &b, half, j);
                sums_store(scales, scale[0]);
                if (has_halves(t) || has_min(t))
                    sums_store(scales + PACKED_ROWS, has_min(t) ? min : scale[1]);
                to += RECORD;
            }
        }
    }
}

/* As plain_tile; the panels taken apart lie `next` bytes apart. */
SIMD_INLINE void dots_tile(const Place *at, const Pieces *k, const QuantType t, const unsigned char *w,
                           int64_t next, XBlocks x, int64_t blocks, int64_t n, const int R, const int P)
{
    Sums sum[8][DOT_PANELS];
    for (int r = 0; r < R; r++)
        for (int p = 0; p < P; p++)
            sum[r][p] = sums_begin(k, r * GROUP + p);
    for (int64_t b = 0; b < blocks; b++) {
        for (int half = 0; half < (has_halves(t) ? 2 : 1); half++) {
            const int words = has_halves(t) ? BLOCK_WORDS / 2 : BLOCK_WORDS;
            Words dots[8][DOT_PANELS];
            for (int r = 0; r < R; r++)
                for (int p = 0; p < P; p++)
                    dots[r][p] = dots_begin(&x, t, R, r, half);
            for (int i = half * words; i < (half + 1) * words; i++) {
                Words q[DOT_PANELS];
                for (int p = 0; p < P; p++)
                    q[p] = words_load(w + p * next + i * PACKED_VECTOR);
                for (int r = 0; r < R; r++)
                    for (int p = 0; p < P; p++)
                        dots[r][p] = words_dot(dots[r][p], q[p], x.x + i * R + r, t == QUANT_Q8_0);
            }
            for (int p = 0; p < P; p++) {
                const float *scales =
                    (const float *)(const void *)(w + p * next + BLOCK_WORDS * PACKED_VECTOR);
                Sums scale = sums_load(scales + half * PACKED_ROWS);
                for (int r = 0; r < R; r++)
                    sum[r][p] = dots_end(sum[r][p], &x, dots[r][p], scale, R, r);
                Sums min = has_min(t) ? sums_load(scales + PACKED_ROWS) : sums_all(0);
                for (int r = 0; r < R && has_min(t); r++)
                    sum[r][p] = min_end(sum[r][p], &x, min, R, r);
            }
        }
        x.x += x.lines * R;
        w += RECORD;
    }
    for (int r = 0; r < R; r++)
        for (int p = 0; p < P; p++)
            sums_end(k, r * GROUP + p, at, n + r, p, sum[r][p]);
}

/* A group of panels; those that are not there are computed from what is in their place, and go nowhere. */
SIMD_INLINE void dots_panels(const Place *at, const Pieces *k, const QuantType t, const unsigned char *w,
                             int64_t next, XBlocks x, int64_t blocks, int64_t n, int64_t panels, const int R)
{
    for (int64_t p = 0; p < panels; p += DOT_PANELS) {
        Place to = {at->p, at->col + p * PACKED_ROWS, at->rows - p * PACKED_ROWS};
        Pieces part = {k->kept + p * PACKED_ROWS, k->first, k->last};
        dots_tile(&to, &part, t, w + p * next, next, x, blocks, n, R, DOT_PANELS);
    }
}

SIMD_INLINE void dots_switch(const Place *at, const Pieces *k, const QuantType t, const unsigned char *w,
                             int64_t next, XBlocks x, int64_t blocks, int64_t n, int64_t rows, int64_t panels)
{
    switch (rows) {
    case 1: dots_panels(at, k, t, w, next, x, blocks, n, panels, 1); break;
    case 2: dots_panels(at, k, t, w, next, x, blocks, n, panels, 2); break;
    case 4: dots_panels(at, k, t, w, next, x, blocks, n, panels, 4); break;
    case DOT_ROWS: dots_panels(at, k, t, w, next, x, blocks, n, panels, DOT_ROWS); break;
    default: break;
    }
}

/* One function a type, so that each is compiled once. */
#define QUANTISED_TYPES(X) \
    X(QUANT_Q8_0, q8_0) X(QUANT_Q4_0, q4_0) X(QUANT_Q4_K, q4_k) X(QUANT_Q5_K, q5_k) X(QUANT_Q6_K, q6_k)
#define QUANTISED_FUNCTIONS(TYPE, name)                                                                   \
    static void direct_##name(const Place *at, const Panels *w, XBlocks x, int64_t blocks, int64_t n,     \
                              int64_t rows)                                                               \
    {                                                                                                     \
        direct_switch(at, TYPE, w, x, blocks, n, rows);                                                   \
    }                                                                                                     \
    static void apart_##name(unsigned char *to, const unsigned char *panel, int64_t first, int64_t count) \
    {                                                                                                     \
        take_apart(to, TYPE, panel, first, count);                                                        \
    }                                                                                                     \
    static void dots_##name(const Place *at, const Pieces *k, const unsigned char *w, int64_t next,       \
                            XBlocks x, int64_t blocks, int64_t n, int64_t rows, int64_t panels)           \
    {                                                                                                     \
        dots_switch(at, k, has_min(TYPE) ? QUANT_Q4_K : TYPE, w, next, x, blocks, n, rows, panels);       \
    }
QUANTISED_TYPES(QUANTISED_FUNCTIONS)

typedef struct {
    void (*direct)(const Place *, const Panels *, XBlocks, int64_t, int64_t, int64_t);
    void (*apart)(unsigned char *, const unsigned char *, int64_t, int64_t);
    void (*dots)(const Place *, const Pieces *, const unsigned char *, int64_t, XBlocks, int64_t, int64_t,
                 int64_t, int64_t);
} QuantisedKernels;

static const QuantisedKernels quantised_kernels[QUANT_TYPES] = {
#define QUANTISED_ENTRY(TYPE, name) [TYPE] = {direct_##name, apart_##name, dots_##name},
    QUANTISED_TYPES(QUANTISED_ENTRY)};

/* Few rows: so many panels as one tile takes come from memory, and stay in a cache for the other tiles. */
static void dots_few(const Place *at, const PackedMatrix *w, const Panels *panels)
{
    const PackedX *x = &at->p->x;
    const int64_t step = DIRECT_PANELS;
    for (int64_t p = 0; p < panels->count; p += step) {
        Place to = {at->p, at->col + p * PACKED_ROWS, at->rows - p * PACKED_ROWS};
        int64_t left = panels->count - p;
        Panels here = {panels->first + p * panels->next, panels->next, left < step ? left : step};
        for (int64_t n = 0; n < at->p->y->rows; n += tile_rows(x, n))
            quantised_kernels[w->type].direct(&to, &here, x_blocks(x, w->type, n, 0), w->cols / DOT_BLOCK, n,
                                              tile_rows(x, n));
    }
}

/* Rows [first, last) of a group of panels; `apart` has room for a piece of each. */
static void dots_task(const Place *at, const PackedMatrix *w, const Panels *panels, int64_t first,
                      int64_t last, float *kept, unsigned char *apart)
{
    const PackedX *x = &at->p->x;
    const QuantisedKernels *kernels = &quantised_kernels[w->type];
    int64_t blocks = w->cols / DOT_BLOCK;
    for (int64_t b = 0; b < blocks; b += DOT_BLOCKS) {
        int64_t count = blocks - b < DOT_BLOCKS ? blocks - b : DOT_BLOCKS;
        for (int64_t p = 0; p < panels->count; p++)
            kernels->apart(apart + p * DOT_BLOCKS * RECORD, panels->first + p * panels->next, b, count);
        for (int64_t n = first; n < last; n += tile_rows(x, n)) {
            Pieces k = {kept + (n - first) * GROUP * PACKED_ROWS, b == 0, b + count == blocks};
            kernels->dots(at, &k, apart, DOT_BLOCKS * RECORD, x_blocks(x, w->type, n, b), count, n,
                          tile_rows(x, n), panels->count);
        }
    }
}

/* Sharing ------------------------------------------------------------------------------------------------ */

/* This thread's panels of every matrix, by bytes: the same wherever a call is the same. */
static void few_rows(const Product *p)
{
    size_t total = 0, before = 0;
    int64_t col = 0, threads = omp_get_num_threads(), me = omp_get_thread_num();
    for (int i = 0; i < p->count; i++)
        total += packed_bytes(p->w[i].type, p->w[i].rows, p->w[i].cols);
    size_t from = total / (size_t)threads * (size_t)me,
           to = me + 1 == threads ? total : total / (size_t)threads * (size_t)(me + 1);
    for (int i = 0; i < p->count; i++) {
        const PackedMatrix *w = &p->w[i];
        size_t panel = packed_panel_bytes(w->type, w->cols), here = panel * (size_t)packed_panels(w);
        int64_t first = from > before ? (int64_t)((from - before + panel - 1) / panel) : 0;
        int64_t last = to > before ? (int64_t)((to - before + panel - 1) / panel) : 0;
        first = first < packed_panels(w) ? first : packed_panels(w);
        last = last < packed_panels(w) ? last : packed_panels(w);
        int64_t end = last * PACKED_ROWS < w->rows ? last * PACKED_ROWS : w->rows;
        Place at = {p, col + first * PACKED_ROWS, end - first * PACKED_ROWS};
        Panels panels = {packed_panel(w, first), (int64_t)panel, last - first};
        if (packed_form(w->type))
            dots_few(&at, w, &panels);
        else
            plain_few(&at, w, &panels);
        before += here;
        col += w->rows;
    }
}

static int64_t groups_of(const PackedMatrix *w)
{
    return packed_round_up(packed_panels(w), GROUP) / GROUP;
}

static int64_t all_groups(const Product *p)
{
    int64_t groups = 0;
    for (int i = 0; i < p->count; i++)
        groups += groups_of(&p->w[i]);
    return groups;
}

static void group_task(const Product *p, int64_t group, int64_t first, int64_t last, float *kept,
                       unsigned char *apart)
{
    int64_t col = 0;
    const PackedMatrix *w = p->w;
    for (; group >= groups_of(w); w++) {
        group -= groups_of(w);
        col += w->rows;
    }
    int64_t panel = group * GROUP, left = packed_panels(w) - panel;
    Place at = {p, col + panel * PACKED_ROWS, w->rows - panel * PACKED_ROWS};
    Panels panels = {packed_panel(w, panel), (int64_t)packed_panel_bytes(w->type, w->cols),
                     left < GROUP ? left : GROUP};
    if (packed_form(w->type))
        dots_task(&at, w, &panels, first, last, kept, apart);
    else
        plain_task(&at, w, &panels, first, last, kept);
}

/* How many rows a task has: fewer where there are fewer groups of panels than keep the threads busy. */
static int64_t rows_of_task(const Product *p, int64_t groups, int64_t threads)
{
    int64_t N = p->y->rows, parts = (N + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;
    while (groups * parts < 4 * threads && N / (parts + 1) >= 4 * p->x.tile)
        parts++;
    return packed_round_up((N + parts - 1) / parts, p->x.tile);
}

static void many_rows(const Product *p, float *kept, unsigned char *apart)
{
    int64_t groups = all_groups(p), rows = rows_of_task(p, groups, omp_get_num_threads());
    int64_t parts = (p->y->rows + rows - 1) / rows;
    SimdShare mine = simd_share(groups * parts, 1);
    for (int64_t t = mine.first; t < mine.last; t++) {
        int64_t first = t / groups * rows, left = p->y->rows - first;
        group_task(p, t % groups, first, first + (left < rows ? left : rows), kept, apart);
    }
}

enum {
    KEPT_FLOATS = (ROWS_AT_ONCE + 8) * GROUP * PACKED_ROWS,
    APART_BYTES = GROUP * DOT_BLOCKS * RECORD,
    THREAD_BYTES = KEPT_FLOATS * 4 + APART_BYTES
};

/* One row is rounded by every thread for itself: sooner done than waiting for each other. */
static void simd_matmul_packed(Device *dev, Tensor *y, const Tensor *x, const PackedMatrix *w, int count,
                               bool add_to)
{
    Product p = {.x = {.x = x}, .y = y, .w = w, .count = count, .add_to = add_to};
    bool few = x->rows <= (packed_needs(w, count, QUANT_F32, true) ? FEW_DOTS : FEW_PLAIN),
         own = x->rows == 1;
    p.x.tile = few ? FEW_TILE : TILE_ROWS;
    size_t words = (size_t)packed_x_place(&p.x, w, count, NULL) * sizeof(uint32_t);
    size_t each = few ? 0 : THREAD_BYTES, copies = own ? (size_t)dev->threads : 1;
    char *memory = device_scratch(dev, copies * words + (size_t)dev->threads * each + 64);
    if (!memory || x->rows == 0)
        return;
    memory += -(uintptr_t)memory & 63;
#pragma omp parallel num_threads(dev->threads)
    {
        Product mine = p;
        size_t me = (size_t)omp_get_thread_num();
        packed_x_place(&mine.x, w, count, (uint32_t *)(void *)(memory + (own ? me * words : 0)));
        if (own) {
            packed_x_round(&mine.x, 0, 1);
        } else {
            SimdShare part = simd_share(x->rows, 1);
            packed_x_round(&mine.x, part.first, part.last);
#pragma omp barrier
        }
        char *rest = memory + copies * words + me * each;
        if (few)
            few_rows(&mine);
        else
            many_rows(&mine, (float *)(void *)rest, (unsigned char *)rest + KEPT_FLOATS * 4);
    }
}

void PACKED(matmul_packed)(Device *dev, Tensor *y, const Tensor *x, const PackedMatrix *w, int count,
                           bool add_to)
{
    if (simd_takes(x) && simd_takes(y))
        simd_matmul_packed(dev, y, x, w, count, add_to);
    else
        ops_ref.matmul_packed(dev, y, x, w, count, add_to);
}

#endif
