/* What attention needs of eight lanes besides vec.h: powers of two, a choice and a transposition. */
#ifndef OPS_AVX2_ATTENTION_LANES_H
#define OPS_AVX2_ATTENTION_LANES_H

#include "ops/avx2/vec.h"

/* 2^x within 3 ulp; 0 from -151 down, NaN for NaN.  2^(n + f), |f| <= 1/2; 2^f by a polynomial of least
 * greatest relative error, 7.5e-8. */
static inline Vec vec_exp2(Vec x)
{
    x = vec_max(vec_all(-151), vec_min(vec_all(129), x));
    Vec n = vec_round(x), f = x - n;
    Vec p = vec_all(0x1.5c08e6p-10f);
    p = vec_fma(p, f, vec_all(0x1.3d0c54p-7f));
    p = vec_fma(p, f, vec_all(0x1.c6b6e4p-5f));
    p = vec_fma(p, f, vec_all(0x1.ebf918p-3f));
    p = vec_fma(p, f, vec_all(0x1.62e428p-1f));
    p = vec_fma(p, f, vec_all(0x1.000002p+0f));
    return vec_scale(p, n);
}

/* yes in the lanes where a >= b, no in the others */
static inline Vec vec_where_ge(Vec a, Vec b, Vec yes, Vec no)
{
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_GE_OQ));
}

/* r[i] lane k becomes r[k] lane i: pairs, then fours within 128 bits, then the halves themselves. */
static inline __attribute__((always_inline)) void vec_transpose(Vec r[LANES])
{
    Vec t[LANES];
    for (int i = 0; i < LANES; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < LANES; i += 4) {
        r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xEE);
        r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; i++) {
        Vec low = r[i], high = r[i + 4];
        r[i] = _mm256_permute2f128_ps(low, high, 0x20);
        r[i + 4] = _mm256_permute2f128_ps(low, high, 0x31);
    }
}

#endif
