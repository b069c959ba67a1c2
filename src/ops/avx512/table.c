#include "ops/avx512/avx512.h"
#include "ops/avx512/vec.h" /* before the kernels written in it */

#include "ops/avx512/attention_lanes.h"
#include "ops/avx512/packed_dots.h"

#define SIMD_TABLE ops_avx512
#define ATTENTION(name) avx512_##name
#define PACKED(name) avx512_##name
#include "ops/simd/table.h"
