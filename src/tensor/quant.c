/* Types, sizes, and decoding.  Encoding: quant_encode.c. */
#include "tensor/quant.h"

#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "tensor/quant_decode.h"

typedef struct {
    const char *name;
    int64_t block;
    size_t bytes;
    bool writes;
    float limit;
} Type;

/* The limits follow from the largest f16, 65504, as the scale of a block: times the largest q, times the
 * largest sc. */
static const Type types[QUANT_TYPES] = {
    [QUANT_F32] = {"F32", 1, 4, true, 0x1.FFFFFEp127f},
    [QUANT_F16] = {"F16", 1, 2, true, 65504},
    [QUANT_BF16] = {"BF16", 1, 2, true, 0x1.FEp127f},
    [QUANT_Q8_0] = {"Q8_0", 32, 34, true, 65504.0f * 127},
    [QUANT_Q4_0] = {"Q4_0", 32, 18, true, 65504.0f * 8},
    [QUANT_Q4_K] = {"Q4_K", 256, 144, true, 65504.0f * 63},
    [QUANT_Q5_K] = {"Q5_K", 256, 176, true, 65504.0f * 63},
    [QUANT_Q6_K] = {"Q6_K", 256, 210, true, 65504.0f * 127 * 31},
    [QUANT_Q4_1] = {"Q4_1", 32, 20, false, 65504},
    [QUANT_Q5_0] = {"Q5_0", 32, 22, false, 65504.0f * 16},
    [QUANT_Q5_1] = {"Q5_1", 32, 24, false, 65504},
};

static const Type *type_of(QuantType t)
{
    check((unsigned)t < QUANT_TYPES);
    return &types[t];
}

const char *quant_name(QuantType t)
{
    return type_of(t)->name;
}

bool quant_find(QuantType *out, const char *name)
{
    for (int t = 0; t < QUANT_TYPES; t++)
        if (strcasecmp(types[t].name, name) == 0) {
            *out = (QuantType)t;
            return true;
        }
    return false;
}

int64_t quant_block(QuantType t)
{
    return type_of(t)->block;
}

size_t quant_block_bytes(QuantType t)
{
    return type_of(t)->bytes;
}

bool quant_fits(QuantType t, int64_t cols)
{
    return cols % type_of(t)->block == 0;
}

size_t quant_bytes(QuantType t, int64_t n)
{
    size_t bytes;
    check(n >= 0 && quant_fits(t, n));
    check(!__builtin_mul_overflow((size_t)(n / type_of(t)->block), type_of(t)->bytes, &bytes));
    return bytes;
}

bool quant_writes(QuantType t)
{
    return type_of(t)->writes;
}

float quant_limit(QuantType t)
{
    return type_of(t)->limit;
}

QuantType quant_of_dtype(DType d)
{
    check(d == DTYPE_F32 || d == DTYPE_F16 || d == DTYPE_BF16);
    return d == DTYPE_F32 ? QUANT_F32 : d == DTYPE_F16 ? QUANT_F16 : QUANT_BF16;
}

/* Decoding: the blocks themselves are quant_decode.h's. -------------------------------------------------- */

static void decode_plain(float *out, const unsigned char *p, QuantType t, int64_t n)
{
    uint16_t half;
    if (t == QUANT_F32) {
        memcpy(out, p, (size_t)n * sizeof *out);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        memcpy(&half, p + 2 * i, sizeof half);
        out[i] = t == QUANT_F16 ? f16_to_f32(half) : bf16_to_f32(half);
    }
}

void quant_decode(float *out, const void *blocks, QuantType t, int64_t n)
{
    const unsigned char *p = blocks;
    int64_t block = quant_block(t);
    check(n >= 0 && quant_fits(t, n));
    if (block == 1) {
        decode_plain(out, p, t, n);
        return;
    }
    for (int64_t i = 0; i < n; i += block, p += type_of(t)->bytes)
        decode_block(out + i, p, t);
}
