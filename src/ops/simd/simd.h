/* Kernels in vectors of any width.  The headers of this folder are included once by the table.c of an
 * instruction set, after its vec.h, which says what a Vec is and how wide: one text, compiled for AVX2,
 * AVX-512 and AVX-512 BF16.
 *
 * Here is what they share: loads and stores by element type, exp and sigmoid, and each thread's share of the
 * work. A kernel's work on one vector is a function of the element types and of `lanes`, how many elements
 * there are: LANES in the body of the loop over a row, fewer in the call after it.  All are constants where
 * it is called, so that inlining leaves straight code. */
#ifndef OPS_SIMD_SIMD_H
#define OPS_SIMD_SIMD_H

#include <math.h>
#include <omp.h>

#include "ops/select.h"

#define SIMD_INLINE static inline __attribute__((always_inline))

/* The types kernels are written for; the rest is ops_ref's. */
static inline bool simd_takes(const Tensor *t)
{
    return t->dtype == DTYPE_F32 || t->dtype == DTYPE_BF16;
}

static inline void *simd_row(const Tensor *t, int64_t r)
{
    return t->dtype == DTYPE_BF16 ? (void *)tensor_bf16(t, r) : (void *)tensor_f32(t, r);
}

SIMD_INLINE Vec simd_load(const void *row, DType d, int64_t i, int lanes)
{
    return d == DTYPE_BF16 ? vec_load_bf16((const uint16_t *)row + i, lanes)
                           : vec_load_f32((const float *)row + i, lanes);
}

SIMD_INLINE void simd_store(void *row, DType d, int64_t i, Vec v, int lanes)
{
    if (d == DTYPE_BF16)
        vec_store_bf16((uint16_t *)row + i, v, lanes);
    else
        vec_store_f32((float *)row + i, v, lanes);
}

/* How many of a vector's elements a row of n still has at i: LANES or the rest. */
SIMD_INLINE int simd_lanes(int64_t i, int64_t n)
{
    return n - i < LANES ? (int)(n - i) : LANES;
}

/* Asks for what a later iteration reads, `ahead` elements on; may lie past the end.  The processor's own
 * prefetching stops at each page of 4 kB, which is about a row: asking one row ahead halves the time of a
 * pass over cold rows. */
SIMD_INLINE void simd_prefetch(const void *row, DType d, int64_t i, int64_t ahead)
{
    __builtin_prefetch((const void *)((uintptr_t)row + (uintptr_t)(i + ahead) * (d == DTYPE_BF16 ? 2 : 4)));
}

/* Adds the squares of x[0..n) to sum[0..3]: four sums, because one would wait for itself. */
SIMD_INLINE void simd_add_squares(Vec sum[4], const float *x, int64_t n)
{
    int64_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
        for (int k = 0; k < 4; k++) {
            Vec a = vec_load_f32(x + i + k * LANES, LANES);
            sum[k] = vec_fma(a, a, sum[k]);
        }
    }
    for (; i < n; i += LANES) {
        Vec a = vec_load_f32(x + i, simd_lanes(i, n));
        sum[0] = vec_fma(a, a, sum[0]);
    }
}

/* exp(x) for x in [-104, 89] or NaN, within 1 ulp.
 * x = n ln 2 + r with |r| <= ln 2 / 2, ln 2 in two parts of which n times the first is exact (Cody & Waite
 * 1980); exp(r) = 1 + r + r^2 q(r), q by least squares weighted towards the smallest greatest error, 3e-9. */
static inline Vec simd_exp_within(Vec x)
{
    Vec n = vec_round(x * vec_all(0x1.715476p+0f));
    Vec r = vec_fnma(n, vec_all(0x1.62e4p-1f), x);
    r = vec_fnma(n, vec_all(0x1.7f7d1cp-20f), r);
    Vec q = vec_all(0x1.6a2434p-10f);
    q = vec_fma(q, r, vec_all(0x1.1239e2p-7f));
    q = vec_fma(q, r, vec_all(0x1.5558f2p-5f));
    q = vec_fma(q, r, vec_all(0x1.555492p-3f));
    q = vec_fma(q, r, vec_all(0x1.fffffcp-2f));
    return vec_scale(vec_fma(r * r, q, r) + vec_all(1), n);
}

/* exp of anything: 0 below the smallest subnormal, infinity above the largest float, NaN for NaN. */
static inline Vec simd_exp(Vec x)
{
    return simd_exp_within(vec_max(vec_all(-104), vec_min(vec_all(89), x)));
}

/* 1 / (1 + exp(-x)); not below 2e-38. */
static inline Vec simd_sigmoid(Vec x)
{
    return vec_all(1) /
           (vec_all(1) + simd_exp_within(vec_max(vec_all(-104), vec_min(vec_all(87), vec_all(0) - x))));
}

/* This thread's part of [0, total), cut at multiples of `unit`: the same part whenever the threads are as
 * many. */
typedef struct {
    int64_t first, last;
} SimdShare;

static inline SimdShare simd_share(int64_t total, int64_t unit)
{
    int64_t units = (total + unit - 1) / unit, threads = omp_get_num_threads(), me = omp_get_thread_num();
    int64_t first = units * me / threads * unit, last = units * (me + 1) / threads * unit;
    return (SimdShare){first < total ? first : total, last < total ? last : total};
}

/* Calls work(args, first, last) for rows [0, rows), in shares of the threads.  So few numbers that a thread
 * alone is done with them before another has woken up (1 us on a quiet machine, and up to a millisecond on a
 * busy one) are not shared: a token that is decoded goes through five such operations a layer. */
enum { SIMD_ALONE = 1 << 15 };
typedef void SimdRows(const void *args, int64_t first, int64_t last);

static inline void simd_each_row(const Device *dev, SimdRows *work, const void *args, int64_t rows,
                                 int64_t cols)
{
    if (rows * cols <= SIMD_ALONE) {
        work(args, 0, rows);
        return;
    }
#pragma omp parallel num_threads(dev->threads)
    {
        SimdShare part = simd_share(rows, 1);
        work(args, part.first, part.last);
    }
}

#endif
