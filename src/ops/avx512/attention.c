/* Causal attention in f32 products; bf16 is converted when it is packed. */
#include "ops/avx512/avx512.h"
#include "ops/avx512/vec.h"

#include "ops/avx512/attention_lanes.h"
#include "ops/simd/attention_f32.h"

enum { TILE_ROWS = 4, TILE_VECS = 4 };
#include "ops/simd/attention_back.h"
#include "ops/simd/attention_cached.h"
#include "ops/simd/attention_forward.h"

static bool takes(const Tensor *q, const Tensor *lse)
{
    return simd_takes(q) && lse->dtype == DTYPE_F32;
}

void avx512_attention(Device *dev, Tensor *out, Tensor *lse, const Tensor *q, const Tensor *k,
                      const Tensor *v, const Tensor *starts, const AttentionShape *s)
{
    if (takes(q, lse))
        simd_attention(dev, out, lse, q, k, v, starts, s);
    else
        ops_ref.attention(dev, out, lse, q, k, v, starts, s);
}

void avx512_attention_back(Device *dev, Tensor *dq, Tensor *dk, Tensor *dv, const Tensor *dout,
                           const Tensor *out, const Tensor *lse, const Tensor *q, const Tensor *k,
                           const Tensor *v, const Tensor *starts, const AttentionShape *s)
{
    if (takes(q, lse))
        simd_attention_back(dev, dq, dk, dv, dout, out, lse, q, k, v, starts, s);
    else
        ops_ref.attention_back(dev, dq, dk, dv, dout, out, lse, q, k, v, starts, s);
}

void avx512_attention_cached(Device *dev, Tensor *out, const Tensor *q, const Tensor *k, const Tensor *v,
                             int64_t past, const AttentionShape *s)
{
    if (simd_takes(q))
        simd_attention_cached(dev, out, q, k, v, past, s);
    else
        ops_ref.attention_cached(dev, out, q, k, v, past, s);
}
