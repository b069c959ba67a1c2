/* Sixteen floats at a time: the vectors that ops/simd is written in, for AVX-512 F, BW, DQ, VL.  What stores
 * bf16 is in vec.h, because AVX-512 BF16 has an instruction for it; include that.  `lanes`: lanewise.h. */
#ifndef OPS_AVX512_LANES_H
#define OPS_AVX512_LANES_H

#include <immintrin.h>
#include <stdint.h>

typedef __m512 Vec; /* + - * / work on it lane by lane */
enum { LANES = 16 };

#define MM(name) _mm512_##name
#include "ops/simd/lanewise.h"

static inline __mmask16 vec_mask(int lanes)
{
    return (__mmask16)((1u << lanes) - 1);
}

static inline Vec vec_load_f32(const float *p, int lanes)
{
    return lanes == LANES ? _mm512_loadu_ps(p) : _mm512_maskz_loadu_ps(vec_mask(lanes), p);
}

static inline void vec_store_f32(float *p, Vec v, int lanes)
{
    if (lanes == LANES)
        _mm512_storeu_ps(p, v);
    else
        _mm512_mask_storeu_ps(p, vec_mask(lanes), v);
}

static inline Vec vec_load_bf16(const uint16_t *p, int lanes)
{
    __m256i half =
        lanes == LANES ? _mm256_loadu_si256((const void *)p) : _mm256_maskz_loadu_epi16(vec_mask(lanes), p);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

/* v with `fill` in the lanes that are not there */
static inline Vec vec_fill(Vec v, int lanes, float fill)
{
    return lanes == LANES ? v : _mm512_mask_mov_ps(vec_all(fill), vec_mask(lanes), v);
}

static inline Vec vec_round(Vec a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* a * 2^n, n whole in [-151, 129]; ends in 0 and infinity */
static inline Vec vec_scale(Vec a, Vec n)
{
    return _mm512_scalef_ps(a, n);
}

static inline float vec_sum(Vec v)
{
    return _mm512_reduce_add_ps(v);
}

static inline double vec_sum_f64(Vec v)
{
    __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(v)),
            high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1));
    return _mm512_reduce_add_pd(_mm512_add_pd(low, high));
}

static inline float vec_top(Vec v)
{
    return _mm512_reduce_max_ps(v);
}

#endif
