#ifndef OPS_AVX2_AVX2_H
#define OPS_AVX2_AVX2_H

#include "ops/ops.h"

#define OP(name, params, args) void avx2_##name params;
#include "ops/ops.def"
#undef OP

#endif
