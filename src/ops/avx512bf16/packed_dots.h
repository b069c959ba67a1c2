/* Dot products of packed weights: VNNI's instruction for bytes, AVX-512 BF16's for pairs. */
#ifndef OPS_AVX512BF16_PACKED_DOTS_H
#define OPS_AVX512BF16_PACKED_DOTS_H

#include "ops/avx512bf16/pairs.h"
#include "ops/avx512vnni/packed_bytes.h"

static inline Vec lanes_dot_bf16(Vec sum, Lanes32 a, Lanes32 b)
{
    return pairs_dot(sum, (__m512i)a, (__m512i)b);
}

#endif
