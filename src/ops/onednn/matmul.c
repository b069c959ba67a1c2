/* The three products of a linear layer are one product, c = a b, with a or b read along the other side. */
#include "ops/onednn/onednn.h"
#include "ops/select.h"

void onednn_matmul(Device *dev, Tensor *y, const Tensor *x, const Tensor *w, bool add_to)
{
    Factor a = factor(x), b = factor_transposed(w);
    if (!onednn_product(dev, y, &a, &b, add_to))
        ops_ref.matmul(dev, y, x, w, add_to);
}

void onednn_matmul_back_x(Device *dev, Tensor *dx, const Tensor *dy, const Tensor *w, bool add_to)
{
    Factor a = factor(dy), b = factor(w);
    if (!onednn_product(dev, dx, &a, &b, add_to))
        ops_ref.matmul_back_x(dev, dx, dy, w, add_to);
}

void onednn_matmul_back_w(Device *dev, Tensor *dw, const Tensor *dy, const Tensor *x, bool add_to)
{
    Factor a = factor_transposed(dy), b = factor(x);
    if (!onednn_product(dev, dw, &a, &b, add_to))
        ops_ref.matmul_back_w(dev, dw, dy, x, add_to);
}
