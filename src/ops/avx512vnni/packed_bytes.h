/* Dot products of bytes by VNNI's instruction. */
#ifndef OPS_AVX512VNNI_PACKED_BYTES_H
#define OPS_AVX512VNNI_PACKED_BYTES_H

#include "ops/avx512/packed_lanes.h"

enum { NARROW = 0 };

static inline Lanes32 lanes_dot(Lanes32 sum, Lanes32 u, Lanes32 s)
{
    return (Lanes32)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)u, (__m512i)s);
}

static inline Lanes32 lanes_dot_end(Lanes32 whole, Lanes32 sum, const int times)
{
    (void)whole, (void)times;
    return sum;
}

#endif
