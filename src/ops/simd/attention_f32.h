/* Attention's factors as f32: a unit is one number.  Tensors of bf16 are converted when they are packed.
 * avx512bf16/attention_units.h has the same names for units of two bf16; there each is explained. */
#ifndef OPS_SIMD_ATTENTION_F32_H
#define OPS_SIMD_ATTENTION_F32_H

#include "ops/simd/simd.h"

typedef float Unit;
typedef Vec Units;
enum { STEP = 1 };

static inline bool units_take(const Tensor *q, const AttentionShape *s)
{
    (void)s;
    return simd_takes(q);
}

static const Ops *const units_else = &ops_ref;

SIMD_INLINE Units units_zero(void)
{
    return vec_all(0);
}

SIMD_INLINE Units units_all(const Unit *p)
{
    return vec_all(*p);
}

SIMD_INLINE Units units_load(const Unit *p)
{
    return vec_load_f32(p, LANES);
}

SIMD_INLINE void units_store(Unit *p, Units u, int lanes)
{
    vec_store_f32(p, u, lanes);
}

SIMD_INLINE Units units_read(const void *row, DType d, int64_t first, int lanes)
{
    return simd_load(row, d, first, lanes);
}

SIMD_INLINE void units_write(void *row, DType d, int64_t first, Units u, int lanes)
{
    simd_store(row, d, first, u, lanes);
}

SIMD_INLINE Vec units_dot(Vec sum, Units a, Units b)
{
    return vec_fma(a, b, sum);
}

SIMD_INLINE Units units_round(const Vec rows[STEP])
{
    return rows[0];
}

SIMD_INLINE Units units_weave(Units rounded)
{
    return rounded;
}

SIMD_INLINE void units_store_rows(Unit *to, int64_t row, int64_t vec, Units rounded)
{
    (void)row;
    vec_store_f32(to + vec * LANES, rounded, LANES);
}

SIMD_INLINE void units_zip(Units out[STEP], const Units rows[STEP])
{
    out[0] = rows[0];
}

SIMD_INLINE void units_transpose(Units r[LANES])
{
    vec_transpose(r);
}

#endif
