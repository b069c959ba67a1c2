/* Dot products of packed weights without instructions made for them: pairs of bytes to 16 bits, which
 * saturate, then to 32; bf16 as f32. */
#ifndef OPS_AVX512_PACKED_DOTS_H
#define OPS_AVX512_PACKED_DOTS_H

#include "ops/avx512/packed_pairs.h"

static inline Lanes32 lanes_dot(Lanes32 sum, Lanes32 u, Lanes32 s)
{
    __m512i pairs = _mm512_maddubs_epi16((__m512i)u, (__m512i)s);
    return sum + (Lanes32)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
}

/* In two parts of seven bits and one, so that nothing saturates: u = 2 (u >> 1) + (u & 1). */
static inline Lanes32 lanes_dot_full(Lanes32 sum, Lanes32 u, Lanes32 s)
{
    Lanes32 half = lanes_dot((Lanes32){0}, u >> 1 & 0x7F7F7F7Fu, s);
    return lanes_dot(sum + half + half, u & 0x01010101u, s);
}

#endif
