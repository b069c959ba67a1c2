/* What attention's forward and backward passes share: blocks, packed factors, and products of small tiles.
 *
 * Scores are kept transposed: keys are rows, queries are lanes.  So a query's maximum, sum, position and
 * scale are lanes of vectors, no sum runs across a vector, and probabilities leave the registers in the order
 * the next product reads.
 *
 * A product c[r][l] += sum_k a[r][k] b[k][l] takes a number of `a` to all lanes and a vector of `b`.  `k`
 * goes in units (attention_f32.h, avx512bf16/attention_units.h) of STEP numbers.  A matrix is packed in one
 * of three forms:
 *   rows    [row][unit]          STEP neighbours of a row; left factor where the row is summed over
 *   across  [unit][row]          the same units, transposed; right factor where the row is summed over
 *   down    [row / STEP][column] STEP neighbours of a column; either factor where the column is summed over
 * Packed rows end at whole vectors, with zeros, so that products meet whole tiles only.
 *
 * Includers define TILE_ROWS and TILE_VECS, the accumulators of a tile, for their number of registers. */
#ifndef OPS_SIMD_ATTENTION_TILES_H
#define OPS_SIMD_ATTENTION_TILES_H

#include <string.h>

#include "ops/simd/simd.h"

enum { QUERIES = 64, KEYS = 64, QUERY_VECS = QUERIES / LANES }; /* of a block */
enum { STRIP = 16 };                                            /* keys at a time on the diagonal */

typedef struct {
    int64_t T, past, keys;   /* queries, keys before the first query, past + T */
    int64_t key_rows;        /* keys up to whole vectors */
    int64_t blocks;          /* of queries */
    int64_t shared;          /* query heads to a key head */
    int64_t D, units, cols;  /* head width, in units, and up to whole vectors */
    float scale, log2_scale; /* 1 / sqrt(D), and what makes exp2 of it */
} Dims;

/* How many of a vector's elements a row of n still has at i: LANES or the rest. */
SIMD_INLINE int lanes_left(int64_t i, int64_t n)
{
    return n - i < LANES ? (int)(n - i) : LANES;
}

