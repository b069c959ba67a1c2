#include "ops/onednn/onednn.h"
#include "ops/select.h"

const Ops ops_onednn = {
    .matmul = onednn_matmul,
    .matmul_back_x = onednn_matmul_back_x,
    .matmul_back_w = onednn_matmul_back_w,
};
