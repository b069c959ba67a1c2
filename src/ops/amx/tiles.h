/* AMX's registers: eight tiles of up to 16 rows of 64 bytes, and products of two tiles that are added to a
 * third (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18).
 *
 *   c [rows][16] += a [rows][n] b [n][16]     a lane: one f32 or i32 of c, two bf16 or four i8 of a and b
 *
 * Tiles that hold sums are 0 to 3.  A thread says the tiles' shapes before it uses them, and gives them back
 * before it leaves, so that the operating system need not save them.  Numbers of tiles are constants. */
#ifndef OPS_AMX_TILES_H
#define OPS_AMX_TILES_H

#include <immintrin.h>
#include <stdint.h>

enum { TILE_N = 16 /* rows of a tile */, TILE_BYTES = 1024, TILE_LINE = 64 };

/* What ldtilecfg reads. */
typedef struct {
    uint8_t palette, start, reserved[14];
    uint16_t line_bytes[16];
    uint8_t rows[16];
} TileShapes;
_Static_assert(sizeof(TileShapes) == 64, "tile configuration");

#include "ops/amx/tile_instructions.h"

/* Sums of `rows` rows, and factors: tiles 4 to `last_a` are a's, those behind it b's; of both, a line of a
 * and a column of b have `units` lanes. */
static inline void tiles_begin(int rows, int last_a, int units)
{
    TileShapes s = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        s.line_bytes[i] = (uint16_t)(i >= 4 && i <= last_a ? units * 4 : TILE_LINE);
        s.rows[i] = (uint8_t)(i <= last_a ? rows : units);
    }
    TILES_BEGIN(s);
}

static inline void tiles_end(void)
{
    TILES_END();
}

#endif
