/* What packed products need of sixteen lanes besides vec.h, for simd/packed_lanes.h: whole numbers and f16.
 */
#ifndef OPS_AVX512_PACKED_LANES_H
#define OPS_AVX512_PACKED_LANES_H

#include "ops/avx512/lanes.h"

typedef uint32_t Lanes32 __attribute__((vector_size(64)));
typedef int32_t LanesSigned __attribute__((vector_size(64)));
typedef uint32_t Lanes32Unaligned __attribute__((vector_size(64), aligned(1), may_alias));

static inline Vec vec_from_f16(const unsigned char *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const void *)p));
}

static inline Vec vec_from_i32(Lanes32 a)
{
    return _mm512_cvtepi32_ps((__m512i)a);
}

/* The greatest magnitude among the two vectors, found among their bits: not-a-number is above infinity. */
static inline float vec_greatest(Vec a, Vec b)
{
    const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
    uint32_t top =
        _mm512_reduce_max_epu32(_mm512_max_epu32(_mm512_and_si512(_mm512_castps_si512(a), magnitude),
                                                 _mm512_and_si512(_mm512_castps_si512(b), magnitude)));
    return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128((int)top)));
}

/* To the nearest whole numbers, ties to even, which must be in [-128, 127]; returns their sum. */
static inline int vec_round_i8(int8_t *to, Vec x)
{
    __m512i whole = _mm512_cvtps_epi32(x);
    _mm_storeu_si128((void *)to, _mm512_cvtepi32_epi8(whole));
    return _mm512_reduce_add_epi32(whole);
}

#endif
