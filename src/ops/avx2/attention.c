/* Causal attention in f32 products; bf16 is converted when it is packed. */
#include "ops/avx2/avx2.h"
#include "ops/avx2/vec.h"

#include "ops/avx2/attention_lanes.h"
#include "ops/simd/attention_f32.h"

enum { TILE_ROWS = 4, TILE_VECS = 3 };
#define ATTENTION(name) avx2_##name
#include "ops/simd/attention.h"
