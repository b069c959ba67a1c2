#include "ops/amx/amx.h"
#include "ops/avx512bf16/vec.h"

#include "ops/avx512bf16/packed_dots.h"

#ifndef OP_
#define OP_ 2
#endif
#ifndef OA_
#define OA_ 1024
#endif
#ifndef OH_
#define OH_ 3
#endif
enum { FEW_TILE = 8, FEW_PANELS = 2, TILE_ROWS = 6, TILE_PANELS = 4 };
enum { DOT_ROWS = 6, DIRECT_PANELS = 2, DOT_PANELS = 2 };
enum { ONE_PANELS = OP_, ONE_AHEAD = OA_, ONE_HINT=OH_ };
#define PACKED(name) amx_##name
#include "ops/simd/matmul_packed.h"
