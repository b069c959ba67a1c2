/* The vectors of this folder: lanes.h, and bf16 stored by integer instructions. */
#ifndef OPS_AVX512_VEC_H
#define OPS_AVX512_VEC_H

#include "ops/avx512/lanes.h"

/* Nearest even; NaN stays NaN: the same bits as bf16_from_f32. */
static inline __m256i vec_to_bf16(Vec v)
{
    __m512i bits = _mm512_castps_si512(v), upper = _mm512_srli_epi32(bits, 16);
    __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
    __m512i rounded =
        _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF))), 16);
    __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    return _mm512_cvtepi32_epi16(_mm512_mask_or_epi32(rounded, nan, upper, _mm512_set1_epi32(0x40)));
}

#include "ops/avx512/store.h" /* in terms of vec_to_bf16 */

#endif
