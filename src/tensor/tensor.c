#include "tensor/tensor.h"

#include "base/check.h"

Tensor tensor_view(void *data, DType dtype, int64_t rows, int64_t cols)
{
    return (Tensor){.data = data, .dtype = dtype, .rows = rows, .cols = cols, .stride = cols};
}

Tensor tensor_rows(const Tensor *t, int64_t first, int64_t count)
{
    check(first >= 0 && count >= 0 && first + count <= t->rows);
    Tensor part = *t;
    part.data = (char *)t->data + (size_t)(first * t->stride) * dtype_size(t->dtype);
    part.rows = count;
    return part;
}

Tensor tensor_cols(const Tensor *t, int64_t first, int64_t count)
{
    check(first >= 0 && count >= 0 && first + count <= t->cols);
    Tensor part = *t;
    part.data = (char *)t->data + (size_t)first * dtype_size(t->dtype);
    part.cols = count;
    return part;
}

bool tensor_contiguous(const Tensor *t)
{
    return t->stride == t->cols || t->rows <= 1;
}

bool tensor_same_shape(const Tensor *a, const Tensor *b)
{
    return a->rows == b->rows && a->cols == b->cols;
}

size_t tensor_bytes(const Tensor *t)
{
    size_t n;
    check(!__builtin_mul_overflow((size_t)t->rows, (size_t)t->cols, &n) &&
          !__builtin_mul_overflow(n, dtype_size(t->dtype), &n));
    return n;
}
