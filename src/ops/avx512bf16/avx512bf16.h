#ifndef OPS_AVX512BF16_AVX512BF16_H
#define OPS_AVX512BF16_AVX512BF16_H

#include "ops/ops.h"

#define OP(name, params, args) void avx512bf16_##name params;
#include "ops/ops.def"
#undef OP

#endif
