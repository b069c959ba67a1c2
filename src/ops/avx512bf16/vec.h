/* The vectors of this folder: AVX-512's, with the instruction that stores bf16.  It takes subnormal numbers
 * for 0, which bf16_from_f32 does not. */
#ifndef OPS_AVX512BF16_VEC_H
#define OPS_AVX512BF16_VEC_H

#include "ops/avx512/lanes.h"
#include "ops/avx512bf16/pairs.h"

static inline __m256i vec_to_bf16(Vec v)
{
    return pairs_round(v);
}

#include "ops/avx512/store.h" /* in terms of vec_to_bf16 */

#endif
