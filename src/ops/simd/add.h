#ifndef OPS_SIMD_ADD_H
#define OPS_SIMD_ADD_H

#include "ops/simd/simd.h"

SIMD_INLINE void add_vec(float *out, const float *a, const float *b, int64_t i, int lanes)
{
    vec_store_f32(out + i, vec_load_f32(a + i, lanes) + vec_load_f32(b + i, lanes), lanes);
}

static void simd_add(Device *dev, Tensor *out, const Tensor *a, const Tensor *b)
{
    if (out->dtype != DTYPE_F32) {
        ops_ref.add(dev, out, a, b);
        return;
    }
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < out->rows; n++) {
        int64_t i = 0, C = out->cols;
        for (; i + LANES <= C; i += LANES)
            add_vec(tensor_f32(out, n), tensor_f32(a, n), tensor_f32(b, n), i, LANES);
        if (i < C)
            add_vec(tensor_f32(out, n), tensor_f32(a, n), tensor_f32(b, n), i, (int)(C - i));
    }
}

#endif
