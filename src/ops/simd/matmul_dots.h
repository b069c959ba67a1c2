/* Products of many rows with quantised weights: a piece of a few panels at a time is taken apart for all
 * rows. For matmul_packed.h. */
#ifndef OPS_SIMD_MATMUL_DOTS_H
#define OPS_SIMD_MATMUL_DOTS_H

#include "ops/simd/matmul_direct.h"

enum {
    DOT_BLOCKS = 16, /* of k in a piece: 4 panels are 41 kB; 74 kB where words have two parts */
    MOST_RECORD = ((NARROW ? 2 : 1) * BLOCK_WORDS + 2) * PACKED_VECTOR
};

/* Bytes of a block taken apart: words, or their parts, scale, second scale or minimum. */
SIMD_INLINE int64_t record_bytes(const QuantType t)
{
    return (parts_of_word(t) * BLOCK_WORDS + 2) * PACKED_VECTOR;
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
                Sums scale[2], min = sums_all(0);
                for (int part = 0; part < parts_of_word(t); part++)
                    for (int k = 0; k < BLOCK_WORDS; k++, to += PACKED_VECTOR)
                        words_store(to, bits_of_word(block_word(t, &b, half, j, k), parts_of_word(t), part));
                float *scales = (float *)(void *)to;
                block_scales(scale, &min, t, &b, half, j);
                sums_store(scales, scale[0]);
                if (has_halves(t) || has_min(t))
                    sums_store(scales + PACKED_ROWS, has_min(t) ? min : scale[1]);
                to += 2 * PACKED_VECTOR;
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
            const int words = has_halves(t) ? BLOCK_WORDS / 2 : BLOCK_WORDS, a_sum = words_a_sum(t);
            Words dots[8][DOT_PANELS];
            for (int r = 0; r < R; r++)
                for (int p = 0; p < P; p++)
                    dots[r][p] = words_all(0);
#pragma GCC unroll 2
            for (int s = 0; s < parts_of_word(t) * words / a_sum; s++) {
                const int part = s * a_sum / words, first = half * words + s * a_sum % words;
                compiler_fence();
                Words sums[8][DOT_PANELS];
                for (int r = 0; r < R; r++)
                    for (int p = 0; p < P; p++)
                        sums[r][p] = dots_begin(&x, t, R, r, half, part);
#pragma GCC unroll 8
                for (int i = first; i < first + a_sum; i++) {
                    Words q[DOT_PANELS];
                    for (int p = 0; p < P; p++)
                        q[p] = words_load(w + p * next + (part * BLOCK_WORDS + i) * PACKED_VECTOR);
                    for (int r = 0; r < R; r++)
                        for (int p = 0; p < P; p++)
                            sums[r][p] = words_dot(sums[r][p], q[p], x.x + i * R + r);
                }
                for (int r = 0; r < R; r++)
                    for (int p = 0; p < P; p++)
                        dots[r][p] = words_dot_end(dots[r][p], sums[r][p], part ? 16 : 1);
            }
            for (int p = 0; p < P; p++) {
                const float *scales =
                    (const float *)(const void *)(w + p * next + record_bytes(t) - 2 * PACKED_VECTOR);
                Sums scale = sums_load(scales + half * PACKED_ROWS);
                for (int r = 0; r < R; r++)
                    sum[r][p] = dots_end(sum[r][p], &x, dots[r][p], scale, R, r);
                Sums min = has_min(t) ? sums_load(scales + PACKED_ROWS) : sums_all(0);
                for (int r = 0; r < R && has_min(t); r++)
                    sum[r][p] = min_end(sum[r][p], &x, min, R, r);
            }
        }
        x.x += x.lines * R;
        w += record_bytes(t);
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
        Place to = place_from(at, p);
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

#define DOTS_FUNCTIONS(TYPE, name)                                                                        \
    static void apart_##name(unsigned char *to, const unsigned char *panel, int64_t first, int64_t count) \
    {                                                                                                     \
        take_apart(to, TYPE, panel, first, count);                                                        \
    }                                                                                                     \
    static void dots_##name(const Place *at, const Pieces *k, const unsigned char *w, int64_t next,       \
                            const XBlocks *x, int64_t blocks, int64_t n, int64_t rows, int64_t panels)    \
    {                                                                                                     \
        dots_switch(at, k, has_min(TYPE) && !NARROW ? QUANT_Q4_K : TYPE, w, next, *x, blocks, n, rows,    \
                    panels);                                                                              \
    }
QUANTISED_TYPES(DOTS_FUNCTIONS)

typedef struct {
    void (*apart)(unsigned char *, const unsigned char *, int64_t, int64_t);
    void (*dots)(const Place *, const Pieces *, const unsigned char *, int64_t, const XBlocks *, int64_t,
                 int64_t, int64_t, int64_t);
} DotsKernels;

static const DotsKernels dots_kernels[QUANT_TYPES] = {
#define DOTS_ENTRY(TYPE, name) [TYPE] = {apart_##name, dots_##name},
    QUANTISED_TYPES(DOTS_ENTRY)};

/* Rows [first, last) of a group of panels; `apart` has room for a piece of each. */
static void dots_task(const Place *at, const PackedMatrix *w, const Panels *panels, int64_t first,
                      int64_t last, float *kept, unsigned char *apart)
{
    const PackedX *x = &at->p->x;
    const DotsKernels *kernels = &dots_kernels[w->type];
    int64_t blocks = w->cols / DOT_BLOCK, next = DOT_BLOCKS * record_bytes(w->type);
    for (int64_t b = 0; b < blocks; b += DOT_BLOCKS) {
        int64_t count = blocks - b < DOT_BLOCKS ? blocks - b : DOT_BLOCKS;
        for (int64_t p = 0; p < panels->count; p++)
            kernels->apart(apart + p * next, panels->first + p * panels->next, b, count);
        for (int64_t n = first; n < last; n += tile_rows(x, n)) {
            Pieces k = {kept + (n - first) * GROUP * PACKED_ROWS, b == 0, b + count == blocks};
            XBlocks from = x_blocks(x, w->type, n, b);
            kernels->dots(at, &k, apart, next, &from, count, n, tile_rows(x, n), panels->count);
        }
    }
}

#endif
