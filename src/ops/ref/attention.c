#include <math.h>
#include <string.h>

#include "ops/ref/ref.h"

/* Working memory of `each` doubles a thread; NULL, and the device has failed, where there is none. */
static double *share(double *scratch, int64_t each)
{
    return scratch + omp_get_thread_num() * each;
}

static double *shares(Device *dev, int64_t each)
{
    return device_scratch(dev, (size_t)dev->threads * (size_t)each * sizeof(double));
}

/* One row of queries, head columns from qc, against rows first .. last of k and v, head columns from kc; `p`
 * holds the row's last - first + 1 probabilities.  Returns the log of the softmax's denominator. */
static double attend(double *p, const Tensor *out, const Tensor *q, int64_t row, int64_t qc, const Tensor *k,
                     const Tensor *v, int64_t first, int64_t last, int64_t kc, int64_t D)
{
    double max = -INFINITY, sum = 0;
    int64_t seen = last - first + 1;
    for (int64_t j = 0; j < seen; j++) {
        p[j] = ref_dot(q, row, qc, k, first + j, kc, D) / sqrt((double)D);
        max = fmax(max, p[j]);
    }
    for (int64_t j = 0; j < seen; j++) {
        p[j] = exp(p[j] - max);
        sum += p[j];
    }
    for (int64_t d = 0; d < D; d++) {
        double o = 0;
        for (int64_t j = 0; j < seen; j++)
            o += p[j] / sum * tensor_get(v, first + j, kc + d);
        tensor_set(out, row, qc + d, o);
    }
    return max + log(sum);
}

void ref_attention(Device *dev, Tensor *out, Tensor *lse, const Tensor *q, const Tensor *k, const Tensor *v,
                   const Tensor *starts, const AttentionShape *s)
{
    double *scratch = shares(dev, s->T);
    if (!scratch)
        return;
#pragma omp parallel for schedule(static) collapse(2) num_threads(dev->threads)
    for (int64_t row = 0; row < s->B * s->T; row++) {
        for (int64_t h = 0; h < s->H; h++) {
            int64_t first = row - row % s->T + (starts ? tensor_i32(starts, 0)[row] : 0);
            tensor_set(lse, row, h,
                       attend(share(scratch, s->T), out, q, row, h * s->D, k, v, first, row,
                              h / (s->H / s->Hk) * s->D, s->D));
        }
    }
}

typedef struct {
    const Tensor *dq, *dout, *out, *lse, *q, *k, *v, *starts;
    const AttentionShape *s;
} Back;

/* One query row of head h: sets dq, adds to the sums of its key head, dk and dv [T, D], which start at row
 * `base`.  With out = sum_j p[j] v[j], p = softmax(z), z[j] = q k[j] / sqrt(D):
 *   dv[j] += p[j] dout
 *   dp[j] = dout v[j]
 *   dz[j] = p[j] (dp[j] - sum_i p[i] dp[i]), and that sum is dout out
 *   dq = sum_j dz[j] k[j] / sqrt(D)
 *   dk[j] += dz[j] q / sqrt(D) */
static void attend_back(const Back *a, double *dq, double *dk, double *dv, int64_t base, int64_t row,
                        int64_t h)
{
    const AttentionShape *s = a->s;
    int64_t D = s->D, qc = h * D, kc = h / (s->H / s->Hk) * D;
    double scale = 1 / sqrt((double)D), lse = tensor_get(a->lse, row, h);
    double delta = ref_dot(a->dout, row, qc, a->out, row, qc, D);
    memset(dq, 0, (size_t)D * sizeof *dq);
    for (int64_t j = base + (a->starts ? tensor_i32(a->starts, 0)[row] : 0); j <= row; j++) {
        double p = exp(ref_dot(a->q, row, qc, a->k, j, kc, D) * scale - lse);
        double dp = ref_dot(a->dout, row, qc, a->v, j, kc, D), ds = p * (dp - delta) * scale;
        for (int64_t d = 0; d < D; d++) {
            dq[d] += ds * tensor_get(a->k, j, kc + d);
            dk[(j - base) * D + d] += ds * tensor_get(a->q, row, qc + d);
            dv[(j - base) * D + d] += p * tensor_get(a->dout, row, qc + d);
        }
    }
    for (int64_t d = 0; d < D; d++)
        tensor_set(a->dq, row, qc + d, dq[d]);
}

void ref_attention_back(Device *dev, Tensor *dq, Tensor *dk, Tensor *dv, const Tensor *dout,
                        const Tensor *out, const Tensor *lse, const Tensor *q, const Tensor *k,
                        const Tensor *v, const Tensor *starts, const AttentionShape *s)
{
    Back a = {
        .dq = dq, .dout = dout, .out = out, .lse = lse, .q = q, .k = k, .v = v, .starts = starts, .s = s};
    int64_t T = s->T, D = s->D, shared = s->H / s->Hk, each = (2 * T + 1) * D;
    double *scratch = shares(dev, each);
    if (!scratch)
        return;
    /* A task is a sequence and a key head with all its query heads: dk and dv have one writer. */
#pragma omp parallel for schedule(static) collapse(2) num_threads(dev->threads)
    for (int64_t b = 0; b < s->B; b++) {
        for (int64_t hk = 0; hk < s->Hk; hk++) {
            double *dk_sum = share(scratch, each), *dv_sum = dk_sum + T * D, *dq_row = dv_sum + T * D;
            memset(dk_sum, 0, (size_t)(2 * T * D) * sizeof *dk_sum);
            for (int64_t h = hk * shared; h < (hk + 1) * shared; h++)
                for (int64_t t = 0; t < T; t++)
                    attend_back(&a, dq_row, dk_sum, dv_sum, b * T, b * T + t, h);
            for (int64_t t = 0; t < T; t++) {
                for (int64_t d = 0; d < D; d++) {
                    tensor_set(dk, b * T + t, hk * D + d, dk_sum[t * D + d]);
                    tensor_set(dv, b * T + t, hk * D + d, dv_sum[t * D + d]);
                }
            }
        }
    }
}
