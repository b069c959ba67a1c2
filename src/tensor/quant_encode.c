/* Encoding.  Q8_0 and Q4_0 follow ggml's reference to the bit.  The K types are fitted: for every sub-block a
 * grid of scales is tried, each followed by the line through the rounded numbers that has the least squared
 * error; then the super-block's scale is rounded, and the small integers of the sub-blocks and the scale
 * itself are moved to where the error of what will be decoded is least.  All numbers of a block count alike.
 */
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "tensor/quant.h"

static void store_f16(unsigned char *p, float x)
{
    uint16_t h = f16_from_f32(x);
    p[0] = (unsigned char)h;
    p[1] = (unsigned char)(h >> 8);
}

static float as_f16(float x)
{
    return f16_to_f32(f16_from_f32(x));
}

static void encode_plain(unsigned char *p, QuantType t, const float *x, int64_t n)
{
    if (t == QUANT_F32) {
        memcpy(p, x, (size_t)n * sizeof *x);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        uint16_t half = t == QUANT_F16 ? f16_from_f32(x[i]) : bf16_from_f32(x[i]);
        memcpy(p + 2 * i, &half, sizeof half);
    }
}

/* Half away from zero.  In f64 the sum is exact, so that no number just below a half is carried over it. */
static int round_away(float x)
{
    return (int)((double)x + (x < 0 ? -0.5 : 0.5));
}

static void encode_q8_0(unsigned char *p, const float *x)
{
    float largest = 0;
    for (int i = 0; i < 32; i++)
        largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
    float d = largest / 127, inverse = d != 0 ? 1 / d : 0;
    inverse =
        isinf(inverse) ? 0 : inverse; /* d below f32's smallest normal number: the block is zero to an f16 */
    store_f16(p, d);
    for (int i = 0; i < 32; i++)
        p[2 + i] = (unsigned char)round_away(x[i] * inverse);
}

/* The number of largest magnitude becomes -8.  Two statements: two roundings, on every machine, as in ggml's.
 */
static int q4_0_of(float x, float inverse)
{
    float scaled = x * inverse;
    float q = scaled + 8.5f;
    return q >= 15 ? 15 : q < 0 ? 0 : (int)q;
}

static void encode_q4_0(unsigned char *p, const float *x)
{
    float largest = 0;
    for (int i = 0; i < 32; i++)
        largest = fabsf(x[i]) > fabsf(largest) ? x[i] : largest;
    float d = largest / -8, inverse = d != 0 ? 1 / d : 0;
    inverse = isinf(inverse) ? 0 : inverse;
    store_f16(p, d);
    for (int i = 0; i < 16; i++)
        p[2 + i] = (unsigned char)(q4_0_of(x[i], inverse) | q4_0_of(x[16 + i], inverse) << 4);
}

/* What K types share. --------------------------------------------------------------------------------- */

enum { LANES = 8, MIN_BLOCK = 32, SYM_BLOCK = 16 };

/* Nearest integer, |v| < 2^22: adding 1.5 2^23 leaves no bit behind the point. */
static inline float nearest(float v)
{
    return v + 12582912.0f - 12582912.0f;
}

/* Sums over a sub-block, from which least squares follow. */
typedef struct {
    double q, qq, x, xq;
} Sums;

static inline double sum_lanes(const float *a)
{
    return (double)(((a[0] + a[4]) + (a[1] + a[5])) + ((a[2] + a[6]) + (a[3] + a[7])));
}

/* q[i] = x[i] * by + shift to the nearest integer in [low, high], and their sums.  Eight running sums keep
 * the order of additions fixed and let a compiler use vectors. */
static inline Sums round_all(float *q, const float *x, int n, float by, float shift, float low, float high)
{
    float sq[LANES] = {0}, sqq[LANES] = {0}, sx[LANES] = {0}, sxq[LANES] = {0};
    for (int i = 0; i < n; i += LANES)
        for (int l = 0; l < LANES; l++) {
            float v = x[i + l] * by + shift;
            v = v < low ? low : v;
            v = nearest(v > high ? high : v);
            q[i + l] = v;
            sq[l] += v;
            sqq[l] += v * v;
            sx[l] += x[i + l];
            sxq[l] += x[i + l] * v;
        }
    return (Sums){sum_lanes(sq), sum_lanes(sqq), sum_lanes(sx), sum_lanes(sxq)};
}

