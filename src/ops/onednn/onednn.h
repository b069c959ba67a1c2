/* What the oneDNN back end keeps between calls: one engine, one stream, and the products made so far.
 * oneDNN 2.6, C API: https://oneapi-src.github.io/oneDNN/v2.6/ */
#ifndef OPS_ONEDNN_ONEDNN_H
#define OPS_ONEDNN_ONEDNN_H

#include <dnnl.h>

#include "ops/ops.h"

/* A matrix as the product sees it: element (i, j) lies at data[i*row + j*col]; one of the two steps is 1. */
typedef struct {
    void *data;
    DType dtype;
    int64_t rows, cols, row, col;
} Factor;

static inline Factor factor(const Tensor *t)
{
    return (Factor){t->data, t->dtype, t->rows, t->cols, t->stride, 1};
}

static inline Factor factor_transposed(const Tensor *t)
{
    return (Factor){t->data, t->dtype, t->cols, t->rows, 1, t->stride};
}

/* c = a b, or c += a b.  False where oneDNN has no kernel for these types on this processor, and where a size
 * is 0: the caller then asks ops_ref.  Other failures are left in the device, and the answer is true. */
bool onednn_product(Device *dev, const Tensor *c, const Factor *a, const Factor *b, bool add_to);

void onednn_matmul(Device *dev, Tensor *y, const Tensor *x, const Tensor *w, bool add_to);
void onednn_matmul_back_x(Device *dev, Tensor *dx, const Tensor *dy, const Tensor *w, bool add_to);
void onednn_matmul_back_w(Device *dev, Tensor *dw, const Tensor *dy, const Tensor *x, bool add_to);

#endif
