/* Dot products of packed weights without instructions made for them: pairs of bytes in 16 bits, then in 32;
 * bf16 as f32. */
#ifndef OPS_AVX512_PACKED_DOTS_H
#define OPS_AVX512_PACKED_DOTS_H

#include "ops/avx512/packed_pairs.h"

/* Pairs of products summed in 16 bits, and they in 32 when those could be full. */
enum { NARROW = 1 };

static inline Lanes32 lanes_dot(Lanes32 sum, Lanes32 u, Lanes32 s)
{
    sum = (Lanes32)_mm512_add_epi16((__m512i)sum, _mm512_maddubs_epi16((__m512i)u, (__m512i)s));
    __asm__("" : "+v"(sum)); /* or all products come first, and there are not as many registers */
    return sum;
}

static inline Lanes32 lanes_dot_end(Lanes32 whole, Lanes32 sum, const int times)
{
    return whole + (Lanes32)_mm512_madd_epi16((__m512i)sum, _mm512_set1_epi16((short)times));
}

#endif
