/* Attention to a cache in pages: see packed_dots.h for how pairs are multiplied. */
#include "ops/avx2/avx2.h"
#include "ops/avx2/vec.h"

#include "ops/avx2/attention_lanes.h"
#include "ops/avx2/packed_dots.h"

enum { QUERY_ROWS = 1, BF16_ROWS = QUERY_ROWS, WIDENS = 1 };
#define PACKED(name) avx2_##name
#include "ops/simd/paged_bf16.h"
