/* Products with quantised weights in tiles: a panel is taken apart into signed bytes, and a block of it times
 * sixteen rows of x is one product.  Its sums are exact, hence those of matmul_direct.h, and are scaled and
 * added by the same operations in the same order: rows few and many have the same sums. For matmul_packed.c.
 */
#ifndef OPS_AMX_DOTS_TILES_H
#define OPS_AMX_DOTS_TILES_H

#include "ops/amx/tiles_product.h"
#include "ops/simd/matmul_direct.h"

enum {
    RECORD = (BLOCK_WORDS + 2) * PACKED_VECTOR /* of a block taken apart: words, and scales or minimum */
};

/* The byte that stands for 0. */
SIMD_INLINE int zero_of(const QuantType t)
{
    return t == QUANT_Q8_0 ? 128 : t == QUANT_Q4_0 ? 8 : t == QUANT_Q6_K ? 32 : 0;
}

/* All blocks of a panel. */
SIMD_INLINE void take_apart(unsigned char *to, const QuantType t, const unsigned char *panel, int64_t blocks)
{
    const __m512i zero = _mm512_set1_epi8((char)zero_of(t));
    for (int64_t i = 0; i < blocks / sub_blocks(t); i++) {
        FileBlock b;
        file_block_open(&b, t, panel, i);
        for (int half = 0; half < halves_of(t); half++) {
#pragma GCC unroll 4
            for (int j = 0; j < blocks_of_half(t); j++, to += RECORD) {
                float *scales = (float *)(void *)(to + BLOCK_WORDS * PACKED_VECTOR);
                Sums scale[2], min = sums_all(0);
                for (int k = 0; k < BLOCK_WORDS; k++)
                    _mm512_store_si512(to + k * PACKED_VECTOR,
                                       _mm512_sub_epi8((__m512i)block_word(t, &b, half, j, k).v[0], zero));
                block_scales(scale, &min, t, &b, half, j);
                sums_store(scales, scale[0]);
                if (has_halves(t) || has_min(t))
                    sums_store(scales + PACKED_ROWS, has_min(t) ? min : scale[1]);
            }
        }
    }
}

/* Half h of a block, or without halves the whole, times sixteen rows of x, in sums' tile `c`, a constant. */
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
                           const unsigned char *x, const int h)
{
    const float *scales = (const float *)(const void *)(w + BLOCK_WORDS * PACKED_VECTOR);
    const float *x_scales = (const float *)(const void *)(x + TILE_N * DOT_BLOCK);
    Vec scale = vec_load_f32(scales + h * PACKED_ROWS, LANES);
#pragma GCC unroll 16
    for (int r = 0; r < TILE_N; r++)
        sum[r] = vec_fma(_mm512_cvtepi32_ps(_mm512_load_si512(dots + r * TILE_N)),
                         scale * vec_all(x_scales[r]), sum[r]);
    if (!has_min(t))
        return;
    Vec min = vec_load_f32(scales + PACKED_ROWS, LANES);
#pragma GCC unroll 16
    for (int r = 0; r < TILE_N; r++)
        sum[r] = vec_fnma(min, vec_all(x_scales[TILE_N + r]), sum[r]);
}

/* Sixteen rows and a panel.  A product takes some fifty cycles, and a store some more until it can be read:
 * so a block is multiplied, the one before it stored and the one before that added. */
SIMD_INLINE void dots_tile(const Place *at, const QuantType t, const unsigned char *w, const unsigned char *x,
                           int64_t blocks, int64_t n, const unsigned char *ask, int64_t ask_lines)
{
    const int parts = has_halves(t) ? 2 : 1;
    _Alignas(64) int32_t dots[2][2][TILE_N * TILE_N];
    Vec sum[TILE_N];
    int64_t asked = 0;
#pragma GCC unroll 16
    for (int r = 0; r < TILE_N; r++)
        sum[r] = vec_all(0);
    for (int64_t first = 0; first < blocks + 2; first += 2) {
#pragma GCC unroll 2
        for (int odd = 0; odd < 2; odd++) {
            int64_t b = first + odd;
            if (b < blocks) {
                block_product(2 * odd, w + b * RECORD, x + b * X_RECORD, 0);
                if (parts > 1)
                    block_product(2 * odd + 1, w + b * RECORD, x + b * X_RECORD, 1);
            }
            if (b >= 2 && b - 2 < blocks) {
                block_add(sum, t, dots[odd][0], w + (b - 2) * RECORD, x + (b - 2) * X_RECORD, 0);
                if (parts > 1)
                    block_add(sum, t, dots[odd][1], w + (b - 2) * RECORD, x + (b - 2) * X_RECORD, 1);
            }
            if (b >= 1 && b - 1 < blocks) {
                block_store(dots[1 - odd][0], 2 * (1 - odd));
                if (parts > 1)
                    block_store(dots[1 - odd][1], 2 * (1 - odd) + 1);
            }
            for (int64_t until = ask_lines * (b + 1) / (blocks + 2); asked < until; asked++)
                __builtin_prefetch(ask + asked * TILE_LINE, 0, 2);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < TILE_N; r++)
        if (n + r < at->p->y->rows)
            put_sums(at, n + r, 0, (Sums){{sum[r]}});
}

/* Tiles [first, last) of rows and a panel; while it is used, the next one comes. */
SIMD_INLINE void dots_panel(const Place *at, const QuantType t, const PackedMatrix *w,
                            const unsigned char *panel, bool more, int64_t first, int64_t last)
{
    const TilesProduct *p = tiles_product(at);
    int64_t blocks = w->cols / DOT_BLOCK, steps = last - first;
    size_t bytes = packed_panel_bytes(w->type, w->cols);
    int64_t lines = more ? (int64_t)bytes / TILE_LINE : 0;
    take_apart(p->apart, t, panel, blocks);
    for (int64_t i = first; i < last; i++) {
        int64_t from = lines * (i - first) / steps;
        dots_tile(at,
                  has_min(t)      ? QUANT_Q4_K
                  : has_halves(t) ? t
                                  : QUANT_Q8_0,
                  p->apart, p->x.i8 + (size_t)i * i8_row_tile(w->cols), blocks, i * TILE_N,
                  panel + bytes + from * TILE_LINE, lines * (i - first + 1) / steps - from);
    }
}

/* One function a type, so that each is compiled once. */
#define DOTS_FUNCTION(TYPE, name)                                                                          \
    static void dots_##name(const Place *at, const PackedMatrix *w, const unsigned char *panel, bool more, \
                            int64_t first, int64_t last)                                                   \
    {                                                                                                      \
        dots_panel(at, TYPE, w, panel, more, first, last);                                                 \
    }
QUANTISED_TYPES(DOTS_FUNCTION)

typedef void DotsKernel(const Place *, const PackedMatrix *, const unsigned char *, bool, int64_t, int64_t);
static DotsKernel *const dots_kernels[QUANT_TYPES] = {
#define DOTS_ENTRY(TYPE, name) [TYPE] = dots_##name,
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
        dots_kernels[w->type](&to, w, panels->first + i * panels->next, i + 1 < panels->count, first, last);
    }
}

#endif
