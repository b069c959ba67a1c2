/* Numbers out of blocks, in plain C of which compilers make vectors: one text for quant.c and for the kernels
 * of ops/simd, each compiled with its folder's flags. */
#ifndef TENSOR_QUANT_DECODE_H
#define TENSOR_QUANT_DECODE_H

#include "base/check.h"
#include "tensor/quant.h"

/* Decoding.  Every product of a scale and a small integer below is exact in f32 but Q6_K's last one; what is
 * rounded is rounded once, so that any order of operations, fused or not, gives the same bits. */

static inline float load_f16(const unsigned char *p)
{
    return f16_to_f32((uint16_t)(p[0] | p[1] << 8));
}

/* d f16 | q[32] i8 */
static inline void decode_q8_0(float *out, const unsigned char *p)
{
    float d = load_f16(p);
    for (int i = 0; i < 32; i++)
        out[i] = d * (float)(int8_t)p[2 + i];
}

/* d f16 | q[16]: number i in the low half of byte i, number 16 + i in the high half */
static inline void decode_q4_0(float *out, const unsigned char *p)
{
    float d = load_f16(p);
    for (int i = 0; i < 16; i++) {
        out[i] = d * (float)((p[2 + i] & 15) - 8);
        out[16 + i] = d * (float)((p[2 + i] >> 4) - 8);
    }
}

/* d f16 | m f16 | q[16] as in Q4_0 */
static inline void decode_q4_1(float *out, const unsigned char *p)
{
    float d = load_f16(p), m = load_f16(p + 2);
    for (int i = 0; i < 16; i++) {
        out[i] = d * (float)(p[4 + i] & 15) + m;
        out[16 + i] = d * (float)(p[4 + i] >> 4) + m;
    }
}

/* The fifth bits of 32 numbers, one after the other from the lowest. */
static inline uint32_t load_bits(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline int five_bits(const unsigned char *low, uint32_t high, int i)
{
    int q = i < 16 ? low[i] & 15 : low[i - 16] >> 4;
    return q | (int)(high >> i & 1) << 4;
}

/* d f16 | fifth bits u32 | q[16] */
static inline void decode_q5_0(float *out, const unsigned char *p)
{
    float d = load_f16(p);
    uint32_t high = load_bits(p + 2);
    for (int i = 0; i < 32; i++)
        out[i] = d * (float)(five_bits(p + 6, high, i) - 16);
}

/* d f16 | m f16 | fifth bits u32 | q[16] */
static inline void decode_q5_1(float *out, const unsigned char *p)
{
    float d = load_f16(p), m = load_f16(p + 2);
    uint32_t high = load_bits(p + 4);
    for (int i = 0; i < 32; i++)
        out[i] = d * (float)five_bits(p + 8, high, i) + m;
}

/* Scale and minimum of sub-block j of 8, six bits each, in 12 bytes: those of 0 .. 3 in the low six bits of
 * bytes j and j + 4; those of 4 .. 7 have their low four bits in byte j + 4 and their upper two on top of
 * bytes j - 4 and j. */
static inline void load_scales(int *scale, int *min, const unsigned char *p, int j)
{
    *scale = j < 4 ? p[j] & 63 : (p[j + 4] & 15) | p[j - 4] >> 6 << 4;
    *min = j < 4 ? p[j + 4] & 63 : p[j + 4] >> 4 | p[j] >> 6 << 4;
}

/* d f16 | dmin f16 | scales[12] | fifth bits[32], Q5_K only | q[128].  64 numbers share 32 bytes of q: the
 * first 32 have the low halves; bit j of byte i of the fifth bits is that of number i of sub-block j. */
static inline void decode_k_min(float *out, const unsigned char *p, bool five)
{
    float d = load_f16(p), dmin = load_f16(p + 2);
    const unsigned char *fifth = p + 16, *q = p + 16 + (five ? 32 : 0);
    for (int j = 0; j < 8; j++) {
        int scale, min;
        load_scales(&scale, &min, p + 4, j);
        float s = d * (float)scale, m = dmin * (float)min;
        for (int i = 0; i < 32; i++) {
            int low = q[j / 2 * 32 + i] >> (j % 2 * 4) & 15, high = five ? (fifth[i] >> j & 1) << 4 : 0;
            out[j * 32 + i] = s * (float)(low | high) - m;
        }
    }
}

/* ql[128] | qh[64] | scales[16] i8 | d f16.  Each half of 128 numbers has 64 bytes of ql and 32 of qh; number
 * 32 j + i of it has its low four bits in byte 32 (j % 2) + i of ql, half j / 2, and its upper two at bit 2 j
 * of byte i of qh. */
static inline void decode_q6_k(float *out, const unsigned char *p)
{
    const unsigned char *scales = p + 192;
    float d = load_f16(p + 208);
    for (int k = 0; k < 16; k++) { /* 16 numbers share a scale */
        int half = k / 8, j = k % 8 / 2, at = k % 2 * 16;
        float s = d * (float)(int8_t)scales[k];
        for (int i = 0; i < 16; i++) {
            int low = p[half * 64 + j % 2 * 32 + at + i] >> (j / 2 * 4) & 15;
            int high = p[128 + half * 32 + at + i] >> (2 * j) & 3;
            out[16 * k + i] = s * (float)((low | high << 4) - 32);
        }
    }
}

static inline void decode_block(float *out, const unsigned char *p, QuantType t)
{
    switch (t) {
    case QUANT_Q8_0: decode_q8_0(out, p); return;
    case QUANT_Q4_0: decode_q4_0(out, p); return;
    case QUANT_Q4_1: decode_q4_1(out, p); return;
    case QUANT_Q5_0: decode_q5_0(out, p); return;
    case QUANT_Q5_1: decode_q5_1(out, p); return;
    case QUANT_Q4_K: decode_k_min(out, p, false); return;
    case QUANT_Q5_K: decode_k_min(out, p, true); return;
    case QUANT_Q6_K: decode_q6_k(out, p); return;
    case QUANT_F32: case QUANT_F16: case QUANT_BF16: case QUANT_TYPES: break;
    }
    check(t != t);
}

#endif
