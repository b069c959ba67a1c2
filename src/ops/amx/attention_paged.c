/* Attention to a cache in pages.  These processors take several cycles for an instruction that multiplies
 * pairs of bf16 outside of tiles: two of f32 are sooner done. */
#include "ops/amx/amx.h"
#include "ops/avx512bf16/vec.h"

#include "ops/avx512/attention_lanes.h"
#include "ops/avx512/packed_dots.h"

enum { QUERY_ROWS = 6 };
#define PACKED(name) amx_##name
#include "ops/simd/attention_paged.h"
