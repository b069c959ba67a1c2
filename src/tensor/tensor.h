/* Numbers with a shape on a device.  A Tensor is a view: it owns nothing and is passed by address or copied
 * freely.  Everything in a Llama is a matrix: activations [N, C], weights [out, in], a vector is [1, n].
 * Rows may be apart by more than their length, so that q, k and v are column ranges of one fused product, and
 * gate and up of another. */
#ifndef TENSOR_TENSOR_H
#define TENSOR_TENSOR_H

#include <stdbool.h>

#include "tensor/dtype.h"

typedef struct {
    void *data;
    DType dtype;
    int64_t rows, cols;
    int64_t stride; /* elements from one row to the next, >= cols */
} Tensor;

Tensor tensor_view(void *data, DType dtype, int64_t rows, int64_t cols); /* contiguous; data is borrowed */
/* Views of rows, or of columns, [first, first + count), which must be there. */
Tensor tensor_rows(const Tensor *t, int64_t first, int64_t count);
Tensor tensor_cols(const Tensor *t, int64_t first, int64_t count);
bool tensor_contiguous(const Tensor *t);
bool tensor_same_shape(const Tensor *a, const Tensor *b);
size_t tensor_bytes(const Tensor *t); /* of a contiguous tensor of this shape; overflow is a bug */
static inline int64_t tensor_count(const Tensor *t)
{
    return t->rows * t->cols;
}

/* Address of row r of a tensor of that type, in memory the processor can read; nothing is checked: for
 * kernels. */
static inline float *tensor_f32(const Tensor *t, int64_t r)
{
    return (float *)t->data + r * t->stride;
}
static inline uint16_t *tensor_bf16(const Tensor *t, int64_t r)
{
    return (uint16_t *)t->data + r * t->stride;
}
static inline int32_t *tensor_i32(const Tensor *t, int64_t r)
{
    return (int32_t *)t->data + r * t->stride;
}
/* Any type, as a double: for the reference operations and tests. */
static inline double tensor_get(const Tensor *t, int64_t r, int64_t c)
{
    return dtype_load(t->data, t->dtype, r * t->stride + c);
}
static inline void tensor_set(const Tensor *t, int64_t r, int64_t c, double value)
{
    dtype_store(t->data, t->dtype, r * t->stride + c, value);
}

#endif
