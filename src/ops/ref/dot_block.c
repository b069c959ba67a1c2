#include "ops/ref/dot_block.h"

#include <float.h>
#include <math.h>

/* A row of a panel: words and scales of its blocks. */
typedef struct {
    const PackedForm *form;
    const unsigned char *panel;
    int lane;
} PackedRow;

static uint32_t word(const PackedRow *r, int64_t block, int i)
{
    uint32_t value;
    size_t at = packed_words_at(r->form, block) + (size_t)packed_word_place(r->form, i) * PACKED_VECTOR;
    memcpy(&value, r->panel + at + (size_t)r->lane * 4, sizeof value);
    return value;
}

/* The first or the second f16 of the lane. */
static float scale_half(const PackedRow *r, int64_t block, int half)
{
    uint16_t value;
    memcpy(&value, r->panel + packed_scales_at(r->form, block) + (size_t)(half * 32 + r->lane * 2),
           sizeof value);
    return f16_to_f32(value);
}

static unsigned byte_of(const PackedRow *r, int64_t block, int first_word, int i)
{
    return word(r, block, first_word + i / 4) >> i % 4 * 8 & 255;
}

/* Four numbers a word, of `bits` each at `shift` of a byte, from `first` on; added, `up` bits up. */
static void add_bits(DotBlock *out, const PackedRow *r, int64_t block, int first, int shift, unsigned mask,
                     int up)
{
    for (int i = 0; i < DOT_BLOCK; i++)
        out->q[i] |= (int)((byte_of(r, block, first, i) >> shift & mask) << up);
}

/* Scale and minimum of sub-block j, six bits each in 12 bytes: quant.c draws them. */
static void k_scales(DotBlock *out, const PackedRow *r, int64_t block, int j)
{
    unsigned a = byte_of(r, block, 0, j < 4 ? j : j + 4), b = byte_of(r, block, 0, j < 4 ? j + 4 : j);
    unsigned low = byte_of(r, block, 0, j < 4 ? j : j - 4);
    unsigned scale = j < 4 ? a & 63 : (a & 15) | low >> 6 << 4, min = j < 4 ? b & 63 : a >> 4 | b >> 6 << 4;
    out->scale[0] = out->scale[1] = scale_half(r, block, 0) * (float)scale;
    out->min = scale_half(r, block, 1) * (float)min;
    out->has_min = true;
}

static void q6_scales(DotBlock *out, const PackedRow *r, int64_t block, int j)
{
    for (int h = 0; h < 2; h++)
        out->scale[h] =
            scale_half(r, block, (int)(block % 2)) * (float)(int8_t)byte_of(r, block, 48, 2 * j + h);
    out->has_halves = true;
}

void ref_dot_block(DotBlock *out, const PackedMatrix *w, int64_t row, int64_t k)
{
    PackedRow r = {packed_form(w->type), packed_panel(w, row / PACKED_ROWS), (int)(row % PACKED_ROWS)};
    int64_t block = k / r.form->block;
    int j = (int)(k % r.form->block / DOT_BLOCK), fifth = w->type == QUANT_Q5_K ? 8 : 0;
    *out = (DotBlock){.zero = 0};
    switch (w->type) {
    case QUANT_Q8_0:
        add_bits(out, &r, block, 0, 0, 255, 0);
        out->zero = 128;
        break;
    case QUANT_Q4_0:
        for (int i = 0; i < DOT_BLOCK; i++)
            out->q[i] = (int)(byte_of(&r, block, 0, i % 16) >> i / 16 * 4 & 15);
        out->zero = 8;
        break;
    case QUANT_Q6_K:
        add_bits(out, &r, block, j / 4 * 16 + j % 2 * 8, j % 4 / 2 * 4, 15, 0);
        add_bits(out, &r, block, 32 + j / 4 * 8, j % 4 * 2, 3, 4);
        q6_scales(out, &r, block, j);
        out->zero = 32;
        return;
    default: /* Q4_K, Q5_K */
        add_bits(out, &r, block, 3 + fifth + j / 2 * 8, j % 2 * 4, 15, 0);
        if (fifth)
            add_bits(out, &r, block, 3, j, 1, 4);
        k_scales(out, &r, block, j);
        return;
    }
    out->scale[0] = out->scale[1] = scale_half(&r, block, (int)(block % 2));
}

/* The largest of the numbers' magnitudes, found among their bits: above infinity there is only not-a-number.
 */
static float greatest(const float *x)
{
    uint32_t top = 0, bits;
    float f;
    for (int i = 0; i < DOT_BLOCK; i++) {
        memcpy(&bits, &x[i], sizeof bits);
        bits &= 0x7FFFFFFFu;
        top = bits > top ? bits : top;
    }
    memcpy(&f, &top, sizeof f);
    return f;
}

void ref_round_block(RoundedBlock *out, const float *x)
{
    float d = greatest(x) / 127.0f, inverse = 1.0f / d;
    bool normal = d >= FLT_MIN && d <= FLT_MAX;
    *out = (RoundedBlock){.scale = d};
    for (int i = 0; i < DOT_BLOCK && normal; i++) {
        out->q[i] = (int8_t)nearbyintf(x[i] * inverse);
        out->sum += out->q[i];
    }
}

static int dot(const DotBlock *w, const RoundedBlock *x, int first, int n)
{
    int sum = 0;
    for (int i = first; i < first + n; i++)
        sum += (w->q[i] - w->zero) * x->q[i];
    return sum;
}

float ref_add_dot(float acc, const DotBlock *w, const RoundedBlock *x)
{
    if (w->has_halves) {
        acc = fmaf((float)dot(w, x, 0, 16), w->scale[0] * x->scale, acc);
        return fmaf((float)dot(w, x, 16, 16), w->scale[1] * x->scale, acc);
    }
    acc = fmaf((float)dot(w, x, 0, DOT_BLOCK), w->scale[0] * x->scale, acc);
    return w->has_min ? fmaf(-w->min, x->scale * (float)x->sum, acc) : acc;
}
