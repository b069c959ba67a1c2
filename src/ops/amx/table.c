#include "ops/amx/amx.h"

const Ops ops_amx = {
    .attention_paged = amx_attention_paged,
    .matmul_packed = amx_matmul_packed,
};
