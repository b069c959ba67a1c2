/* Dot products of packed weights: VNNI's instruction for bytes, AVX-512 BF16's for pairs. */
#ifndef OPS_AVX512BF16_PACKED_DOTS_H
#define OPS_AVX512BF16_PACKED_DOTS_H

#include "ops/avx512/packed_lanes.h"

static inline Lanes32 lanes_dot(Lanes32 sum, Lanes32 u, Lanes32 s)
{
    return (Lanes32)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)u, (__m512i)s);
}

static inline Lanes32 lanes_dot_full(Lanes32 sum, Lanes32 u, Lanes32 s)
{
    return lanes_dot(sum, u, s);
}

/* Subnormal products and sums are 0. */
static inline Vec lanes_dot_bf16(Vec sum, Lanes32 a, Lanes32 b)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}

#endif
