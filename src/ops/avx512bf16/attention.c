/* Causal attention in bf16 products: one vdpbf16ps is 32 multiplications and additions. */
#include "ops/avx512bf16/avx512bf16.h"
#include "ops/avx512bf16/vec.h"

#include "ops/avx512/attention_lanes.h"
#include "ops/avx512bf16/attention_units.h"

enum { TILE_ROWS = 4, TILE_VECS = 4 };
#define ATTENTION(name) avx512bf16_##name
#include "ops/simd/attention.h"
