/* The reference: every operation in plain C, the specification that other tables are checked against, and the
 * fallback on processors without kernels of their own.  Any floating type, element by element by way of
 * double; sums in f64 and in one order whatever the thread count.  Where every tensor is f64, so is
 * everything in between: `_back` is checked against central differences that way. */
#ifndef OPS_REF_REF_H
#define OPS_REF_REF_H

#include <omp.h>

#include "ops/ops.h"

#define OP(name, params, args) void ref_##name params;
#include "ops/ops.def"
#undef OP

/* sum over i < n of a[ra, ca + i] * b[rb, cb + i] */
static inline double ref_dot(const Tensor *a, int64_t ra, int64_t ca, const Tensor *b, int64_t rb, int64_t cb,
                             int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += tensor_get(a, ra, ca + i) * tensor_get(b, rb, cb + i);
    return sum;
}

static inline void ref_add_to(const Tensor *t, int64_t r, int64_t c, double value)
{
    tensor_set(t, r, c, tensor_get(t, r, c) + value);
}

#endif
