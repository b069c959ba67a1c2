/* x as tiles take it: sixteen rows of a piece of k are one block of memory.  Rows that are not there are
 * zeros.
 *
 *   bf16   [16 rows][piece of 32 numbers][row][number]      zeros behind the last number
 *   i8     [16 rows][block of 32 numbers] [row][number], then sixteen scales in f32, then, in f32, the scale
 *          times the sum of the block's numbers where a type has a minimum */
#ifndef OPS_AMX_TILES_X_H
#define OPS_AMX_TILES_X_H

#include "ops/amx/tiles.h"
#include "ops/simd/packed_x.h"

enum { X_UNITS = 32 /* bf16 numbers of a row in a tile */ };

typedef struct {
    unsigned char *bf16, *i8; /* NULL: no matrix needs it */
} TilesX;

static inline int64_t x_pieces(int64_t K)
{
    return (K + X_UNITS - 1) / X_UNITS;
}

static inline size_t bf16_row_tile(int64_t K)
{
    return (size_t)x_pieces(K) * TILE_BYTES;
}

/* Rows of an i8 tile: half of one where there are no more. */
static inline int64_t i8_rows(int64_t N)
{
    return N <= TILE_N / 2 ? TILE_N / 2 : TILE_N;
}

static inline size_t i8_row_tile(int64_t K, int64_t R)
{
    return (size_t)(K / DOT_BLOCK * R) * (DOT_BLOCK + 8);
}

/* Numbers `of`, which begin with a whole tile's, of row r of a tile. */
static inline void x_tile_bf16(unsigned char *to, const Tensor *x, int64_t n, SimdShare of)
{
    to += of.first / X_UNITS * TILE_BYTES;
    for (int64_t k = of.first; k < of.last; k += X_UNITS, to += TILE_BYTES) {
        uint16_t part[X_UNITS] = {0};
        for (int64_t i = 0; i < X_UNITS && k + i < x->cols; i += LANES) {
            int lanes = simd_lanes(k + i, x->cols);
            vec_store_bf16(part + i, simd_load(simd_row(x, n), x->dtype, k + i, lanes), lanes);
        }
        memcpy(to, part, sizeof part);
    }
}

/* Row r of a block, as x_round_block has it, bit for bit; its sum where it is wanted. */
SIMD_INLINE void x_block_i8(unsigned char *to, int64_t r, int64_t R, Vec a, Vec b, const bool sum)
{
    float *scales = (float *)(void *)(to + R * DOT_BLOCK);
    float d = vec_greatest(a, b) / 127.0f;
    bool normal = d >= FLT_MIN && d <= FLT_MAX;
    Vec inverse = vec_all(normal ? 1.0f / d : 0);
    __m512i low = _mm512_setzero_si512(), high = low;
    if (normal) {
        low = _mm512_cvtps_epi32(a * inverse);
        high = _mm512_cvtps_epi32(b * inverse);
    }
    _mm_storeu_si128((void *)(to + r * DOT_BLOCK), _mm512_cvtepi32_epi8(low));
    _mm_storeu_si128((void *)(to + r * DOT_BLOCK + DOT_BLOCK / 2), _mm512_cvtepi32_epi8(high));
    scales[r] = d;
    if (sum)
        scales[R + r] = d * (float)_mm512_reduce_add_epi32(_mm512_add_epi32(low, high));
}

SIMD_INLINE void x_blocks_i8(unsigned char *to, int64_t r, int64_t R, const void *row, const DType d,
                             SimdShare of, const bool sum)
{
    to += of.first / DOT_BLOCK * R * (DOT_BLOCK + 8);
    for (int64_t k = of.first; k < of.last; k += DOT_BLOCK, to += R * (DOT_BLOCK + 8))
        x_block_i8(to, r, R, simd_load(row, d, k, LANES), simd_load(row, d, k + LANES, LANES), sum);
}

/* Row r of a tile; `p` says which of the types there are. */
static inline void x_tile_i8(unsigned char *to, const PackedX *p, int64_t n, int64_t r, SimdShare of)
{
    const void *row = simd_row(p->x, n);
    int64_t R = i8_rows(p->x->rows);
    if (p->x->dtype == DTYPE_F32)
        x_blocks_i8(to, r, R, row, DTYPE_F32, of, p->min != 0);
    else if (p->min)
        x_blocks_i8(to, r, R, row, DTYPE_BF16, of, true);
    else
        x_blocks_i8(to, r, R, row, DTYPE_BF16, of, false);
}

/* Numbers `of` of a tile whose bytes for so many numbers are `each`: zeros. */
static inline void x_tile_clear(unsigned char *tile, size_t each, int64_t numbers, SimdShare of)
{
    size_t first = (size_t)(of.first / numbers), last = (size_t)((of.last + numbers - 1) / numbers);
    memset(tile + first * each, 0, (last - first) * each);
}

/* Numbers `of` of tiles of sixteen rows. */
static inline void tiles_x_round(const TilesX *t, const PackedX *p, SimdShare tiles, SimdShare of)
{
    int64_t K = p->x->cols;
    size_t block = (size_t)i8_rows(p->x->rows) * (DOT_BLOCK + 8);
    for (int64_t i = tiles.first; (t->bf16 || t->i8) && i < tiles.last; i++) {
        unsigned char *bf16 = t->bf16 + (size_t)i * bf16_row_tile(K),
                      *i8 = t->i8 + (size_t)i * i8_row_tile(K, i8_rows(p->x->rows));
        int64_t rows = p->x->rows - i * TILE_N;
        if (t->bf16 && rows < TILE_N)
            x_tile_clear(bf16, TILE_BYTES, X_UNITS, of);
        if (t->i8 && rows < TILE_N)
            x_tile_clear(i8, block, DOT_BLOCK, of);
        for (int64_t r = 0; r < TILE_N && r < rows; r++) {
            if (t->bf16)
                x_tile_bf16(bf16 + r * TILE_LINE, p->x, i * TILE_N + r, of);
            if (t->i8)
                x_tile_i8(i8, p, i * TILE_N + r, r, of);
        }
    }
}

#endif
