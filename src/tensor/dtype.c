#include "tensor/dtype.h"

#include "base/check.h"

static const struct {
    size_t size;
    const char *name;
} types[DTYPE_COUNT] = {
    [DTYPE_F32] = {4, "f32"}, [DTYPE_BF16] = {2, "bf16"}, [DTYPE_F16] = {2, "f16"},
    [DTYPE_F64] = {8, "f64"}, [DTYPE_I32] = {4, "i32"},
};

size_t dtype_size(DType d)
{
    check(d < DTYPE_COUNT);
    return types[d].size;
}

const char *dtype_name(DType d)
{
    return d < DTYPE_COUNT ? types[d].name : "unknown type";
}

float f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = h >> 10 & 31u, fraction = h & 0x3FFu, bits;
    if (exponent == 31) { /* infinity, NaN */
        bits = sign | 0x7F800000u | fraction << 13;
    } else if (exponent) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else { /* zero, subnormal: fraction * 2^-24 is exact in f32 */
        float f = (float)fraction * 0x1p-24f;
        return sign ? -f : f;
    }
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

uint16_t f16_from_f32(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u)
        return (uint16_t)(sign | 0x7E00u);
    if (magnitude >= 0x477FF000u) /* rounds to 65536 or more */
        return (uint16_t)(sign | 0x7C00u);
    if (magnitude < 0x38800000u) { /* below 2^-14: a subnormal; adding 0.5 rounds at bit 2^-24 */
        float m;
        memcpy(&m, &magnitude, sizeof m);
        m += 0.5f;
        memcpy(&magnitude, &m, sizeof m);
        return (uint16_t)(sign | (magnitude & 0x7FFu));
    }
    uint32_t rounded = magnitude + 0xFFFu + (magnitude >> 13 & 1u);
    return (uint16_t)(sign | (rounded - 0x38000000u) >> 13);
}

double dtype_load(const void *data, DType d, int64_t i)
{
    switch (d) {
    case DTYPE_F32: return ((const float *)data)[i];
    case DTYPE_BF16: return bf16_to_f32(((const uint16_t *)data)[i]);
    case DTYPE_F16: return f16_to_f32(((const uint16_t *)data)[i]);
    case DTYPE_F64: return ((const double *)data)[i];
    case DTYPE_I32: return ((const int32_t *)data)[i];
    case DTYPE_COUNT: break;
    }
    check(d < DTYPE_COUNT);
    return 0;
}

void dtype_store(void *data, DType d, int64_t i, double value)
{
    switch (d) {
    case DTYPE_F32: ((float *)data)[i] = (float)value; return;
    case DTYPE_BF16: ((uint16_t *)data)[i] = bf16_from_f32((float)value); return;
    case DTYPE_F16: ((uint16_t *)data)[i] = f16_from_f32((float)value); return;
    case DTYPE_F64: ((double *)data)[i] = value; return;
    case DTYPE_I32: ((int32_t *)data)[i] = (int32_t)value; return;
    case DTYPE_COUNT: break;
    }
    check(d < DTYPE_COUNT);
}
