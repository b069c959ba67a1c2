/* Products with quantised weights in tiles: a panel is taken apart into signed bytes, and a block of it times
 * sixteen rows of x is one product.  Its sums are exact, hence those of matmul_direct.h, and are scaled and
 * added by the same operations in the same order: rows few and many have the same sums. For matmul_packed.c.
 */
#ifndef OPS_AMX_DOTS_TILES_H
#define OPS_AMX_DOTS_TILES_H

#include "ops/amx/tiles_product.h"
#include "ops/simd/matmul_direct.h"

enum {
    STORE_LATER = 2, /* products */
    ADD_LATER = 4,
    APART_AHEAD = 2,                           /* blocks */
    FEW_AHEAD = 1536,                          /* bytes that few rows ask ahead */
    FEW_TILES_PANELS = 2,                      /* that few rows read at once */
    RECORD = (BLOCK_WORDS + 2) * PACKED_VECTOR /* of a block taken apart: words, and scales or minimum */
};

/* The byte that stands for 0. */
SIMD_INLINE int zero_of(const QuantType t)
{
    return t == QUANT_Q8_0 ? 128 : t == QUANT_Q4_0 ? 8 : t == QUANT_Q6_K ? 32 : 0;
}

/* Which products a tile makes of a block: P panels, and of each its halves where a type has them.  They are
 * numbered through; sums of number q are in tile q % 4 and are stored to place q % 4. */
SIMD_INLINE int parts_of(const QuantType t)
{
    return has_halves(t) ? 2 : 1;
}

/* Block 4 half + j of an open block of the file, or that block. */
SIMD_INLINE void block_apart(unsigned char *to, const QuantType t, const FileBlock *b, int half, const int j)
{
    const __m512i zero = _mm512_set1_epi8((char)zero_of(t));
    float *scales = (float *)(void *)(to + BLOCK_WORDS * PACKED_VECTOR);
    Sums scale[2], min = sums_all(0);
    for (int k = 0; k < BLOCK_WORDS; k++)
        _mm512_store_si512(to + k * PACKED_VECTOR,
                           _mm512_sub_epi8((__m512i)block_word(t, b, half, j, k).v[0], zero));
    block_scales(scale, &min, t, b, half, j);
    sums_store(scales, scale[0]);
    if (has_halves(t) || has_min(t))
        sums_store(scales + PACKED_ROWS, has_min(t) ? min : scale[1]);
}

/* All blocks of a panel. */
SIMD_INLINE void take_apart(unsigned char *to, const QuantType t, const unsigned char *panel, int64_t blocks)
{
    for (int64_t i = 0; i < blocks / sub_blocks(t); i++) {
        FileBlock b;
        file_block_open(&b, t, panel, i);
        for (int half = 0; half < halves_of(t); half++) {
#pragma GCC unroll 4
            for (int j = 0; j < blocks_of_half(t); j++, to += RECORD)
                block_apart(to, t, &b, half, j);
        }
    }
}

/* Half h of a block, or without halves the whole, times the rows of x, in sums' tile `c`, a constant. */
SIMD_INLINE void block_product(const int c, const unsigned char *w, const unsigned char *x, const int h)
{
    x += h * DOT_BLOCK / 2;
    w += h * DOT_BLOCK / 2 * TILE_N;
#define PRODUCT(c, a, b)            \
    TILE_LOAD(a, x, DOT_BLOCK);     \
    TILE_LOAD(b, w, PACKED_VECTOR); \
    TILE_ZERO(c);                   \
    TILE_I8(c, a, b)
    switch (c) {
    case 0: PRODUCT(0, 4, 6); break;
    case 1: PRODUCT(1, 5, 7); break;
    case 2: PRODUCT(2, 4, 6); break;
    default: PRODUCT(3, 5, 7); break;
    }
#undef PRODUCT
}

