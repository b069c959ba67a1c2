/* Attention to a cache in pages: see packed_dots.h for how pairs are multiplied. */
#include "ops/avx512/avx512.h"
#include "ops/avx512/vec.h"

#include "ops/avx512/attention_lanes.h"
#include "ops/avx512/packed_dots.h"

enum { QUERY_ROWS = 6, BF16_ROWS = QUERY_ROWS, WIDENS = 1 };
#define PACKED(name) avx512_##name
#include "ops/simd/paged_bf16.h"
