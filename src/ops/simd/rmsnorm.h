#ifndef OPS_SIMD_RMSNORM_H
#define OPS_SIMD_RMSNORM_H

#include "ops/simd/simd.h"

static inline float rmsnorm_squares(const float *x, int64_t C)
{
    Vec sum[4] = {vec_all(0), vec_all(0), vec_all(0), vec_all(0)};
    simd_add_squares(sum, x, C);
    return vec_sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

SIMD_INLINE void rmsnorm_vec(void *out, DType d, const float *x, const float *w, Vec r, int64_t c, int lanes)
{
    simd_store(out, d, c, vec_load_f32(x + c, lanes) * r * vec_load_f32(w + c, lanes), lanes);
}

SIMD_INLINE void rmsnorm_row(void *out, DType d, const float *x, const float *w, float r, int64_t C)
{
    int64_t c = 0;
    for (; c + LANES <= C; c += LANES)
        rmsnorm_vec(out, d, x, w, vec_all(r), c, LANES);
    if (c < C)
        rmsnorm_vec(out, d, x, w, vec_all(r), c, (int)(C - c));
}

typedef struct {
    const Tensor *out, *rstd, *x, *w;
    float eps;
} Rmsnorm;

static void rmsnorm_rows(const void *args, int64_t first, int64_t last)
{
    const Rmsnorm *a = (const Rmsnorm *)args;
    int64_t C = a->x->cols;
    const float *w = tensor_f32(a->w, 0);
    for (int64_t n = first; n < last; n++) {
        const float *x = tensor_f32(a->x, n);
        float r = 1 / sqrtf(rmsnorm_squares(x, C) / (float)C + a->eps);
        if (a->out->dtype == DTYPE_BF16)
            rmsnorm_row(tensor_bf16(a->out, n), DTYPE_BF16, x, w, r, C);
        else
            rmsnorm_row(tensor_f32(a->out, n), DTYPE_F32, x, w, r, C);
        if (a->rstd)
            tensor_f32(a->rstd, 0)[n] = r;
    }
}

static void simd_rmsnorm(Device *dev, Tensor *out, Tensor *rstd, const Tensor *x, const Tensor *w, float eps)
{
    if (!simd_takes(out) || x->dtype != DTYPE_F32 || w->dtype != DTYPE_F32 ||
        (rstd && rstd->dtype != DTYPE_F32)) {
        ops_ref.rmsnorm(dev, out, rstd, x, w, eps);
        return;
    }
    Rmsnorm a = {out, rstd, x, w, eps};
    simd_each_row(dev, rmsnorm_rows, &a, x->rows, x->cols);
}

/* One row of the backward pass; the formulas are in ref/rmsnorm.c.  dw_sum is this thread's, and stays in its
 * cache. */
typedef struct {
    float *dx, *dw_sum;
    uint16_t *dx_cast; /* or NULL */
    const void *dout;
    const float *x, *w;
    float rstd;
} RmsnormBack;

SIMD_INLINE Vec rmsnorm_back_mean_vec(const RmsnormBack *a, DType d, Vec sum, int64_t c, int lanes)
{
    Vec g = simd_load(a->dout, d, c, lanes) * vec_load_f32(a->w + c, lanes);
    return vec_fma(g, vec_load_f32(a->x + c, lanes), sum);
}

SIMD_INLINE void rmsnorm_back_vec(const RmsnormBack *a, DType d, Vec mean, int64_t c, int lanes)
{
    Vec dout = simd_load(a->dout, d, c, lanes), xh = vec_load_f32(a->x + c, lanes) * vec_all(a->rstd);
    Vec g = dout * vec_load_f32(a->w + c, lanes);
    Vec dx = vec_fma(vec_all(a->rstd), vec_fnma(xh, mean, g), vec_load_f32(a->dx + c, lanes));
    vec_store_f32(a->dx + c, dx, lanes);
    if (a->dx_cast)
        vec_store_bf16(a->dx_cast + c, dx, lanes);
    vec_store_f32(a->dw_sum + c, vec_fma(dout, xh, vec_load_f32(a->dw_sum + c, lanes)), lanes);
}

SIMD_INLINE void rmsnorm_back_row(const RmsnormBack *a, DType d, int64_t C)
{
    Vec sum = vec_all(0), more = vec_all(0);
    int64_t c = 0;
    for (; c + 2 * LANES <= C; c += 2 * LANES) {
        sum = rmsnorm_back_mean_vec(a, d, sum, c, LANES);
        more = rmsnorm_back_mean_vec(a, d, more, c + LANES, LANES);
    }
    for (; c < C; c += LANES)
        sum = rmsnorm_back_mean_vec(a, d, sum, c, simd_lanes(c, C));
    Vec mean = vec_all(vec_sum(sum + more) * a->rstd / (float)C);
    for (c = 0; c + LANES <= C; c += LANES)
        rmsnorm_back_vec(a, d, mean, c, LANES);
    if (c < C)
        rmsnorm_back_vec(a, d, mean, c, (int)(C - c));
}

static void simd_rmsnorm_back(Device *dev, Tensor *dx, Tensor *dx_cast, Tensor *dw, const Tensor *dout,
                              const Tensor *x, const Tensor *w, const Tensor *rstd)
{
    const Tensor *f32[] = {dx, dw, x, w, rstd};
    bool ours = simd_takes(dout);
    for (int i = 0; i < 5; i++)
        ours = ours && f32[i]->dtype == DTYPE_F32;
    int64_t C = x->cols, apart = (C + 15) / 16 * 16; /* threads' sums in cache lines of their own */
    float *sums = ours ? device_scratch(dev, (size_t)(dev->threads * apart) * sizeof *sums) : NULL;
    if (!ours)
        ops_ref.rmsnorm_back(dev, dx, dx_cast, dw, dout, x, w, rstd);
    if (!sums)
        return;
    memset(sums, 0, (size_t)(dev->threads * apart) * sizeof *sums);
#pragma omp parallel num_threads(dev->threads)
    {
        SimdShare part = simd_share(x->rows, 1);
        RmsnormBack a = {.dw_sum = sums + omp_get_thread_num() * apart, .w = tensor_f32(w, 0)};
        for (int64_t n = part.first; n < part.last; n++) {
            a.dx = tensor_f32(dx, n);
            a.dx_cast = dx_cast ? tensor_bf16(dx_cast, n) : NULL;
            a.dout = simd_row(dout, n);
            a.x = tensor_f32(x, n);
            a.rstd = tensor_f32(rstd, 0)[n];
            if (dout->dtype == DTYPE_BF16)
                rmsnorm_back_row(&a, DTYPE_BF16, C);
            else
                rmsnorm_back_row(&a, DTYPE_F32, C);
        }
    }
    for (int t = 0; t < dev->threads; t++)
        for (int64_t c = 0; c < C; c++)
            tensor_f32(dw, 0)[c] += sums[t * apart + c];
}

#endif
