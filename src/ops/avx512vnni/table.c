#include "ops/avx512vnni/avx512vnni.h"

const Ops ops_avx512vnni = {
    .matmul_packed = avx512vnni_matmul_packed,
};
