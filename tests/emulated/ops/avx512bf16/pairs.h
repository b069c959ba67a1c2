/* What the instructions of AVX-512 BF16 compute, by those of AVX-512 F (Intel 64 and IA-32 Architectures
 * Software Developer's Manual, VDPBF16PS and VCVTNEPS2BF16); only subnormal numbers are not taken for 0. */
#ifndef OPS_AVX512BF16_PAIRS_H
#define OPS_AVX512BF16_PAIRS_H

#include <immintrin.h>

static inline __m512 pairs_dot(__m512 sum, __m512i a, __m512i b)
{
    const __m512i odd = _mm512_set1_epi32((int)0xFFFF0000);
    sum = _mm512_fmadd_ps((__m512)_mm512_and_si512(a, odd), (__m512)_mm512_and_si512(b, odd), sum);
    return _mm512_fmadd_ps((__m512)_mm512_slli_epi32(a, 16), (__m512)_mm512_slli_epi32(b, 16), sum);
}

static inline __m256i pairs_round(__m512 v)
{
    __m512i bits = (__m512i)v, upper = _mm512_srli_epi32(bits, 16),
            half = _mm512_add_epi32(_mm512_and_si512(upper, _mm512_set1_epi32(1)), _mm512_set1_epi32(0x7FFF));
    __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(bits, half), 16);
    __mmask16 is_nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    return _mm512_cvtepi32_epi16(
        _mm512_mask_or_epi32(rounded, is_nan, upper, _mm512_set1_epi32(0x40))); /* a quiet one */
}

static inline __m512i pairs_round_both(__m512 low, __m512 high)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(pairs_round(low)), pairs_round(high), 1);
}

#endif
