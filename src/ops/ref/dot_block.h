/* Quantised numbers as the reference sees them: 32 of a row at a time, and rows of x rounded to i8. */
#ifndef OPS_REF_DOT_BLOCK_H
#define OPS_REF_DOT_BLOCK_H

#include "ops/packed_layout.h"

/* Number i is scale[i / 16] * (q[i] - zero) - min. */
typedef struct {
    int q[DOT_BLOCK], zero;
    float scale[2], min;
    bool has_halves,
        has_min; /* whether the type has two scales, or a minimum: what a product adds in which order */
} DotBlock;

/* Numbers k .. k + 31 of a row of a matrix of a quantised type; k is a multiple of 32. */
void ref_dot_block(DotBlock *out, const PackedMatrix *w, int64_t row, int64_t k);

/* x [n], n a multiple of 32, in blocks: q = x / d to the nearest whole number, ties to even, d = max|x| /
 * 127.  Where d is below the smallest normal float or not a number, all q are 0. */
typedef struct {
    int8_t q[DOT_BLOCK];
    float scale;
    int sum;
} RoundedBlock;
void ref_round_block(RoundedBlock *out, const float *x);

/* acc + the product of the two blocks.  A whole dot product (of each half, where they have scales of their
 * own) times both scales is added with one rounding, then the minimum times the sum of x is taken off with
 * one. */
float ref_add_dot(float acc, const DotBlock *w, const RoundedBlock *x);

#endif
