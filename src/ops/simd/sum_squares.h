#ifndef OPS_SIMD_SUM_SQUARES_H
#define OPS_SIMD_SUM_SQUARES_H

#include "ops/simd/simd.h"

/* Blocks of fixed size are summed in f32 lanes and added up in f64 in their order, so the sum does not depend
 * on the thread count. */
enum { SUM_SQUARES_BLOCK = 8192 };

static double sum_squares_block(const float *x, int64_t n)
{
    Vec sum[4] = {vec_all(0), vec_all(0), vec_all(0), vec_all(0)};
    simd_add_squares(sum, x, n);
    return vec_sum_f64(sum[0]) + vec_sum_f64(sum[1]) + vec_sum_f64(sum[2]) + vec_sum_f64(sum[3]);
}

static void simd_sum_squares(Device *dev, Tensor *out, const Tensor *x)
{
    if (x->dtype != DTYPE_F32) {
        ops_ref.sum_squares(dev, out, x);
        return;
    }
    int64_t n = tensor_count(x), blocks = (n + SUM_SQUARES_BLOCK - 1) / SUM_SQUARES_BLOCK;
    const float *data = tensor_f32(x, 0);
    double *sums = device_scratch(dev, (size_t)(blocks + 1) * sizeof *sums), total = 0;
    if (!sums)
        return;
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t b = 0; b < blocks; b++) {
        int64_t from = b * SUM_SQUARES_BLOCK, left = n - from;
        sums[b] = sum_squares_block(data + from, left < SUM_SQUARES_BLOCK ? left : SUM_SQUARES_BLOCK);
    }
    for (int64_t b = 0; b < blocks; b++)
        total += sums[b];
    *(double *)out->data = total;
}

#endif
