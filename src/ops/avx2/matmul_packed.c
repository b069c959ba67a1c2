/* Products with packed weights: see packed_dots.h for how pairs and bytes are multiplied. */
#include "ops/avx2/avx2.h"
#include "ops/avx2/vec.h"

#include "ops/avx2/packed_dots.h"

enum { FEW_TILE = 4, FEW_PANELS = 1, TILE_ROWS = 6, TILE_PANELS = 1 };
enum { DOT_ROWS = 6, DIRECT_PANELS = 1, DOT_PANELS = 1 };
enum { ONE_PANELS = 2, ONE_AHEAD = 1536, WIDENS = 1 };
#define PACKED(name) avx2_##name
#include "ops/simd/matmul_packed.h"