SIMD_INLINE void block_store(int32_t *to, const int c)
{
    switch (c) {
    case 0: TILE_STORE(to, TILE_LINE, 0); break;
    case 1: TILE_STORE(to, TILE_LINE, 1); break;
    case 2: TILE_STORE(to, TILE_LINE, 2); break;
    default: TILE_STORE(to, TILE_LINE, 3); break;
    }
}

SIMD_INLINE void block_add(Vec sum[TILE_N], const QuantType t, const int32_t *dots, const unsigned char *w,
                           const unsigned char *x, const int h, const int R)
{
    const float *scales = (const float *)(const void *)(w + BLOCK_WORDS * PACKED_VECTOR);
    const float *x_scales = (const float *)(const void *)(x + R * DOT_BLOCK);
    Vec scale = vec_load_f32(scales + h * PACKED_ROWS, LANES);
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
        sum[r] = vec_fma(_mm512_cvtepi32_ps(_mm512_load_si512(dots + r * TILE_N)),
                         scale * vec_all(x_scales[r]), sum[r]);
    if (!has_min(t))
        return;
    Vec min = vec_load_f32(scales + PACKED_ROWS, LANES);
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
        sum[r] = vec_fnma(min, vec_all(x_scales[R + r]), sum[r]);
}

/* A tile's state while it walks along k: four blocks at a time, `first` and those behind it.  Their panels
 * are taken apart before, or while they are walked along: then four blocks and the four before lie in a ring.
 */
typedef struct {
    const unsigned char *x, *apart;
    const unsigned char *panel[FEW_TILES_PANELS];
    unsigned char *now, *other;
    int64_t first, blocks;
    FileBlock open[FEW_TILES_PANELS];
    int32_t (*dots)[TILE_N * TILE_N];
} Walk;

/* Block first + i of panel p, of which i may be negative or above 3. */
SIMD_INLINE unsigned char *walk_block(const Walk *k, const int i, const int p, const int P)
{
    return (i < 0 || i > 3 ? k->other : k->now) + (size_t)((i + 4) % 4 * P + p) * RECORD;
}

/* Takes block first + i apart, i above 1, of all panels. */
SIMD_INLINE void walk_apart(Walk *k, const QuantType t, const int i, const int P)
{
    const int j = i % blocks_of_half(t);
    int64_t b = k->first + i;
    int half = (int)(b / blocks_of_half(t) % halves_of(t));
#pragma GCC unroll 2
    for (int p = 0; p < P; p++) {
        if (sub_blocks(t) == 1 || (j == 0 && half == 0))
            file_block_open(&k->open[p], t, k->panel[p], b / sub_blocks(t));
        const int words = words_of_block(t), sub = sub_blocks(t);
#pragma GCC unroll 8
        for (int l = j * words / sub; l < (j + 1) * words / sub; l++)
            __builtin_prefetch(k->open[p].words + (half * words / 2 + l) * PACKED_VECTOR + FEW_AHEAD);
        block_apart(walk_block(k, i, p, P), t, &k->open[p], half, j);
    }
}

/* Which of the blocks that a step touches are there: those from the step's first one on, all, or some. */
typedef enum { STEP_FIRST, STEP_INSIDE, STEP_SOME } Step;

SIMD_INLINE bool is_there(const Walk *k, const int i, const Step step)
{
    return step == STEP_FIRST ? i >= 0
                              : step == STEP_INSIDE || (k->first + i >= 0 && k->first + i < k->blocks);
}

/* A product takes some fifty cycles, and what a tile stores can only be read when it has left for the first
 * cache.  So when a block is multiplied, one further on is taken apart, what was multiplied two products ago
 * is stored, and what was four ago added.  SOME: only those that are there. */