/* sum (x - (scale q + offset))^2 less sum x^2, which no choice changes. */
static double error_of(const Sums *s, int n, double scale, double offset)
{
    return scale * (scale * s->qq - 2 * s->xq + 2 * offset * s->q) + offset * (n * offset - 2 * s->x);
}

static int clamp_int(float v, int low, int high)
{
    float r = nearest(v < (float)low ? (float)low : v > (float)high ? (float)high : v);
    return (int)r;
}

/* Q4_K and Q5_K: x = d sc q - dmin m. ----------------------------------------------------------------- */

typedef struct {
    float scale, min; /* x = scale q - min; neither is negative */
} Line;

/* The line of least squared error through given q. */
static Line line_through(const Sums *s, double *error)
{
    double n = MIN_BLOCK, spread = n * s->qq - s->q * s->q, scale = 0, offset = 0;
    if (spread > 0) {
        scale = (n * s->xq - s->x * s->q) / spread;
        offset = (s->x - scale * s->q) / n;
    }
    if (offset > 0 ||
        spread <= 0) { /* a minimum above zero cannot be said: the line goes through the origin */
        offset = 0;
        scale = s->qq > 0 ? s->xq / s->qq : 0;
    }
    scale = scale < 0 ? 0 : scale;
    *error = error_of(s, MIN_BLOCK, scale, offset);
    return (Line){(float)scale, (float)-offset};
}

static const float tiny = 1e-30f; /* below it a scale is zero to an f16, and its inverse no f32 */

