/* AMX's registers and instructions in C (Intel 64 and IA-32 Architectures Software Developer's Manual,
 * TDPBF16PS and TDPBSSD).  Where the processor would raise an exception, the process ends. */
#ifndef OPS_AMX_TILE_INSTRUCTIONS_H
#define OPS_AMX_TILE_INSTRUCTIONS_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local struct {
    TileShapes shapes;
    bool begun;
    unsigned char line[8][TILE_N][TILE_LINE];
} tmm;

static inline void tile_require(bool held, const char *what)
{
    if (held)
        return;
    fprintf(stderr, "emulated tiles: %s\n", what);
    abort();
}

static inline void tile_zero(int t)
{
    tile_require(tmm.begun, "used without shapes");
    memset(tmm.line[t], 0, sizeof tmm.line[t]);
}

static inline void tile_load(int t, const void *from, int64_t stride)
{
    tile_zero(t);
    for (int r = 0; r < tmm.shapes.rows[t]; r++)
        memcpy(tmm.line[t][r], (const char *)from + r * stride, tmm.shapes.line_bytes[t]);
}

static inline void tile_store(void *to, int64_t stride, int t)
{
    tile_require(tmm.begun, "used without shapes");
    for (int r = 0; r < tmm.shapes.rows[t]; r++)
        memcpy((char *)to + r * stride, tmm.line[t][r], tmm.shapes.line_bytes[t]);
}

/* How many lanes a line of a has. */
static inline int tile_lanes(int c, int a, int b)
{
    const TileShapes *s = &tmm.shapes;
    tile_require(tmm.begun, "used without shapes");
    tile_require(s->rows[c] == s->rows[a] && s->line_bytes[c] == s->line_bytes[b] &&
                     s->line_bytes[a] == s->rows[b] * 4,
                 "shapes do not fit each other");
    return s->line_bytes[a] / 4;
}

static inline float tile_bf16_at(const unsigned char *lane, int i)
{
    unsigned char wide[4] = {0, 0, lane[2 * i], lane[2 * i + 1]};
    float f;
    memcpy(&f, wide, sizeof f);
    return f;
}

static inline void tile_bf16(int c, int a, int b)
{
    int lanes = tile_lanes(c, a, b);
    for (int m = 0; m < tmm.shapes.rows[c]; m++) {
        for (int n = 0; n < TILE_N; n++) {
            float chain[2] = {0, 0}, sum;
            for (int k = 0; k < lanes; k++)
                for (int i = 0; i < 2; i++)
                    chain[i] = fmaf(tile_bf16_at(tmm.line[a][m] + 4 * k, i),
                                    tile_bf16_at(tmm.line[b][k] + 4 * n, i), chain[i]);
            memcpy(&sum, tmm.line[c][m] + 4 * n, sizeof sum);
            sum += chain[0] + chain[1];
            memcpy(tmm.line[c][m] + 4 * n, &sum, sizeof sum);
        }
    }
}

static inline void tile_i8(int c, int a, int b)
{
    int lanes = tile_lanes(c, a, b);
    for (int m = 0; m < tmm.shapes.rows[c]; m++) {
        for (int n = 0; n < TILE_N; n++) {
            int32_t sum;
            memcpy(&sum, tmm.line[c][m] + 4 * n, sizeof sum);
            for (int k = 0; k < lanes; k++)
                for (int i = 0; i < 4; i++)
                    sum += (int8_t)tmm.line[a][m][4 * k + i] * (int8_t)tmm.line[b][k][4 * n + i];
            memcpy(tmm.line[c][m] + 4 * n, &sum, sizeof sum);
        }
    }
}

#define TILES_BEGIN(s) (memset(&tmm, 0, sizeof tmm), tmm.shapes = (s), tmm.begun = true)
#define TILES_END() (tmm.begun = false)
#define TILE_ZERO(t) tile_zero(t)
#define TILE_LOAD(t, p, stride) tile_load(t, p, stride)
#define TILE_STORE(p, stride, t) tile_store(p, stride, t)
#define TILE_BF16(c, a, b) tile_bf16(c, a, b)
#define TILE_I8(c, a, b) tile_i8(c, a, b)

#endif