SIMD_INLINE void walk_step(Walk *k, Vec sum[FEW_TILES_PANELS][TILE_N], const QuantType t, const int R,
                           const int P, const bool apart, const Step step)
{
    const int parts = parts_of(t), N = P * parts, x_record = R * (DOT_BLOCK + 8);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        const int next = i + APART_AHEAD, old = i - ADD_LATER / N;
        if (!apart && is_there(k, next, step))
            walk_apart(k, t, next, P);
#pragma GCC unroll 4
        for (int q = 0; q < N; q++) {
            const int p = q / parts, h = q % parts, c = (i * N + q) % 4;
            const int stored = (i * N + q + 4 - STORE_LATER) / N - 4 / N;
            if (is_there(k, i, step))
                block_product(c, apart ? k->apart + i * RECORD : walk_block(k, i, p, P), k->x + i * x_record,
                              h);
            if (is_there(k, old, step))
                block_add(sum[p], t, k->dots[c], apart ? k->apart + old * RECORD : walk_block(k, old, p, P),
                          k->x + old * x_record, h, R);
            if (is_there(k, stored, step))
                block_store(k->dots[(c + 4 - STORE_LATER) % 4], (c + 4 - STORE_LATER) % 4);
        }
    }
}

/* A tile of R rows from row n on, and panels 0 .. P - 1 that lie `panels->next` apart.  Meanwhile some lines
 * of what comes later are asked for. */
SIMD_INLINE void dots_tile(const Place *at, const QuantType t, const unsigned char *apart,
                           const Panels *panels, const unsigned char *x, int64_t blocks, int64_t n,
                           const unsigned char *ask, int64_t ask_lines, const int R, const int P,
                           const bool is_apart)
{
    _Alignas(64) int32_t dots[4][TILE_N * TILE_N];
    _Alignas(64) unsigned char ring[2][FEW_TILES_PANELS * 4 * RECORD];
    Vec sum[FEW_TILES_PANELS][TILE_N];
    Walk k = {.x = x, .apart = apart, .now = ring[0], .other = ring[1], .blocks = blocks, .dots = dots};
    int64_t asked = 0, ask_each = (ask_lines + blocks - 1) / blocks * 4;
    if (!is_apart) {
        for (int p = 0; p < P; p++)
            k.panel[p] = panels->first + (p < panels->count ? p : panels->count - 1) * panels->next;
        k.first = -4;
        k.x -= 4 * R * (DOT_BLOCK + 8);
    }
#pragma GCC unroll 2
    for (int p = 0; p < P; p++)
#pragma GCC unroll 16
        for (int r = 0; r < R; r++)
            sum[p][r] = vec_all(0);
    while (k.first < blocks + ADD_LATER) {
        int64_t left = blocks - k.first - (is_apart ? 0 : APART_AHEAD);
        if (k.first > 0 && left >= 4)
            walk_step(&k, sum, t, R, P, is_apart, STEP_INSIDE);
        else if (is_apart && k.first == 0 && left >= 4)
            walk_step(&k, sum, t, R, P, is_apart, STEP_FIRST);
        else
            walk_step(&k, sum, t, R, P, is_apart, STEP_SOME);
        unsigned char *swap = k.now;
        k.now = k.other;
        k.other = swap;
        k.first += 4;
        k.x += 4 * R * (DOT_BLOCK + 8);
        k.apart += 4 * RECORD;
        for (int64_t l = 0; is_apart && l < ask_each && asked < ask_lines; l++, asked++)
            __builtin_prefetch(ask + asked * TILE_LINE, 0, 2);
    }
#pragma GCC unroll 2
    for (int p = 0; p < P; p++)
#pragma GCC unroll 16
        for (int r = 0; r < R; r++)
            if (p < panels->count && n + r < at->p->y->rows)
                put_sums(at, n + r, p * panels->apart, (Sums){{sum[p][r]}});
}

/* Types whose blocks, taken apart, are alike. */
SIMD_INLINE QuantType type_apart(const QuantType t)
{
    return has_min(t) ? QUANT_Q4_K : has_halves(t) ? t : QUANT_Q8_0;
}

