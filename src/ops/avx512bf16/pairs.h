/* The instructions of AVX-512 BF16; tests/emulated has the same in those of AVX-512 F.  Subnormal numbers,
 * products and sums are 0. */
#ifndef OPS_AVX512BF16_PAIRS_H
#define OPS_AVX512BF16_PAIRS_H

#include <immintrin.h>

/* sum + a b, of two bf16 a lane */
static inline __m512 pairs_dot(__m512 sum, __m512i a, __m512i b)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}

/* Sixteen numbers, rounded to the nearest, to even in between. */
static inline __m256i pairs_round(__m512 v)
{
    return (__m256i)_mm512_cvtneps_pbh(v);
}

/* The same of `low` in the lower half, of `high` in the other. */
static inline __m512i pairs_round_both(__m512 low, __m512 high)
{
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

#endif
