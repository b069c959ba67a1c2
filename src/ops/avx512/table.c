#include "ops/avx512/avx512.h"
#include "ops/avx512/vec.h" /* before the kernels written in it */

#define SIMD_TABLE ops_avx512
#define ATTENTION(name) avx512_##name
#include "ops/simd/table.h"
