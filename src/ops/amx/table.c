#include "ops/amx/amx.h"

const Ops ops_amx = {
    .matmul_packed = amx_matmul_packed,
};
