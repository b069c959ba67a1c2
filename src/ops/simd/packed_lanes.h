/* Sixteen lanes, one to a row of a panel, in as many vectors as they take: what packed products are written
 * in.  Before this header come vec.h and the folder's packed_dots.h, which has what differs between
 * instruction sets:
 *
 *   vec_from_f16(p)             LANES f16 as f32
 *   vec_from_i32(a)             LANES whole numbers as f32
 *   NARROW                      whether sums of dot products have 16 bits at first, two to a lane
 *   lanes_dot(sum, u, s)        sum + the products of four u8 of u with four i8 of s, in each lane; where
 *                               NARROW, of two of them in each half of it, modulo 2^16
 *   lanes_dot_end(whole, sum, times)
 *                               whole + times such a sum of a lane, whose halves are in [-2^15, 2^15); not
 *                               NARROW: the sum
 *   lanes_dot_bf16(sum, a, b)   sum + the two products of bf16 in each lane */
#ifndef OPS_SIMD_PACKED_LANES_H
#define OPS_SIMD_PACKED_LANES_H

#include "ops/packed_layout.h"
#include "ops/simd/simd.h"

enum { PARTS = PACKED_ROWS / LANES };

typedef struct {
    Lanes32 v[PARTS];
} Words;

typedef struct {
    Vec v[PARTS];
} Sums;

#define EACH_PART(expression)       \
    for (int i = 0; i < PARTS; i++) \
    expression

SIMD_INLINE Words words_load(const void *p)
{
    Words w;
    EACH_PART(w.v[i] = *(const Lanes32Unaligned *)((const char *)p + i * 4 * LANES));
    return w;
}

SIMD_INLINE void words_store(void *p, Words w)
{
    EACH_PART(*(Lanes32Unaligned *)((char *)p + i * 4 * LANES) = w.v[i]);
}

/* A word in all lanes. */
SIMD_INLINE Words words_all(uint32_t x)
{
    Words w;
    EACH_PART(w.v[i] = x - (Lanes32){0});
    return w;
}

SIMD_INLINE Words words_and(Words a, uint32_t mask)
{
    EACH_PART(a.v[i] &= mask);
    return a;
}

SIMD_INLINE Words words_or(Words a, Words b)
{
    EACH_PART(a.v[i] |= b.v[i]);
    return a;
}

SIMD_INLINE Words words_right(Words a, int n)
{
    EACH_PART(a.v[i] >>= n);
    return a;
}

SIMD_INLINE Words words_left(Words a, int n)
{
    EACH_PART(a.v[i] <<= n);
    return a;
}

/* Byte n of each lane, with its sign. */
SIMD_INLINE Words words_signed_byte(Words a, int n)
{
    a = words_left(a, 24 - 8 * n);
    EACH_PART(a.v[i] = (Lanes32)((LanesSigned)a.v[i] >> 24));
    return a;
}

/* The compiler loads nothing across it: what unrolled steps load alike, or need later, would take registers
 * that are not there.  Where sums are NARROW, which takes more of them. */
SIMD_INLINE void compiler_fence(void)
{
    if (NARROW)
        __asm__ volatile("" : : : "memory");
}

/* sum + w x, four numbers a lane; x is 32 bits of memory, the same for all lanes. */
SIMD_INLINE Words words_dot(Words sum, Words w, const uint32_t *x)
{
    Lanes32 all = *x - (Lanes32){0};
    EACH_PART(sum.v[i] = lanes_dot(sum.v[i], w.v[i], all));
    return sum;
}

SIMD_INLINE Words words_dot_end(Words whole, Words sum, const int times)
{
    EACH_PART(whole.v[i] = lanes_dot_end(whole.v[i], sum.v[i], times));
    return whole;
}

SIMD_INLINE Sums sums_all(float x)
{
    Sums s;
    EACH_PART(s.v[i] = vec_all(x));
    return s;
}

SIMD_INLINE Sums sums_load(const float *p)
{
    Sums s;
    EACH_PART(s.v[i] = vec_load_f32(p + i * LANES, LANES));
    return s;
}

SIMD_INLINE void sums_store(float *p, Sums s)
{
    EACH_PART(vec_store_f32(p + i * LANES, s.v[i], LANES));
}

SIMD_INLINE Sums sums_of_words(Words w)
{
    Sums s;
    EACH_PART(s.v[i] = vec_from_i32(w.v[i]));
    return s;
}

/* Sixteen f16. */
SIMD_INLINE Sums sums_of_f16(const unsigned char *p)
{
    Sums s;
    EACH_PART(s.v[i] = vec_from_f16(p + i * 2 * LANES));
    return s;
}

SIMD_INLINE Sums sums_times(Sums a, Sums b)
{
    EACH_PART(a.v[i] = a.v[i] * b.v[i]);
    return a;
}

/* a b + c, and c - a b */
SIMD_INLINE Sums sums_fma(Sums a, Sums b, Sums c)
{
    EACH_PART(c.v[i] = vec_fma(a.v[i], b.v[i], c.v[i]));
    return c;
}

SIMD_INLINE Sums sums_fnma(Sums a, Sums b, Sums c)
{
    EACH_PART(c.v[i] = vec_fnma(a.v[i], b.v[i], c.v[i]));
    return c;
}

/* As bf16 has it. */
static inline Vec vec_rounded(Vec x)
{
    uint16_t rounded[LANES];
    vec_store_bf16(rounded, x, LANES);
    return vec_load_bf16(rounded, LANES);
}

/* How many products a word of a plain type takes part in, one behind the other, and of what numbers: pairs of
 * bf16 are two of f32 where bf16 widens. */
SIMD_INLINE int word_parts(const QuantType type, const bool widens)
{
    return type == QUANT_BF16 && widens ? 2 : 1;
}

SIMD_INLINE QuantType part_type(const QuantType type, const bool widens)
{
    return word_parts(type, widens) == 2 ? QUANT_F32 : type;
}

/* A word's first numbers or its second ones: pairs made wide, or all there is. */
SIMD_INLINE Words word_part(Words word, const int parts, int i)
{
    return parts == 1 ? word : i == 0 ? words_left(word, 16) : words_and(word, 0xFFFF0000u);
}

/* sum + w x of a plain type: two bf16 or one f32 a lane. */
SIMD_INLINE Sums sums_dot(Sums sum, Words w, const uint32_t *x, const QuantType type)
{
    Lanes32 all = *x - (Lanes32){0};
    EACH_PART(sum.v[i] = type == QUANT_BF16 ? lanes_dot_bf16(sum.v[i], w.v[i], all)
                                            : vec_fma((Vec)w.v[i], (Vec)all, sum.v[i]));
    return sum;
}

/* y = s, or y += s, from column `col` of a row on, so many of the lanes. */
SIMD_INLINE void sums_put(const Tensor *y, int64_t row, int64_t col, Sums s, int64_t lanes, bool add_to)
{
    char *to = (char *)simd_row(y, row) + col * (y->dtype == DTYPE_BF16 ? 2 : 4);
    for (int i = 0; i < PARTS && i * LANES < lanes; i++) {
        int n = simd_lanes(i * LANES, lanes);
        if (add_to)
            s.v[i] = s.v[i] + simd_load(to, y->dtype, i * LANES, n);
        simd_store(to, y->dtype, i * LANES, s.v[i], n);
    }
}

#endif
