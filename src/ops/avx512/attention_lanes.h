/* What attention needs of sixteen lanes besides lanes.h: powers of two, a choice and a transposition. */
#ifndef OPS_AVX512_ATTENTION_LANES_H
#define OPS_AVX512_ATTENTION_LANES_H

#include "ops/avx512/lanes.h"

/* 2^x within 3 ulp; 0 for -infinity, NaN for NaN.  2^(n + f), 0 <= f < 1; 2^f by a polynomial of least
 * greatest relative error, 7.5e-8. */
static inline Vec vec_exp2(Vec x)
{
    Vec f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); /* 0 for infinities */
    Vec p = vec_all(0x1.ec320ap-10f);
    p = vec_fma(p, f, vec_all(0x1.26900ep-7f));
    p = vec_fma(p, f, vec_all(0x1.c95446p-5f));
    p = vec_fma(p, f, vec_all(0x1.ebd5a8p-3f));
    p = vec_fma(p, f, vec_all(0x1.62e4f6p-1f));
    p = vec_fma(p, f, vec_all(0x1.fffffep-1f));
    return _mm512_scalef_ps(p, x); /* which rounds x down itself */
}

/* yes in the lanes where a >= b, no in the others */
static inline Vec vec_where_ge(Vec a, Vec b, Vec yes, Vec no)
{
    return _mm512_mask_mov_ps(no, _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ), yes);
}

/* r[i] lane k becomes r[k] lane i: pairs, then fours within 128 bits, then the 128-bit parts themselves. */
static inline __attribute__((always_inline)) void vec_transpose(Vec r[LANES])
{
    Vec t[LANES];
    for (int i = 0; i < LANES; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < LANES; i += 4) {
        r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xEE);
        r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xDD);
        t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xDD);
    }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
        r[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xDD);
        r[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xDD);
    }
}

#endif
