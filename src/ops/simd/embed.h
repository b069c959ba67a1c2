#ifndef OPS_SIMD_EMBED_H
#define OPS_SIMD_EMBED_H

#include "ops/simd/cast.h"

static void simd_embed(Device *dev, Tensor *out, const Tensor *table, const Tensor *ids)
{
    if (out->dtype != DTYPE_F32 || !simd_takes(table)) {
        ops_ref.embed(dev, out, table, ids);
        return;
    }
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < out->rows; n++)
        simd_convert(out, n, table, tensor_i32(ids, 0)[n], 0, out->cols);
}

SIMD_INLINE void embed_add_vec(float *to, const float *from, int64_t i, int lanes)
{
    vec_store_f32(to + i, vec_load_f32(to + i, lanes) + vec_load_f32(from + i, lanes), lanes);
}

/* Each thread goes through all rows and adds its own columns, whole cache lines of them: rows of equal id are
 * added in order whatever the thread count, and no two threads write to one line. */
static void simd_embed_back(Device *dev, Tensor *dtable, const Tensor *dout, const Tensor *ids)
{
    if (dtable->dtype != DTYPE_F32 || dout->dtype != DTYPE_F32) {
        ops_ref.embed_back(dev, dtable, dout, ids);
        return;
    }
#pragma omp parallel num_threads(dev->threads)
    {
        SimdShare part = simd_share(dout->cols, 16);
        for (int64_t n = 0; n < dout->rows; n++) {
            float *to = tensor_f32(dtable, tensor_i32(ids, 0)[n]);
            const float *from = tensor_f32(dout, n);
            int64_t c = part.first;
            for (; c + LANES <= part.last; c += LANES)
                embed_add_vec(to, from, c, LANES);
            if (c < part.last)
                embed_add_vec(to, from, c, (int)(part.last - c));
        }
    }
}

#endif
