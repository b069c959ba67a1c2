#ifndef OPS_AVX512_AVX512_H
#define OPS_AVX512_AVX512_H

#include "ops/ops.h"

#define OP(name, params, args) void avx512_##name params;
#include "ops/ops.def"
#undef OP

#endif
