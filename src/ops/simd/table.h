/* The table of an instruction set that has every kernel of this folder, for its table.c.  Before this header
 * come its vec.h, attention_lanes.h, packed_dots.h, and
 *
 *   SIMD_TABLE       what the table is called: ops_avx2
 *   ATTENTION(name)  as in attention.h: attention is compiled by itself
 *   PACKED(name)     as in matmul_packed.h and attention_paged.h: so is inference */
#ifndef OPS_SIMD_TABLE_H
#define OPS_SIMD_TABLE_H

#include "ops/simd/adamw.h"
#include "ops/simd/cast.h"
#include "ops/simd/cross_entropy.h"
#include "ops/simd/decode_rows.h"
#include "ops/simd/dropout.h"
#include "ops/simd/embed.h"
#include "ops/simd/embed_packed.h"
#include "ops/simd/kv_write.h"
#include "ops/simd/pack_weights.h"
#include "ops/simd/rmsnorm.h"
#include "ops/simd/rope.h"
#include "ops/simd/sum_squares.h"
#include "ops/simd/swiglu.h"

const Ops SIMD_TABLE = {
    .adamw = simd_adamw,
    .attention = ATTENTION(attention),
    .attention_back = ATTENTION(attention_back),
    .attention_paged = PACKED(attention_paged),
    .cast = simd_cast,
    .cross_entropy = simd_cross_entropy,
    .decode_rows = simd_decode_rows,
    .dropout = simd_dropout,
    .embed = simd_embed,
    .embed_back = simd_embed_back,
    .embed_packed = simd_embed_packed,
    .kv_write = simd_kv_write,
    .matmul_packed = PACKED(matmul_packed),
    .pack_weights = simd_pack_weights,
    .rmsnorm = simd_rmsnorm,
    .rmsnorm_back = simd_rmsnorm_back,
    .rope = simd_rope,
    .rope_back = simd_rope_back,
    .sum_squares = simd_sum_squares,
    .swiglu = simd_swiglu,
    .swiglu_back = simd_swiglu_back,
};

#endif
