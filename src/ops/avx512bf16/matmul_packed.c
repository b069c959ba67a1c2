/* Products with packed weights by dot-product instructions: vdpbf16ps and vpdpbusd. */
#include "ops/avx512bf16/avx512bf16.h"
#include "ops/avx512bf16/vec.h"

#include "ops/avx512bf16/packed_dots.h"

enum { FEW_TILE = 8, FEW_PANELS = 2, TILE_ROWS = 6, TILE_PANELS = 4 };
enum { DOT_ROWS = 6, DIRECT_PANELS = 2, DOT_PANELS = 2 };
enum { ONE_PANELS = 1, ONE_AHEAD = 0, WIDENS = 0 };
#define PACKED(name) avx512bf16_##name
#include "ops/simd/matmul_packed.h"
