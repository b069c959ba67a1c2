/* The vectors of this folder: AVX-512's, with the instruction that stores bf16.  It takes subnormal numbers
 * for 0, which bf16_from_f32 does not. */
#ifndef OPS_AVX512BF16_VEC_H
#define OPS_AVX512BF16_VEC_H

#include "ops/avx512/lanes.h"

static inline __m256i vec_to_bf16(Vec v)
{
    return (__m256i)_mm512_cvtneps_pbh(v);
}

#include "ops/avx512/store.h" /* in terms of vec_to_bf16 */

#endif
