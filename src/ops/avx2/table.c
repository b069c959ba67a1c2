#include "ops/avx2/avx2.h"
#include "ops/avx2/vec.h" /* before the kernels written in it */

#include "ops/avx2/attention_lanes.h"
#include "ops/avx2/packed_dots.h"

#define SIMD_TABLE ops_avx2
#define ATTENTION(name) avx2_##name
#define PACKED(name) avx2_##name
#include "ops/simd/table.h"
