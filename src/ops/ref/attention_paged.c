#include <math.h>

#include "ops/packed_layout.h"
#include "ops/ref/ref.h"

typedef struct {
    const KvPages *kv;
    const int32_t *pages;
    int64_t head; /* of keys and values */
} PagedHead;

static double key(const PagedHead *h, int64_t position, int64_t d)
{
    const KvPages *kv = h->kv;
    return dtype_load(kv_keys(kv, h->pages[position / KV_PAGE], h->head), kv->dtype,
                      kv_key_index(kv->dtype, kv->D, position % KV_PAGE, d));
}

static double value(const PagedHead *h, int64_t position, int64_t d)
{
    const KvPages *kv = h->kv;
    return dtype_load(kv_values(kv, h->pages[position / KV_PAGE], h->head), kv->dtype,
                      kv_value_index(kv->dtype, kv->D, position % KV_PAGE, d));
}

/* One row of queries, head columns from qc, against positions 0 .. seen - 1; `p` holds their probabilities.
 */
static void attend(double *p, const Tensor *out, const Tensor *q, int64_t row, int64_t qc, const PagedHead *h,
                   int64_t seen)
{
    int64_t D = h->kv->D;
    double max = -INFINITY, sum = 0;
    for (int64_t j = 0; j < seen; j++) {
        p[j] = 0;
        for (int64_t d = 0; d < D; d++)
            p[j] += tensor_get(q, row, qc + d) * key(h, j, d);
        p[j] /= sqrt((double)D);
        max = fmax(max, p[j]);
    }
    for (int64_t j = 0; j < seen; j++) {
        p[j] = exp(p[j] - max);
        sum += p[j];
    }
    for (int64_t d = 0; d < D; d++) {
        double o = 0;
        for (int64_t j = 0; j < seen; j++)
            o += p[j] / sum * value(h, j, d);
        tensor_set(out, row, qc + d, o);
    }
}

void ref_attention_paged(Device *dev, Tensor *out, const Tensor *q, const KvPages *kv, const PagedRows *rows,
                         int64_t count, const AttentionShape *s)
{
    int64_t longest = 1;
    for (int64_t i = 0; i < count; i++)
        longest = rows[i].past + rows[i].n > longest ? rows[i].past + rows[i].n : longest;
    double *scratch = device_scratch(dev, (size_t)dev->threads * (size_t)longest * sizeof *scratch);
    if (!scratch)
        return;
#pragma omp parallel num_threads(dev->threads)
    for (int64_t i = 0; i < count; i++) {
        const PagedRows *r = &rows[i];
#pragma omp for schedule(static) collapse(2) nowait
        for (int64_t t = 0; t < r->n; t++) {
            for (int64_t h = 0; h < s->H; h++) {
                PagedHead head = {kv, r->pages, h / (s->H / s->Hk)};
                attend(scratch + omp_get_thread_num() * longest, out, q, r->first + t, h * s->D, &head,
                       r->past + t + 1);
            }
        }
    }
}
