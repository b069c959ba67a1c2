#ifndef OPS_SIMD_SWIGLU_H
#define OPS_SIMD_SWIGLU_H

#include "ops/simd/simd.h"

SIMD_INLINE void swiglu_vec(void *out, const void *gate, const void *up, DType d, int64_t stride, int64_t f,
                            int lanes)
{
    simd_prefetch(gate, d, f, stride);
    simd_prefetch(up, d, f, stride);
    Vec g = simd_load(gate, d, f, lanes);
    simd_store(out, d, f, g * simd_sigmoid(g) * simd_load(up, d, f, lanes), lanes);
}

/* stride: from one row of gate and up to the next */
SIMD_INLINE void swiglu_row(void *out, const void *gate, const void *up, DType d, int64_t stride, int64_t F)
{
    int64_t f = 0;
    for (; f + LANES <= F; f += LANES)
        swiglu_vec(out, gate, up, d, stride, f, LANES);
    if (f < F)
        swiglu_vec(out, gate, up, d, stride, f, (int)(F - f));
}

typedef struct {
    const Tensor *out, *gate_up;
} Swiglu;

static void swiglu_rows(const void *args, int64_t first, int64_t last)
{
    const Swiglu *a = (const Swiglu *)args;
    const Tensor *in = a->gate_up;
    int64_t F = a->out->cols;
    for (int64_t n = first; n < last; n++) {
        if (a->out->dtype == DTYPE_BF16)
            swiglu_row(tensor_bf16(a->out, n), tensor_bf16(in, n), tensor_bf16(in, n) + F, DTYPE_BF16,
                       in->stride, F);
        else
            swiglu_row(tensor_f32(a->out, n), tensor_f32(in, n), tensor_f32(in, n) + F, DTYPE_F32, in->stride,
                       F);
    }
}

static void simd_swiglu(Device *dev, Tensor *out, const Tensor *gate_up)
{
    Swiglu a = {out, gate_up};
    if (simd_takes(out))
        simd_each_row(dev, swiglu_rows, &a, out->rows, out->cols);
    else
        ops_ref.swiglu(dev, out, gate_up);
}

typedef struct {
    void *dgate, *dup;
    const void *dout, *gate, *up;
    int64_t dout_stride, stride; /* to the next row of dout, of gate and up */
} SwigluBack;

/* Reads a place before it writes it: dgate_up may be gate_up. */
SIMD_INLINE void swiglu_back_vec(const SwigluBack *a, DType d, int64_t f, int lanes)
{
    simd_prefetch(a->dout, d, f, a->dout_stride);
    simd_prefetch(a->gate, d, f, a->stride);
    simd_prefetch(a->up, d, f, a->stride);
    Vec g = simd_load(a->gate, d, f, lanes), u = simd_load(a->up, d, f, lanes),
        o = simd_load(a->dout, d, f, lanes);
    Vec s = simd_sigmoid(g), os = o * s;
    simd_store(a->dgate, d, f, os * u * vec_fma(g, vec_all(1) - s, vec_all(1)), lanes);
    simd_store(a->dup, d, f, os * g, lanes);
}

SIMD_INLINE void swiglu_back_row(const SwigluBack *a, DType d, int64_t F)
{
    int64_t f = 0;
    for (; f + LANES <= F; f += LANES)
        swiglu_back_vec(a, d, f, LANES);
    if (f < F)
        swiglu_back_vec(a, d, f, (int)(F - f));
}

static void simd_swiglu_back(Device *dev, Tensor *dgate_up, const Tensor *dout, const Tensor *gate_up)
{
    if (!simd_takes(dout)) {
        ops_ref.swiglu_back(dev, dgate_up, dout, gate_up);
        return;
    }
    int64_t F = dout->cols;
    size_t half = (size_t)F * dtype_size(dout->dtype);
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < dout->rows; n++) {
        SwigluBack a = {.dgate = simd_row(dgate_up, n),
                        .dout = simd_row(dout, n),
                        .gate = simd_row(gate_up, n),
                        .dout_stride = dout->stride,
                        .stride = gate_up->stride};
        a.dup = (char *)a.dgate + half;
        a.up = (const char *)a.gate + half;
        if (dout->dtype == DTYPE_BF16)
            swiglu_back_row(&a, DTYPE_BF16, F);
        else
            swiglu_back_row(&a, DTYPE_F32, F);
    }
}

#endif
