#include "ops/ref/ref.h"

void ref_embed(Device *dev, Tensor *out, const Tensor *table, const Tensor *ids)
{
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < out->rows; n++) {
        int32_t id = tensor_i32(ids, 0)[n];
        for (int64_t c = 0; c < out->cols; c++)
            tensor_set(out, n, c, tensor_get(table, id, c));
    }
}

/* Each thread keeps its own columns through all rows (equal static loops are cut equally), so equal ids are
 * added in order and nobody waits. */
void ref_embed_back(Device *dev, Tensor *dtable, const Tensor *dout, const Tensor *ids)
{
#pragma omp parallel num_threads(dev->threads)
    for (int64_t n = 0; n < dout->rows; n++) {
        int32_t id = tensor_i32(ids, 0)[n];
#pragma omp for schedule(static) nowait
        for (int64_t c = 0; c < dout->cols; c++)
            ref_add_to(dtable, id, c, tensor_get(dout, n, c));
    }
}
