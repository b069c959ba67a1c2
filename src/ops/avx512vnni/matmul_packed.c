/* Products with packed weights by VNNI's dot products of bytes, on processors that have them and no products
 * of bf16, or slow ones: Cascade Lake, Ice Lake, Sapphire Rapids without AMX. */
#include "ops/avx512/vec.h"
#include "ops/avx512vnni/avx512vnni.h"

#include "ops/avx512/packed_pairs.h"
#include "ops/avx512vnni/packed_bytes.h"

enum { FEW_TILE = 8, FEW_PANELS = 2, TILE_ROWS = 6, TILE_PANELS = 4 };
enum { DOT_ROWS = 6, DIRECT_PANELS = 2, DOT_PANELS = 2 };
enum { ONE_PANELS = 4, ONE_AHEAD = 1536, WIDENS = 1 };
#define PACKED(name) avx512vnni_##name
#include "ops/simd/matmul_packed.h"
