/* Dot products of packed weights: VNNI's instruction for bytes, AVX-512 BF16's for pairs. */
#ifndef OPS_AVX512BF16_PACKED_DOTS_H
#define OPS_AVX512BF16_PACKED_DOTS_H

#include "ops/avx512vnni/packed_bytes.h"

/* Subnormal products and sums are 0. */
static inline Vec lanes_dot_bf16(Vec sum, Lanes32 a, Lanes32 b)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}

#endif
