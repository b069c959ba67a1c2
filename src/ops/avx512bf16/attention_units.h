/* Attention's factors in bf16.  A unit is what one lane of vdpbf16ps takes: two neighbours along the
 * dimension that is summed over, in 32 bits.  simd/attention_f32.h has the same names for units of one f32,
 * so that the blocks, masks and sums of attention are one text for both. */
#ifndef OPS_AVX512BF16_ATTENTION_UNITS_H
#define OPS_AVX512BF16_ATTENTION_UNITS_H

#include "ops/avx512bf16/pairs.h"
#include "ops/simd/simd.h"

typedef uint32_t Unit;
typedef __m512i Units;
enum { STEP = 2 }; /* numbers in a unit */

/* Whether attention on q, and on tensors of its type, is made of these units; units_else does the rest. */
static inline bool units_take(const Tensor *q, const AttentionShape *s)
{
    return q->dtype == DTYPE_BF16 && s->D % STEP == 0;
}

static const Ops *const units_else = &ops_avx512;

SIMD_INLINE Units units_zero(void)
{
    return _mm512_setzero_si512();
}

SIMD_INLINE Units units_all(const Unit *p)
{
    return _mm512_set1_epi32((int)*p);
}

SIMD_INLINE Units units_load(const Unit *p)
{
    return _mm512_loadu_si512(p);
}

SIMD_INLINE void units_store(Unit *p, Units u, int lanes)
{
    if (lanes == LANES)
        _mm512_storeu_si512(p, u);
    else
        _mm512_mask_storeu_epi32(p, vec_mask(lanes), u);
}

/* Units first .. first + lanes - 1 of a tensor's row, which need not be aligned; 0 in the other lanes. */
SIMD_INLINE Units units_read(const void *row, DType d, int64_t first, int lanes)
{
    (void)d;
    const char *p = (const char *)row + first * (int64_t)sizeof(Unit);
    return lanes == LANES ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi32(vec_mask(lanes), p);
}

SIMD_INLINE void units_write(void *row, DType d, int64_t first, Units u, int lanes)
{
    (void)d;
    char *p = (char *)row + first * (int64_t)sizeof(Unit);
    if (lanes == LANES)
        _mm512_storeu_si512(p, u);
    else
        _mm512_mask_storeu_epi32(p, vec_mask(lanes), u);
}

/* sum + a b, lane by lane; subnormal products and sums are 0 */
SIMD_INLINE Vec units_dot(Vec sum, Units a, Units b)
{
    return pairs_dot(sum, a, b);
}

/* STEP rows of LANES numbers each, rounded, one row after the other. */
SIMD_INLINE Units units_round(const Vec rows[STEP])
{
    return pairs_round_both(rows[0], rows[1]);
}

/* The same as LANES units along the other dimension: number i of each row together. */
SIMD_INLINE Units units_weave(Units rounded)
{
    const Units order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7,
                                         22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(order, rounded);
}

/* The same as units along the rows: vector `vec` of STEP rows that lie `row` units apart. */
SIMD_INLINE void units_store_rows(Unit *to, int64_t row, int64_t vec, Units rounded)
{
    to += vec * (LANES / STEP);
    _mm256_storeu_si256((void *)to, _mm512_castsi512_si256(rounded));
    _mm256_storeu_si256((void *)(to + row), _mm512_extracti64x4_epi64(rounded, 1));
}

/* STEP rows of LANES units along the rows: as STEP * LANES units across them. */
SIMD_INLINE void units_zip(Units out[STEP], const Units rows[STEP])
{
    out[0] = units_weave(_mm512_inserti64x4(rows[0], _mm512_castsi512_si256(rows[1]), 1));
    out[1] = units_weave(_mm512_shuffle_i64x2(rows[0], rows[1], 0xEE));
}

SIMD_INLINE void units_transpose(Units r[LANES])
{
    Vec t[LANES];
    for (int i = 0; i < LANES; i++)
        t[i] = _mm512_castsi512_ps(r[i]);
    vec_transpose(t);
    for (int i = 0; i < LANES; i++)
        r[i] = _mm512_castps_si512(t[i]);
}

#endif
