/* Products with packed weights: see packed_dots.h for how pairs and bytes are multiplied. */
#include "ops/avx512/avx512.h"
#include "ops/avx512/vec.h"

#include "ops/avx512/packed_dots.h"

enum { FEW_TILE = 8, FEW_PANELS = 2, TILE_ROWS = 6, TILE_PANELS = 4 };
enum { DOT_ROWS = 6, DIRECT_PANELS = 2, DOT_PANELS = 2 };
enum { ONE_PANELS = 4, ONE_AHEAD = 1536, WIDENS = 1 };
#define PACKED(name) avx512_##name
#include "ops/simd/matmul_packed.h"