static Line fit_line(const float *x, float most)
{
    float q[MIN_BLOCK], low = 0, high = x[0];
    for (int i = 0; i < MIN_BLOCK; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    if (high - low < tiny)
        return (Line){0, -low};
    Line best = {0, 0};
    double least = 0; /* of all zeros */
    for (int step = 0; step < 16; step++) { /* the outermost numbers may fall beyond the ends of the scale */
        float by = (most - 1.2f + 0.12f * (float)step) / (high - low);
        Sums s = round_all(q, x, MIN_BLOCK, by, -low * by, 0, most);
        double error;
        Line line = line_through(&s, &error);
        if (error < least && line.scale > tiny) {
            least = error;
            best = line;
        }
    }
    for (int turn = 0; turn < 2 && best.scale > tiny; turn++) { /* round to the line, and draw it again */
        Sums s = round_all(q, x, MIN_BLOCK, 1 / best.scale, best.min / best.scale, 0, most);
        double error;
        Line line = line_through(&s, &error);
        if (error >= least || line.scale <= tiny)
            break;
        least = error;
        best = line;
    }
    return best;
}

typedef struct {
    float d, dmin;         /* as an f16 has them */
    int scale[8], min[8];  /* six bits */
    float q[256];
} KMin;

static Sums round_to_k(float *q, const float *x, float scale, float min, float most)
{
    bool flat = !(scale > tiny);
    return round_all(q, x, MIN_BLOCK, flat ? 0 : 1 / scale, flat ? 0 : min / scale, 0, most);
}

/* The integers of one sub-block near those that its line asks for. */
static void settle_min(KMin *k, int j, const float *x, float most, int scale, int min)
{
    float q[MIN_BLOCK];
    double least = INFINITY;
    for (int s = scale - 1; s <= scale + 1; s++)
        for (int m = min - 1; m <= min + 1; m++) {
            if (s < 0 || s > 63 || m < 0 || m > 63)
                continue;
            float step = k->d * (float)s, offset = k->dmin * (float)m;
            Sums sums = round_to_k(q, x, step, offset, most);
            double error = error_of(&sums, MIN_BLOCK, (double)step, (double)-offset);
            if (error >= least)
                continue;
            least = error;
            k->scale[j] = s;
            k->min[j] = m;
            memcpy(&k->q[MIN_BLOCK * j], q, sizeof q);
        }
}

/* d and dmin of least squared error for the integers chosen: two equations in two unknowns. */
static void refit_min(KMin *k, const float *x)
{
    double aa = 0, ab = 0, bb = 0, ax = 0, bx = 0; /* a = sc q, b = -m */
    for (int j = 0; j < 8; j++)
        for (int i = MIN_BLOCK * j; i < MIN_BLOCK * (j + 1); i++) {
            double a = (double)((float)k->scale[j] * k->q[i]), b = -(double)k->min[j], v = (double)x[i];
            aa += a * a;
            ab += a * b;
            bb += b * b;
            ax += a * v;
            bx += b * v;
        }
    double det = aa * bb - ab * ab;
    double d = (double)k->d, dmin = (double)k->dmin;
    if (det > 1e-9 * aa * bb) {
        d = (ax * bb - bx * ab) / det;
        dmin = (bx * aa - ax * ab) / det;
    } else if (aa > 0 && bb <= 0) {
        d = ax / aa;
    }
    if (d > 0 && dmin >= 0) {
        k->d = as_f16((float)d);
        k->dmin = as_f16((float)dmin);
    }
}

static void fit_min(KMin *k, const float *x, float most)
{
    Line lines[8];
    float scale = 0, min = 0;
    for (int j = 0; j < 8; j++) {
        lines[j] = fit_line(x + MIN_BLOCK * j, most);
        scale = lines[j].scale > scale ? lines[j].scale : scale;
        min = lines[j].min > min ? lines[j].min : min;
    }
    *k = (KMin){.d = as_f16(scale / 63), .dmin = as_f16(min / 63)};
    for (int turn = 0; turn < 2; turn++) {
        for (int j = 0; j < 8; j++) {
            int s = turn ? k->scale[j] : k->d > 0 ? clamp_int(lines[j].scale / k->d, 0, 63) : 0;
            int m = turn ? k->min[j] : k->dmin > 0 ? clamp_int(lines[j].min / k->dmin, 0, 63) : 0;
            settle_min(k, j, x + MIN_BLOCK * j, most, s, m);
        }
        if (turn == 0)
            refit_min(k, x);
    }
}

/* quant.c draws the layout. */
static void encode_k_min(unsigned char *p, const float *x, bool five)
{
    KMin k;
    fit_min(&k, x, five ? 31 : 15);
    memset(p, 0, quant_block_bytes(five ? QUANT_Q5_K : QUANT_Q4_K));
    store_f16(p, k.d);
    store_f16(p + 2, k.dmin);
    unsigned char *scales = p + 4, *fifth = p + 16, *q = p + 16 + (five ? 32 : 0);
    for (int j = 0; j < 8; j++) {
        int s = k.scale[j], m = k.min[j];
        if (j < 4) {
            scales[j] = (unsigned char)s;
            scales[j + 4] = (unsigned char)m;
        } else {
            scales[j + 4] = (unsigned char)((s & 15) | (m & 15) << 4);
            scales[j - 4] = (unsigned char)(scales[j - 4] | s >> 4 << 6);
            scales[j] = (unsigned char)(scales[j] | m >> 4 << 6);
        }
        for (int i = 0; i < MIN_BLOCK; i++) {
            int v = (int)k.q[MIN_BLOCK * j + i];
            unsigned char *low = &q[j / 2 * 32 + i];
            *low = (unsigned char)(*low | (v & 15) << (j % 2 * 4));
            if (five)
                fifth[i] = (unsigned char)(fifth[i] | v >> 4 << j);
        }
    }
}

/* Q6_K: x = d sc (q - 32). ---------------------------------------------------------------------------- */

/* Where the number of largest magnitude may come to lie before rounding.  -32 is first, as the best of
 * equals. */
static const float ends[] = {-32.0f, -31.0f, -31.2f, -31.4f, -31.6f, -31.8f, -32.2f, -32.4f,
                             -32.6f, -32.8f, -33.0f, -33.3f, 30.0f,  30.2f,  30.4f,  30.6f,
                             30.8f,  31.0f,  31.2f,  31.4f,  31.6f,  31.8f,  32.0f,  32.3f};
enum { ENDS = sizeof ends / sizeof ends[0] };

/* The scale of least squared error, of either sign: the numbers go from -32 to 31. */
static float fit_scale(const float *x)
{
    float q[SYM_BLOCK], extreme = 0, best = 0;
    double most = 0;
    for (int i = 0; i < SYM_BLOCK; i++)
        extreme = fabsf(x[i]) > fabsf(extreme) ? x[i] : extreme;
    if (fabsf(extreme) < tiny)
        return 0;
    for (int i = 0; i < ENDS; i++) {
        Sums s = round_all(q, x, SYM_BLOCK, ends[i] / extreme, 0, -32, 31);
        if (s.qq > 0 && s.xq * s.xq > most * s.qq * (1 + 1e-6)) {
            most = s.xq * s.xq / s.qq;
            best = (float)(s.xq / s.qq);
        }
    }
    return best;
}

typedef struct {
    float d;
    int scale[16];
    float q[256];
} KSym;

static void settle_sym(KSym *k, int j, const float *x, int scale)
{
    float q[SYM_BLOCK];
    double least = INFINITY;
    for (int s = scale - 1; s <= scale + 1; s++) {
        if (s < -128 || s > 127)
            continue;
        float step = k->d * (float)s;
        Sums sums = round_all(q, x, SYM_BLOCK, fabsf(step) > tiny ? 1 / step : 0, 0, -32, 31);
        double error = error_of(&sums, SYM_BLOCK, (double)step, 0);
        if (error >= least)
            continue;
        least = error;
        k->scale[j] = s;
        memcpy(&k->q[SYM_BLOCK * j], q, sizeof q);
    }
}

static void refit_sym(KSym *k, const float *x)
{
    double aa = 0, ax = 0;
    for (int i = 0; i < 256; i++) {
        double a = (double)((float)k->scale[i / SYM_BLOCK] * k->q[i]);
        aa += a * a;
        ax += a * (double)x[i];
    }
    if (aa > 0)
        k->d = as_f16((float)(ax / aa));
}

static void encode_q6_k(unsigned char *p, const float *x)
{
    KSym k = {0};
    float scales[16], widest = 0;
    for (int j = 0; j < 16; j++) {
        scales[j] = fit_scale(x + SYM_BLOCK * j);
        widest = fabsf(scales[j]) > fabsf(widest) ? scales[j] : widest;
    }
    k.d = as_f16(widest / -128);
    for (int turn = 0; turn < 2; turn++) {
        for (int j = 0; j < 16; j++) {
            int s = turn ? k.scale[j] : fabsf(k.d) > 0 ? clamp_int(scales[j] / k.d, -128, 127) : 0;
            settle_sym(&k, j, x + SYM_BLOCK * j, s);
        }
        if (turn == 0)
            refit_sym(&k, x);
    }
    memset(p, 0, quant_block_bytes(QUANT_Q6_K));
    for (int i = 0; i < 256; i++) {
        int half = i / 128, j = i % 128 / 32, at = i % 32, v = (int)k.q[i] + 32;
        unsigned char *low = &p[half * 64 + j % 2 * 32 + at], *high = &p[128 + half * 32 + at];
        *low = (unsigned char)(*low | (v & 15) << (j / 2 * 4));
        *high = (unsigned char)(*high | v >> 4 << (2 * j));
    }
    for (int j = 0; j < 16; j++)
        p[192 + j] = (unsigned char)k.scale[j];
    store_f16(p + 208, k.d);
}

/* ----------------------------------------------------------------------------------------------------- */

static void encode_block(unsigned char *p, QuantType t, const float *x)
{
    switch (t) {
    case QUANT_Q8_0: encode_q8_0(p, x); return;
    case QUANT_Q4_0: encode_q4_0(p, x); return;
    case QUANT_Q4_K: encode_k_min(p, x, false); return;
    case QUANT_Q5_K: encode_k_min(p, x, true); return;
    case QUANT_Q6_K: encode_q6_k(p, x); return;
    default: check(quant_writes(t));
    }
}

void quant_encode(void *blocks, QuantType t, const float *x, int64_t n)
{
    unsigned char *p = blocks;
    int64_t block = quant_block(t);
    check(n >= 0 && quant_fits(t, n));
    if (block == 1) {
        encode_plain(p, t, x, n);
        return;
    }
    for (int64_t i = 0; i < n; i += block, p += quant_block_bytes(t))
        encode_block(p, t, x + i);
}
