#include "ops/packed_layout.h"
#include "ops/ref/ref.h"

/* Decoded first, so that every type that files have can become a plain one. */
static void pack_plain_row(unsigned char *panel, int64_t lane, const float *row, QuantType type, int64_t cols)
{
    for (int64_t k = 0; k < cols; k++) {
        uint16_t half = bf16_from_f32(row[k]);
        if (type == QUANT_BF16)
            memcpy(panel + (k / 2 * 32 + lane * 2 + k % 2) * 2, &half, sizeof half);
        else
            memcpy(panel + (k * PACKED_ROWS + lane) * 4, &row[k], sizeof row[k]);
    }
}

static void pack_block(unsigned char *panel, int64_t lane, const unsigned char *block, const PackedForm *f,
                       int64_t b)
{
    int scales = f->group == 1 ? 2 : 1;
    for (int i = 0; i < scales; i++)
        memcpy(panel + packed_scales_at(f, b) + (size_t)((b % f->group + i) * 32 + lane * 2),
               block + f->scale_at + i * 2, 2);
    for (int i = 0; i < f->words; i++) {
        uint32_t word;
        memcpy(&word, block + f->words_at + i * 4, sizeof word);
        word ^= f->flip;
        size_t at = packed_words_at(f, b) + (size_t)packed_word_place(f, i) * PACKED_VECTOR;
        memcpy(panel + at + (size_t)lane * 4, &word, sizeof word);
    }
}

static void pack_row(unsigned char *panel, int64_t lane, const PackedMatrix *w, const unsigned char *raw,
                     QuantType from, float *decoded)
{
    const PackedForm *f = packed_form(w->type);
    if (!f) {
        quant_decode(decoded, raw, from, w->cols);
        pack_plain_row(panel, lane, decoded, w->type, w->cols);
        return;
    }
    for (int64_t b = 0; b < w->cols / f->block; b++)
        pack_block(panel, lane, raw + b * f->bytes, f, b);
}

void ref_pack_weights(Device *dev, PackedMatrix *w, int64_t first, int64_t n, const void *raw, QuantType from)
{
    size_t row_bytes = quant_bytes(from, w->cols), panel_bytes = packed_panel_bytes(w->type, w->cols);
    float *decoded = device_scratch(dev, (size_t)dev->threads * (size_t)w->cols * sizeof *decoded);
    if (!decoded)
        return;
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t r = 0; r < n; r += PACKED_ROWS) {
        unsigned char *panel = packed_panel(w, (first + r) / PACKED_ROWS);
        memset(panel, 0, panel_bytes); /* rows and numbers that are not there */
        for (int64_t i = 0; i < PACKED_ROWS && r + i < n; i++)
            pack_row(panel, i, w, (const unsigned char *)raw + (size_t)(r + i) * row_bytes, from,
                     decoded + omp_get_thread_num() * w->cols);
    }
}
