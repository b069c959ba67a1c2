/* Attention of one instruction set, for its attention.c.  Before this header come the lanes (vec.h and
 * attention_lanes.h), the units that products are made of (attention_f32.h or attention_units.h), and
 *
 *   TILE_ROWS, TILE_VECS  the tile of a product whose sums stay in registers: rows, and vectors of columns
 *   ATTENTION(name)       the public name: avx2_attention for attention */
#ifndef OPS_SIMD_ATTENTION_H
#define OPS_SIMD_ATTENTION_H

#include "ops/simd/attention_back.h"
#include "ops/simd/attention_forward.h"

void ATTENTION(attention)(Device *dev, Tensor *out, Tensor *lse, const Tensor *q, const Tensor *k,
                          const Tensor *v, const Tensor *starts, const AttentionShape *s)
{
    if (units_take(q, s) && lse->dtype == DTYPE_F32)
        simd_attention(dev, out, lse, q, k, v, starts, s);
    else
        units_else->attention(dev, out, lse, q, k, v, starts, s);
}

void ATTENTION(attention_back)(Device *dev, Tensor *dq, Tensor *dk, Tensor *dv, const Tensor *dout,
                               const Tensor *out, const Tensor *lse, const Tensor *q, const Tensor *k,
                               const Tensor *v, const Tensor *starts, const AttentionShape *s)
{
    if (units_take(q, s) && lse->dtype == DTYPE_F32)
        simd_attention_back(dev, dq, dk, dv, dout, out, lse, q, k, v, starts, s);
    else
        units_else->attention_back(dev, dq, dk, dv, dout, out, lse, q, k, v, starts, s);
}

#endif