static inline int64_t up_to(int64_t n, int64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static inline Dims dims_of(const AttentionShape *s, int64_t past)
{
    float scale = 1 / sqrtf((float)s->D);
    return (Dims){.T = s->T,
                  .past = past,
                  .keys = past + s->T,
                  .key_rows = up_to(past + s->T, LANES),
                  .blocks = up_to(s->T, QUERIES) / QUERIES,
                  .shared = s->H / s->Hk,
                  .D = s->D,
                  .units = s->D / STEP,
                  .cols = up_to(s->D, LANES),
                  .scale = scale,
                  .log2_scale = scale * 0x1.715476p+0f};
}

/* Working memory is handed out in cache lines. */
static inline int64_t lines(int64_t bytes)
{
    return up_to(bytes, 64);
}

static inline void *take(char **memory, int64_t bytes)
{
    void *p = *memory;
    *memory += lines(bytes);
    return p;
}

static inline void *head_row(const Tensor *t, int64_t row, int64_t col)
{
    return t->dtype == DTYPE_BF16 ? (void *)(tensor_bf16(t, row) + col) : (void *)(tensor_f32(t, row) + col);
}

/* Asks for `count` rows of a head that will be packed next: rows of a fused matrix lie pages apart, where no
 * hardware looks ahead. */
static inline void expect_rows(const Tensor *t, const Dims *m, int64_t row, int64_t col, int64_t count)
{
    int64_t bytes = m->D * (t->dtype == DTYPE_BF16 ? 2 : 4);
    for (int64_t r = 0; r < count && row + r < t->rows; r++)
        for (int64_t b = 0; b < bytes + 63; b += 64)
            __builtin_prefetch((const char *)head_row(t, row + r, col) + (b < bytes ? b : bytes - 1));
}

/* Rows of a head of a tensor; `next` is in bytes. */
typedef struct {
    const char *data;
    int64_t next;
} Rows;

static inline Rows head_rows(const Tensor *t, int64_t row, int64_t col)
{
    return (Rows){head_row(t, row, col), t->stride * (t->dtype == DTYPE_BF16 ? 2 : 4)};
}

SIMD_INLINE Vec row_dots_of(const Dims *m, Rows a, Rows b, const DType d, int64_t count, const bool all)
{
    Vec sum[LANES];
    for (int i = 0; i < LANES; i++)
        sum[i] = vec_all(0);
    int64_t u = 0;
    for (; u + LANES <= m->units; u += LANES)
        for (int i = 0; i < LANES; i++)
            if (all || i < count)
                sum[i] = units_dot(sum[i], units_read(a.data + i * a.next, d, u, LANES),
                                   units_read(b.data + i * b.next, d, u, LANES));
    for (int i = 0; i < LANES && u < m->units; i++)
        if (all || i < count)
            sum[i] = units_dot(sum[i], units_read(a.data + i * a.next, d, u, lanes_left(u, m->units)),
                               units_read(b.data + i * b.next, d, u, lanes_left(u, m->units)));
    vec_transpose(sum);
    for (int n = LANES / 2; n; n /= 2)
        for (int i = 0; i < n; i++)
            sum[i] = sum[i] + sum[i + n];
    return sum[0];
}

/* The dot products of `count` rows of a with as many of b, at most LANES, each in a lane; 0 in the other
 * lanes. */
SIMD_INLINE Vec row_dots(const Dims *m, Rows a, Rows b, DType d, int64_t count)
{
    if (count >= LANES)
        return d == DTYPE_BF16 ? row_dots_of(m, a, b, DTYPE_BF16, LANES, true)
                               : row_dots_of(m, a, b, DTYPE_F32, LANES, true);
    return row_dots_of(m, a, b, d, count, false);
}

/* The positions first .. first + LANES - 1, exact below 2^24. */
SIMD_INLINE Vec positions_from(int64_t first)
{
    static const float lane[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return vec_load_f32(lane, LANES) + vec_all((float)first);
}

/* ---- packing: `count` rows of a head from (row, col) of a tensor, then rows of zeros */

static void pack_rows(Unit *to, const Dims *m, const Tensor *t, int64_t row, int64_t col, int64_t count,
                      int64_t rows)
{
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t u = 0; u < m->units; u += LANES) {
            int lanes = lanes_left(u, m->units);
            Units x = r < count ? units_read(head_row(t, row + r, col), t->dtype, u, lanes) : units_zero();
            units_store(to + r * m->units + u, x, lanes);
        }
    }
}

/* [units][QUERIES] */
static void pack_across(Unit *to, const Dims *m, const Tensor *t, int64_t row, int64_t col, int64_t count)
{
    for (int64_t r = 0; r < count; r += LANES) {
        for (int64_t u = 0; u < m->units; u += LANES) {
            int lanes = lanes_left(u, m->units);
            Units x[LANES];
            for (int i = 0; i < LANES; i++)
                x[i] = r + i < count ? units_read(head_row(t, row + r + i, col), t->dtype, u, lanes)
                                     : units_zero();
            units_transpose(x);
            for (int k = 0; k < lanes; k++)
                units_store(to + (u + k) * QUERIES + r, x[k], LANES);
        }
    }
}

/* [rows / STEP][cols] */
static void pack_down(Unit *to, const Dims *m, const Tensor *t, int64_t row, int64_t col, int64_t count,
                      int64_t rows)
{
    for (int64_t r = 0; r < rows; r += STEP) {
        for (int64_t u = 0; u < m->units; u += LANES) {
            int lanes = lanes_left(u, m->units);
            Units x[STEP], y[STEP];
            for (int e = 0; e < STEP; e++)
                x[e] = r + e < count ? units_read(head_row(t, row + r + e, col), t->dtype, u, lanes)
                                     : units_zero();
            units_zip(y, x);
            for (int e = 0; e < STEP; e++)
                if (u * STEP + e * LANES < m->cols)
                    units_store(to + r / STEP * m->cols + u * STEP + e * LANES, y[e], LANES);
        }
    }
}

