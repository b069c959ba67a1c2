/* Arrays of numbers from one floating type to another, as files are read and written. */
#ifndef MODEL_CONVERT_H
#define MODEL_CONVERT_H

#include "tensor/dtype.h"

/* to[i] = from[i], i < n, by way of f32, rounded to nearest even; both may be unaligned, neither overlaps
 * the other.  Types: f32, bf16, f16, f64.  Equal types are copied bit by bit; a NaN stays a NaN.  Returns how
 * many finite numbers became infinite. */
int64_t convert_floats(void *to, DType to_dtype, const void *from, DType from_dtype, int64_t n);

#endif
