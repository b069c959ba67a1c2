#include "ops/packed_layout.h"
#include "ops/ref/ref.h"

/* A page that begins here has held something else, or nothing yet.  Products read what is behind the last
 * position too and weigh it with 0, which not-a-number would survive. */
static void clear_page(const KvPages *kv, int32_t page)
{
    memset(kv_keys(kv, page, 0), 0, kv_page_bytes(kv->dtype, kv->Hk, kv->D));
}

static void write_row(const KvPages *kv, int32_t page, int64_t at, const Tensor *k, const Tensor *v,
                      int64_t row)
{
    for (int64_t h = 0; h < kv->Hk; h++) {
        for (int64_t d = 0; d < kv->D; d++) {
            dtype_store(kv_keys(kv, page, h), kv->dtype, kv_key_index(kv->dtype, kv->D, at, d),
                        tensor_get(k, row, h * kv->D + d));
            dtype_store(kv_values(kv, page, h), kv->dtype, kv_value_index(kv->dtype, kv->D, at, d),
                        tensor_get(v, row, h * kv->D + d));
        }
    }
}

void ref_kv_write(Device *dev, KvPages *kv, const Tensor *k, const Tensor *v, const PagedRows *rows,
                  int64_t count)
{
    /* Sequences may share pages that are full, but each writes to its own. */
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t i = 0; i < count; i++) {
        const PagedRows *r = &rows[i];
        for (int64_t t = 0; t < r->n; t++) {
            int64_t position = r->past + t, at = position % KV_PAGE;
            int32_t page = r->pages[position / KV_PAGE];
            if (at == 0)
                clear_page(kv, page);
            write_row(kv, page, at, k, v, r->first + t);
        }
    }
}