/* Rows of a head from [cols][QUERIES] f32, each times its factor. */
static void write_across(const Tensor *t, const Dims *m, int64_t row, int64_t col, int64_t count,
                         const float *from, const float *factor)
{
    for (int64_t r = 0; r < count; r += LANES) {
        Vec f = vec_load_f32(factor + r, LANES);
        for (int64_t u = 0; u < m->units; u += LANES) {
            int lanes = lanes_left(u, m->units);
            Units x[LANES];
            for (int k = 0; k < LANES; k++) {
                Vec y[STEP];
                for (int e = 0; k < lanes && e < STEP; e++)
                    y[e] = vec_load_f32(from + ((u + k) * STEP + e) * QUERIES + r, LANES) * f;
                x[k] = k < lanes ? units_weave(units_round(y)) : units_zero();
            }
            units_transpose(x);
            for (int i = 0; i < LANES && r + i < count; i++)
                units_write(head_row(t, row + r + i, col), t->dtype, u, x[i], lanes);
        }
    }
}

/* ---- products */

typedef struct {
    const Unit *data;
    int64_t row, step; /* units from one row, and from one unit of a row, to the next; one of them is 1 */
} Left;

typedef struct {
    const Unit *data;
    int64_t step;
} Right;

/* sum[r][v] += rows r of a times vectors v of b.  `vecs` is a constant where this is called. */
SIMD_INLINE void tile_multiply(Vec sum[TILE_ROWS][4], Left a, Right b, int64_t steps, const int vecs)
{
    for (int64_t k = 0; k < steps; k++) {
        Units right[4];
        for (int v = 0; v < vecs; v++)
            right[v] = units_load(b.data + k * b.step + v * LANES);
        for (int r = 0; r < TILE_ROWS; r++) {
            Units left = units_all(a.data + r * a.row + k * a.step);
            for (int v = 0; v < vecs; v++)
                sum[r][v] = units_dot(sum[r][v], left, right[v]);
        }
    }
}

SIMD_INLINE void product_panel(float *c, int64_t c_row, Left a, Right b, int64_t rows, int64_t steps,
                               const int vecs)
{
    for (int64_t row = 0; row < rows; row += TILE_ROWS) {
        Vec sum[TILE_ROWS][4];
        float *to = c + row * c_row;
        for (int r = 0; r < TILE_ROWS; r++)
            for (int v = 0; v < vecs; v++)
                sum[r][v] = vec_load_f32(to + r * c_row + v * LANES, LANES);
        tile_multiply(sum, (Left){a.data + row * a.row, a.row, a.step}, b, steps, vecs);
        for (int r = 0; r < TILE_ROWS; r++)
            for (int v = 0; v < vecs; v++)
                vec_store_f32(to + r * c_row + v * LANES, sum[r][v], LANES);
    }
}

SIMD_INLINE void product(float *c, int64_t c_row, Left a, Right b, int64_t rows, int64_t vecs, int64_t steps)
{
    for (int64_t v = 0; v < vecs; v += TILE_VECS) {
        float *to = c + v * LANES;
        Right panel = {b.data + v * LANES, b.step};
        switch (vecs - v < TILE_VECS ? vecs - v : TILE_VECS) {
        case 1: product_panel(to, c_row, a, panel, rows, steps, 1); break;
        case 2: product_panel(to, c_row, a, panel, rows, steps, 2); break;
        case 3: product_panel(to, c_row, a, panel, rows, steps, 3); break;
        default: product_panel(to, c_row, a, panel, rows, steps, 4); break;
        }
    }
}

/* c [rows][vecs * LANES] += a b, a in rows. */
static void product_rows(float *c, int64_t c_row, const Unit *a, int64_t a_row, Right b, int64_t rows,
                         int64_t vecs, int64_t steps)
{
    product(c, c_row, (Left){a, a_row, 1}, b, rows, vecs, steps);
}

/* The same with a packed down: its columns are the product's rows. */
static void product_down(float *c, int64_t c_row, const Unit *a, int64_t a_step, Right b, int64_t rows,
                         int64_t vecs, int64_t steps)
{
    product(c, c_row, (Left){a, 1, a_step}, b, rows, vecs, steps);
}

#endif
