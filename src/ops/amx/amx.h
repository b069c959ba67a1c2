#ifndef OPS_AMX_AMX_H
#define OPS_AMX_AMX_H

#include "ops/ops.h"

#define OP(name, params, args) void amx_##name params;
#include "ops/ops.def"
#undef OP

#endif
