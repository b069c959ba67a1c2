/* Causal attention in bf16 products: one vdpbf16ps is 32 multiplications and additions. */
#include "ops/avx512bf16/avx512bf16.h"
#include "ops/avx512bf16/vec.h"

#include "ops/avx512/attention_lanes.h"
#include "ops/avx512bf16/attention_units.h"

enum { TILE_ROWS = 4, TILE_VECS = 4 };
#include "ops/simd/attention_back.h"
#include "ops/simd/attention_cached.h"
#include "ops/simd/attention_forward.h"

static bool takes(const Tensor *q, const Tensor *lse, const AttentionShape *s)
{
    return q->dtype == DTYPE_BF16 && lse->dtype == DTYPE_F32 && s->D % STEP == 0;
}

void avx512bf16_attention(Device *dev, Tensor *out, Tensor *lse, const Tensor *q, const Tensor *k,
                          const Tensor *v, const Tensor *starts, const AttentionShape *s)
{
    if (takes(q, lse, s))
        simd_attention(dev, out, lse, q, k, v, starts, s);
    else
        ops_avx512.attention(dev, out, lse, q, k, v, starts, s);
}

void avx512bf16_attention_back(Device *dev, Tensor *dq, Tensor *dk, Tensor *dv, const Tensor *dout,
                               const Tensor *out, const Tensor *lse, const Tensor *q, const Tensor *k,
                               const Tensor *v, const Tensor *starts, const AttentionShape *s)
{
    if (takes(q, lse, s))
        simd_attention_back(dev, dq, dk, dv, dout, out, lse, q, k, v, starts, s);
    else
        ops_avx512.attention_back(dev, dq, dk, dv, dout, out, lse, q, k, v, starts, s);
}

void avx512bf16_attention_cached(Device *dev, Tensor *out, const Tensor *q, const Tensor *k, const Tensor *v,
                                 int64_t past, const AttentionShape *s)
{
    if (q->dtype == DTYPE_BF16 && s->D % STEP == 0)
        simd_attention_cached(dev, out, q, k, v, past, s);
    else
        ops_avx512.attention_cached(dev, out, q, k, v, past, s);
}
