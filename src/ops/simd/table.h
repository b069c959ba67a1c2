/* The table of an instruction set that has every kernel of this folder, for its table.c.  Before this header
 * come its vec.h and
 *
 *   SIMD_TABLE       what the table is called: ops_avx2
 *   ATTENTION(name)  as in attention.h: attention is compiled by itself */
#ifndef OPS_SIMD_TABLE_H
#define OPS_SIMD_TABLE_H

#include "ops/simd/adamw.h"
#include "ops/simd/add.h"
#include "ops/simd/cast.h"
#include "ops/simd/cross_entropy.h"
#include "ops/simd/embed.h"
#include "ops/simd/rmsnorm.h"
#include "ops/simd/rope.h"
#include "ops/simd/sum_squares.h"
#include "ops/simd/swiglu.h"

const Ops SIMD_TABLE = {
    .adamw = simd_adamw,
    .add = simd_add,
    .attention = ATTENTION(attention),
    .attention_back = ATTENTION(attention_back),
    .attention_cached = ATTENTION(attention_cached),
    .cast = simd_cast,
    .cross_entropy = simd_cross_entropy,
    .embed = simd_embed,
    .embed_back = simd_embed_back,
    .rmsnorm = simd_rmsnorm,
    .rmsnorm_back = simd_rmsnorm_back,
    .rope = simd_rope,
    .rope_back = simd_rope_back,
    .sum_squares = simd_sum_squares,
    .swiglu = simd_swiglu,
    .swiglu_back = simd_swiglu_back,
};

#endif
