/* What vectors do that is the same at every width but for the prefix of the intrinsics' names: included by
 * a vec.h or lanes.h after its Vec, LANES and MM(name), which puts _mm256_ or _mm512_ before the name.
 *
 * In all of these headers `lanes` is how many of a vector's LANES elements there are: LANES in a loop's body,
 * fewer at the end of a row.  Elements that are not there are neither read nor written; a load gives 0 for
 * them. */
#ifndef OPS_SIMD_LANEWISE_H
#define OPS_SIMD_LANEWISE_H

static inline Vec vec_all(float x)
{
    return MM(set1_ps)(x);
}

/* a * b + c and c - a * b, rounded once */
static inline Vec vec_fma(Vec a, Vec b, Vec c)
{
    return MM(fmadd_ps)(a, b, c);
}

static inline Vec vec_fnma(Vec a, Vec b, Vec c)
{
    return MM(fnmadd_ps)(a, b, c);
}

/* The second where either is NaN, so a NaN in it stays. */
static inline Vec vec_max(Vec a, Vec b)
{
    return MM(max_ps)(a, b);
}

static inline Vec vec_min(Vec a, Vec b)
{
    return MM(min_ps)(a, b);
}

static inline Vec vec_sqrt(Vec a)
{
    return MM(sqrt_ps)(a);
}

/* Comes between vec_stream_bf16 and another thread's reading. */
static inline void vec_stream_end(void)
{
    _mm_sfence();
}

#endif
