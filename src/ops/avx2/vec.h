/* Eight floats at a time: the vectors that ops/simd is written in, for AVX2 and FMA.  `lanes`: lanewise.h. */
#ifndef OPS_AVX2_VEC_H
#define OPS_AVX2_VEC_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

typedef __m256 Vec; /* + - * / work on it lane by lane */
enum { LANES = 8 };

#define MM(name) _mm256_##name
#include "ops/simd/lanewise.h"

static inline __m256i vec_mask(int lanes)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline Vec vec_load_f32(const float *p, int lanes)
{
    return lanes == LANES ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, vec_mask(lanes));
}

static inline void vec_store_f32(float *p, Vec v, int lanes)
{
    if (lanes == LANES)
        _mm256_storeu_ps(p, v);
    else
        _mm256_maskstore_ps(p, vec_mask(lanes), v);
}

/* AVX2 masks no 16-bit elements: the end of a row goes through eight of them on the stack. */
static inline Vec vec_load_bf16(const uint16_t *p, int lanes)
{
    uint16_t part[LANES] = {0};
    if (lanes < LANES) {
        memcpy(part, p, (size_t)lanes * sizeof *p);
        p = part;
    }
    return _mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)p)), 16));
}

/* Nearest even; NaN stays NaN: the same bits as bf16_from_f32. */
static inline __m128i vec_to_bf16(Vec v)
{
    __m256i bits = _mm256_castps_si256(v), upper = _mm256_srli_epi32(bits, 16);
    __m256i odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
    __m256i rounded =
        _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF))), 16);
    __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    rounded = _mm256_blendv_epi8(rounded, _mm256_or_si256(upper, _mm256_set1_epi32(0x40)), nan);
    return _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
}

static inline void vec_store_bf16(uint16_t *p, Vec v, int lanes)
{
    uint16_t part[LANES];
    _mm_storeu_si128((void *)(lanes < LANES ? part : p), vec_to_bf16(v));
    if (lanes < LANES)
        memcpy(p, part, (size_t)lanes * sizeof *p);
}

/* LANES of them past the caches, where p allows it: for what nobody reads soon.  vec_stream_end ends it. */
static inline void vec_stream_bf16(uint16_t *p, Vec v)
{
    if (((uintptr_t)p & 15) == 0)
        _mm_stream_si128((void *)p, vec_to_bf16(v));
    else
        vec_store_bf16(p, v, LANES);
}

/* v with `fill` in the lanes that are not there */
static inline Vec vec_fill(Vec v, int lanes, float fill)
{
    return lanes == LANES ? v : _mm256_blendv_ps(vec_all(fill), v, _mm256_castsi256_ps(vec_mask(lanes)));
}

static inline Vec vec_round(Vec a)
{
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

static inline Vec vec_power2(__m256i n) /* n in [-126, 127] */
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}

/* a * 2^n, n whole in [-151, 129]; ends in 0 and infinity.  In two steps: 2^n may be no float where the
 * product is. */
static inline Vec vec_scale(Vec a, Vec n)
{
    __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
    return a * vec_power2(half) * vec_power2(_mm256_sub_epi32(whole, half));
}

static inline float vec_sum(Vec v)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

static inline double vec_sum_f64(Vec v)
{
    __m256d s = _mm256_add_pd(_mm256_cvtps_pd(_mm256_castps256_ps128(v)),
                              _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)));
    __m128d t = _mm_add_pd(_mm256_castpd256_pd128(s), _mm256_extractf128_pd(s, 1));
    return _mm_cvtsd_f64(_mm_add_sd(t, _mm_unpackhi_pd(t, t)));
}

static inline float vec_top(Vec v)
{
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

#endif
