/* New keys and values into their pages.  A task is what one sequence writes to one page of one head: so a
 * page is cleared, and written, by one thread. */
#ifndef OPS_SIMD_KV_WRITE_H
#define OPS_SIMD_KV_WRITE_H

#include "ops/packed_layout.h"
#include "ops/simd/cast.h"

enum { KV_WIDTH_MAX = 512 /* a head's numbers, converted at once */ };

SIMD_INLINE void kv_put(void *to, const void *row, const KvPages *kv, int64_t at, const bool keys)
{
    int64_t D = kv->D;
    if (kv->dtype == DTYPE_BF16)
        for (int64_t d = 0; d < D; d++)
            ((uint16_t *)
                 to)[keys ? kv_key_index(DTYPE_BF16, D, at, d) : kv_value_index(DTYPE_BF16, D, at, d)] =
                ((const uint16_t *)row)[d];
    else
        for (int64_t d = 0; d < D; d++)
            ((float *)to)[keys ? kv_key_index(DTYPE_F32, D, at, d) : kv_value_index(DTYPE_F32, D, at, d)] =
                ((const float *)row)[d];
}

/* Rows of a sequence from `t` on that fall into one page. */
static void kv_write_page(const KvPages *kv, const Tensor *k, const Tensor *v, const PagedRows *r, int64_t t,
                          int64_t head)
{
    float key[KV_WIDTH_MAX], value[KV_WIDTH_MAX];
    int64_t position = r->past + t;
    int32_t page = r->pages[position / KV_PAGE];
    unsigned char *keys = kv_keys(kv, page, head), *values = kv_values(kv, page, head);
    Tensor to_key = tensor_view(key, kv->dtype, 1, kv->D), to_value = tensor_view(value, kv->dtype, 1, kv->D);
    Tensor from_key = *k, from_value = *v;
    size_t offset = (size_t)(head * kv->D) * dtype_size(k->dtype);
    from_key.data = (char *)k->data + offset;
    from_value.data = (char *)v->data + offset;
    if (position % KV_PAGE == 0) {
        memset(keys, 0, kv_key_bytes(kv->dtype, kv->D));
        memset(values, 0, kv_value_bytes(kv->dtype, kv->D));
    }
    for (int64_t at = position % KV_PAGE; at < KV_PAGE && t < r->n; at++, t++) {
        simd_convert(&to_key, 0, &from_key, r->first + t, 0, kv->D);
        simd_convert(&to_value, 0, &from_value, r->first + t, 0, kv->D);
        kv_put(keys, key, kv, at, true);
        kv_put(values, value, kv, at, false);
    }
}

/* Every `of`-th page and head from number `me` on. */
static void kv_write_share(KvPages *kv, const Tensor *k, const Tensor *v, const PagedRows *rows,
                           int64_t count, int64_t me, int64_t of)
{
    int64_t task = 0;
    for (int64_t i = 0; i < count; i++) {
        const PagedRows *r = &rows[i];
        for (int64_t t = 0; t < r->n; t += KV_PAGE - (r->past + t) % KV_PAGE)
            for (int64_t h = 0; h < kv->Hk; h++)
                if (task++ % of == me)
                    kv_write_page(kv, k, v, r, t, h);
    }
}

static void simd_kv_write(Device *dev, KvPages *kv, const Tensor *k, const Tensor *v, const PagedRows *rows,
                          int64_t count)
{
    if (!simd_takes(k) || kv->D > KV_WIDTH_MAX) {
        ops_ref.kv_write(dev, kv, k, v, rows, count);
    } else if (k->rows * k->cols <=
               SIMD_ALONE / 8) { /* numbers that go to places of their own: slower ones */
        kv_write_share(kv, k, v, rows, count, 0, 1);
    } else {
#pragma omp parallel num_threads(dev->threads)
        kv_write_share(kv, k, v, rows, count, omp_get_thread_num(), omp_get_num_threads());
    }
}

#endif
