/* Dot products of packed weights: pairs of bytes in 16 bits, then in 32; bf16 as f32.  And
 * what packed products need of eight lanes besides vec.h. */
#ifndef OPS_AVX2_PACKED_DOTS_H
#define OPS_AVX2_PACKED_DOTS_H

#include "ops/avx2/vec.h"

typedef uint32_t Lanes32 __attribute__((vector_size(32)));
typedef int32_t LanesSigned __attribute__((vector_size(32)));
typedef uint32_t Lanes32Unaligned __attribute__((vector_size(32), aligned(1), may_alias));

static inline Vec vec_from_f16(const unsigned char *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const void *)p));
}

static inline Vec vec_from_i32(Lanes32 a)
{
    return _mm256_cvtepi32_ps((__m256i)a);
}

static inline __m128i greater_of_four(__m128i v)
{
    v = _mm_max_epu32(v, _mm_shuffle_epi32(v, 0x4E));
    return _mm_max_epu32(v, _mm_shuffle_epi32(v, 0xB1));
}

/* The greatest magnitude among the two vectors, found among their bits: not-a-number is above infinity. */
static inline float vec_greatest(Vec a, Vec b)
{
    const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
    __m256i top = _mm256_max_epu32(_mm256_and_si256(_mm256_castps_si256(a), magnitude),
                                   _mm256_and_si256(_mm256_castps_si256(b), magnitude));
    __m128i four = _mm_max_epu32(_mm256_castsi256_si128(top), _mm256_extracti128_si256(top, 1));
    return _mm_cvtss_f32(_mm_castsi128_ps(greater_of_four(four)));
}

/* To the nearest whole numbers, ties to even, which must be in [-128, 127]; returns their sum. */
static inline int vec_round_i8(int8_t *to, Vec x)
{
    __m256i whole = _mm256_cvtps_epi32(x);
    __m128i low = _mm256_castsi256_si128(whole), high = _mm256_extracti128_si256(whole, 1);
    __m128i words = _mm_packs_epi32(low, high), sum = _mm_add_epi32(low, high);
    _mm_storel_epi64((void *)to, _mm_packs_epi16(words, words));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
    return _mm_cvtsi128_si32(sum);
}

/* Pairs of products summed in 16 bits, and they in 32 when those could be full. */
enum { NARROW = 1 };

static inline Lanes32 lanes_dot(Lanes32 sum, Lanes32 u, Lanes32 s)
{
    sum = (Lanes32)_mm256_add_epi16((__m256i)sum, _mm256_maddubs_epi16((__m256i)u, (__m256i)s));
    __asm__("" : "+x"(sum)); /* or all products come first, and there are not as many registers */
    return sum;
}

static inline Lanes32 lanes_dot_end(Lanes32 whole, Lanes32 sum, const int times)
{
    return whole + (Lanes32)_mm256_madd_epi16((__m256i)sum, _mm256_set1_epi16((short)times));
}

static inline Vec lanes_dot_bf16(Vec sum, Lanes32 a, Lanes32 b)
{
    sum = vec_fma((Vec)(a << 16), (Vec)(b << 16), sum);
    return vec_fma((Vec)(a & 0xFFFF0000u), (Vec)(b & 0xFFFF0000u), sum);
}

#endif
