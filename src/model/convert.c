#include "model/convert.h"

#include <math.h>

#include "base/check.h"

enum { BLOCK = 1024 }; /* numbers that are f32 in between, in the nearest cache */

/* Elements are fetched and stored by memcpy, which a compiler makes a plain move, since files promise no
 * alignment. */
#define EACH(FromType, ToType, expression)                             \
    for (int64_t i = 0; i < n; i++) {                                  \
        FromType x;                                                    \
        memcpy(&x, (const char *)from + (size_t)i * sizeof x, sizeof x); \
        ToType y = (expression);                                       \
        memcpy((char *)to + (size_t)i * sizeof y, &y, sizeof y);       \
    }

static void widen(float *to, const void *from, DType dtype, int64_t n)
{
    switch (dtype) {
    case DTYPE_F32: memcpy(to, from, (size_t)n * sizeof *to); return;
    case DTYPE_BF16: EACH(uint16_t, float, bf16_to_f32(x)) return;
    case DTYPE_F16: EACH(uint16_t, float, f16_to_f32(x)) return;
    case DTYPE_F64: EACH(double, float, (float)x) return;
    default: check(dtype == DTYPE_F32);
    }
}

static void narrow(void *to, DType dtype, const float *from, int64_t n)
{
    switch (dtype) {
    case DTYPE_F32: memcpy(to, from, (size_t)n * sizeof *from); return;
    case DTYPE_BF16: EACH(float, uint16_t, bf16_from_f32(x)) return;
    case DTYPE_F16: EACH(float, uint16_t, f16_from_f32(x)) return;
    case DTYPE_F64: EACH(float, double, (double)x) return;
    default: check(dtype == DTYPE_F32);
    }
}

/* Rounds up to infinity from here on: halfway between the largest finite number and the next power of two. */
static double infinite_from(DType dtype)
{
    switch (dtype) {
    case DTYPE_F16: return 65520.0;
    case DTYPE_BF16: return 0x1.FFp127;
    case DTYPE_F32: return 0x1.FFFFFFp127;
    default: return INFINITY;
    }
}

static int64_t count_lost(const float *values, int64_t n, DType dtype)
{
    float limit = (float)infinite_from(dtype);
    int64_t lost = 0;
    for (int64_t i = 0; i < n; i++)
        lost += fabsf(values[i]) >= limit && !isinf(values[i]);
    return lost;
}

static int64_t count_lost_f64(const void *from, int64_t n)
{
    int64_t lost = 0;
    for (int64_t i = 0; i < n; i++) {
        double x;
        memcpy(&x, (const char *)from + (size_t)i * sizeof x, sizeof x);
        lost += fabs(x) >= infinite_from(DTYPE_F32) && !isinf(x);
    }
    return lost;
}

int64_t convert_floats(void *to, DType to_dtype, const void *from, DType from_dtype, int64_t n)
{
    size_t to_size = dtype_size(to_dtype), from_size = dtype_size(from_dtype);
    if (to_dtype == from_dtype) {
        if (n)
            memcpy(to, from, (size_t)n * to_size);
        return 0;
    }
    int64_t lost = 0;
    float block[BLOCK];
    for (int64_t at = 0; at < n; at += BLOCK) {
        int64_t count = n - at < BLOCK ? n - at : BLOCK;
        const char *source = (const char *)from + (size_t)at * from_size;
        widen(block, source, from_dtype, count);
        if (from_dtype == DTYPE_F64)
            lost += count_lost_f64(source, count);
        if (to_dtype == DTYPE_F16 || to_dtype == DTYPE_BF16)
            lost += count_lost(block, count, to_dtype);
        narrow((char *)to + (size_t)at * to_size, to_dtype, block, count);
    }
    return lost;
}
