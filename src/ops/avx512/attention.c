/* Causal attention in f32 products; bf16 is converted when it is packed. */
#include "ops/avx512/avx512.h"
#include "ops/avx512/vec.h"

#include "ops/avx512/attention_lanes.h"
#include "ops/simd/attention_f32.h"

enum { TILE_ROWS = 4, TILE_VECS = 4 };
#define ATTENTION(name) avx512_##name
#include "ops/simd/attention.h"
