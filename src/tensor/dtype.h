/* Element types.  Floating types are little-endian IEEE; bf16 is the upper half of an f32, rounded to
 * nearest even. */
#ifndef TENSOR_DTYPE_H
#define TENSOR_DTYPE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum { DTYPE_F32, DTYPE_BF16, DTYPE_F16, DTYPE_F64, DTYPE_I32, DTYPE_COUNT } DType;

size_t dtype_size(DType d);
const char *dtype_name(DType d); /* "f32", "bf16", ... */

static inline float bf16_to_f32(uint16_t h)
{
    uint32_t bits = (uint32_t)h << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* NaN stays NaN (made quiet); everything else rounds to nearest, ties to even. */
static inline uint16_t bf16_from_f32(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u)
        return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

float f16_to_f32(uint16_t h);
uint16_t f16_from_f32(float f); /* nearest even; overflow becomes infinity */

/* Element i of an array of any floating type or i32, as a double: for the reference operations and tests. */
double dtype_load(const void *data, DType d, int64_t i);
void dtype_store(void *data, DType d, int64_t i, double value);

#endif
