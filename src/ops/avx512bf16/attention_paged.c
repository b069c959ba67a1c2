/* Attention to a cache in pages: see packed_dots.h for how pairs are multiplied. */
#include "ops/avx512bf16/avx512bf16.h"
#include "ops/avx512bf16/vec.h"

#include "ops/avx512/attention_lanes.h"
#include "ops/avx512bf16/packed_dots.h"

enum { QUERY_ROWS = 6, BF16_ROWS = QUERY_ROWS, WIDENS = 0 };
#define PACKED(name) avx512bf16_##name
#include "ops/simd/paged_bf16.h"
