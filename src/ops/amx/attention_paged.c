/* Attention to a cache in pages: those of bf16 in tiles. */
#include "ops/amx/amx.h"
#include "ops/avx512bf16/vec.h"

#include "ops/avx512/attention_lanes.h"
#include "ops/avx512/packed_dots.h"

enum { QUERY_ROWS = 6, BF16_ROWS = 48, WIDENS = 0 };
#define PACKED(name) amx_##name
#include "ops/amx/paged_tiles.h"