/* Tiles [first, last) of rows and a panel; while it is used, the next one comes. */
SIMD_INLINE void dots_panel(const Place *at, const QuantType t, const PackedMatrix *w,
                            const unsigned char *panel, bool more, int64_t first, int64_t last)
{
    const TilesProduct *p = tiles_product(at);
    int64_t blocks = w->cols / DOT_BLOCK, steps = last - first;
    size_t bytes = packed_panel_bytes(w->type, w->cols);
    int64_t lines = more ? (int64_t)bytes / TILE_LINE : 0;
    const Panels here = {panel, 0, 1, 1};
    take_apart(p->apart, t, panel, blocks);
    for (int64_t i = first; i < last; i++) {
        int64_t from = lines * (i - first) / steps;
        dots_tile(at, type_apart(t), p->apart, &here, p->x.i8 + (size_t)i * i8_row_tile(w->cols, TILE_N),
                  blocks, i * TILE_N, panel + bytes + from * TILE_LINE,
                  lines * (i - first + 1) / steps - from, TILE_N, 1, true);
    }
}

/* At most R rows, and panels in P parts that lie apart. */
SIMD_INLINE void dots_streams(const Place *at, const QuantType t, const PackedMatrix *w, const Panels *panels,
                              const int R, const int P)
{
    int64_t apart = (panels->count + P - 1) / P;
    for (int64_t i = 0; i < apart; i++) {
        Place to = {at->p, at->col + i * PACKED_ROWS, at->rows - i * PACKED_ROWS};
        Panels here = {panels->first + i * panels->next, panels->next * apart,
                       (panels->count - i + apart - 1) / apart, apart};
        dots_tile(&to, t, NULL, &here, tiles_product(at)->x.i8, w->cols / DOT_BLOCK, 0, NULL, 0, R, P, false);
    }
}

/* One function a type, so that each is compiled once. */
#define DOTS_FUNCTION(TYPE, name)                                                                          \
    static void dots_##name(const Place *at, const PackedMatrix *w, const unsigned char *panel, bool more, \
                            int64_t first, int64_t last)                                                   \
    {                                                                                                      \
        dots_panel(at, TYPE, w, panel, more, first, last);                                                 \
    }                                                                                                      \
    static void few_##name(const Place *at, const PackedMatrix *w, const Panels *panels)                   \
    {                                                                                                      \
        if (at->p->y->rows <= TILE_N / 2)                                                                  \
            dots_streams(at, TYPE, w, panels, TILE_N / 2, 2);                                              \
        else                                                                                               \
            dots_streams(at, TYPE, w, panels, TILE_N, 1);                                                  \
    }
QUANTISED_TYPES(DOTS_FUNCTION)

typedef struct {
    void (*many)(const Place *, const PackedMatrix *, const unsigned char *, bool, int64_t, int64_t);
    void (*few)(const Place *, const PackedMatrix *, const Panels *);
} DotsKernels;
static const DotsKernels dots_kernels[QUANT_TYPES] = {
#define DOTS_ENTRY(TYPE, name) [TYPE] = {dots_##name, few_##name},
    QUANTISED_TYPES(DOTS_ENTRY)};

static size_t apart_bytes(const PackedMatrix *w)
{
    return packed_form(w->type) ? (size_t)(w->cols / DOT_BLOCK) * RECORD : 0;
}

/* Tiles [first, last) of rows, and all of the panels. */
static void dots_task(const Place *at, const PackedMatrix *w, const Panels *panels, int64_t first,
                      int64_t last)
{
    tiles_begin(TILE_N, 5, has_halves(w->type) ? BLOCK_WORDS / 2 : BLOCK_WORDS);
    for (int64_t i = 0; i < panels->count; i++) {
        Place to = {at->p, at->col + i * PACKED_ROWS, at->rows - i * PACKED_ROWS};
        dots_kernels[w->type].many(&to, w, panels->first + i * panels->next, i + 1 < panels->count, first,
                                   last);
    }
}

/* At most sixteen rows, and all of the panels. */
static void dots_few_tiles(const Place *at, const PackedMatrix *w, const Panels *panels)
{
    tiles_begin(at->p->y->rows <= TILE_N / 2 ? TILE_N / 2 : TILE_N, 5,
                has_halves(w->type) ? BLOCK_WORDS / 2 : BLOCK_WORDS);
    dots_kernels[w->type].few(at, w, panels);
}

#endif
