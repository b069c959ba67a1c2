#include "ops/ref/ref.h"
#include "ops/select.h"

const Ops ops_ref = {
#define OP(name, params, args) .name = ref_##name,
#include "ops/ops.def"
#undef OP
};
