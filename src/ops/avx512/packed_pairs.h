/* Pairs of bf16 without an instruction made for them: two products as f32, one behind the other. */
#ifndef OPS_AVX512_PACKED_PAIRS_H
#define OPS_AVX512_PACKED_PAIRS_H

#include "ops/avx512/packed_lanes.h"

static inline Vec lanes_dot_bf16(Vec sum, Lanes32 a, Lanes32 b)
{
    sum = vec_fma((Vec)(a << 16), (Vec)(b << 16), sum);
    return vec_fma((Vec)(a & 0xFFFF0000u), (Vec)(b & 0xFFFF0000u), sum);
}

#endif
