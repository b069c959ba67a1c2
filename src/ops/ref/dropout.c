#include "ops/dropout_mask.h"
#include "ops/ref/ref.h"

void ref_dropout(Device *dev, Tensor *out, const Tensor *x, const Dropout *d, bool add_to)
{
    uint32_t limit = dropout_limit(d->rate);
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < x->rows; n++) {
        DropoutRow row = dropout_row(d->key, n);
        for (int64_t c = 0; c < x->cols; c++) {
            bool keep = dropout_number(row, (uint32_t)c) >= limit;
            double value = keep ? (double)d->scale * tensor_get(x, n, c) : 0;
            if (add_to)
                ref_add_to(out, n, c, value);
            else
                tensor_set(out, n, c, value);
        }
    }
}
