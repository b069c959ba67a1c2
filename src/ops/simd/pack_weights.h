/* Rows into panels.  All types are words (32 bits) that change places: sixteen rows of words become vectors
 * of sixteen lanes by transposing them in registers; plain numbers of another type are converted on the way,
 * a chunk at a time.  Before this header comes the folder's attention_lanes.h, which has vec_transpose, and
 * its packed_lanes.h. */
#ifndef OPS_SIMD_PACK_WEIGHTS_H
#define OPS_SIMD_PACK_WEIGHTS_H

#include "ops/packed_layout.h"
#include "ops/simd/cast.h"

/* Sixteen rows of raw numbers; those from `count` on are not there. */
typedef struct {
    const unsigned char *first;
    size_t next;
    int64_t count;
} RawRows;

/* Words [0, n) of each row, from byte `at` on, become vectors 0, 1, ... or, where there is an order,
 * order[0], order[1], ...: n <= LANES. */
SIMD_INLINE void pack_words(unsigned char *to, const RawRows *raw, size_t at, const int n, uint32_t flip,
                            const unsigned char *order)
{
    for (int part = 0; part < PACKED_ROWS; part += LANES) {
        Vec v[LANES];
        for (int i = 0; i < LANES; i++) {
            const unsigned char *row = raw->first + (size_t)(part + i) * raw->next + at;
            v[i] = vec_all(0);
            if (part + i < raw->count)
                v[i] = (Vec)((Lanes32)vec_load_f32((const float *)(const void *)row, n) ^ flip);
        }
        vec_transpose(v);
        for (int i = 0; i < n; i++)
            vec_store_f32((float *)(void *)(to + (order ? order[i] : i) * PACKED_VECTOR + part * 4), v[i],
                          LANES);
    }
}

static void pack_more_words(unsigned char *to, const RawRows *raw, size_t at, int64_t n, uint32_t flip)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        pack_words(to + i * PACKED_VECTOR, raw, at + (size_t)i * 4, LANES, flip, NULL);
    if (i < n)
        pack_words(to + i * PACKED_VECTOR, raw, at + (size_t)i * 4, (int)(n - i), flip, NULL);
}

static void pack_in_order(unsigned char *to, const RawRows *raw, size_t at, const PackedForm *f)
{
    for (int i = 0; i < f->words; i += LANES)
        pack_words(to, raw, at + (size_t)i * 4, f->words - i < LANES ? f->words - i : LANES, f->flip,
                   f->order + i);
}

/* Quantised --------------------------------------------------------------------------------------------- */

static void pack_scales(unsigned char *to, const RawRows *raw, size_t at)
{
    uint16_t half[PACKED_ROWS] = {0};
    for (int64_t r = 0; r < raw->count; r++)
        memcpy(&half[r], raw->first + (size_t)r * raw->next + at, sizeof half[r]);
    memcpy(to, half, sizeof half);
}

static void pack_blocks(unsigned char *panel, const RawRows *raw, const PackedForm *f, int64_t blocks)
{
    for (int64_t b = 0; b < blocks; b++) {
        size_t at = (size_t)(b * f->bytes);
        unsigned char *scales = panel + packed_scales_at(f, b);
        pack_scales(scales + b % f->group * 32, raw, at + (size_t)f->scale_at);
        if (f->group == 1)
            pack_scales(scales + 32, raw, at + (size_t)f->scale_at + 2);
        else if (b + 1 == blocks && b % 2 == 0)
            memset(scales + 32, 0, 32);
        unsigned char *words = panel + packed_words_at(f, b);
        if (f->order)
            pack_in_order(words, raw, at + (size_t)f->words_at, f);
        else
            pack_more_words(words, raw, at + (size_t)f->words_at, f->words, f->flip);
    }
}

/* Plain ------------------------------------------------------------------------------------------------- */

enum { PACK_CHUNK = 128 /* numbers of a row */ };

/* Numbers k .. k + n - 1 of a row in the panel's type, with zeros behind them up to whole words. */
static void convert_chunk(unsigned char *to, QuantType type, const unsigned char *row, QuantType from,
                          int64_t k, int64_t n)
{
    float values[PACK_CHUNK];
    const unsigned char *at = row + quant_bytes(from, k);
    int64_t whole = from == QUANT_F16 ? n / LANES * LANES : 0;
    for (int64_t i = 0; i < whole; i += LANES)
        vec_store_f32(values + i, vec_from_f16(at + 2 * i), LANES);
    quant_decode(values + whole, at + quant_bytes(from, whole), from, n - whole);
    if (type == QUANT_F32) {
        memcpy(to, values, (size_t)n * sizeof *values);
        return;
    }
    memset(to + n / 2 * 4, 0, 4);
    cast_row(to, DTYPE_BF16, values, DTYPE_F32, n);
}

static void pack_plain(unsigned char *panel, const RawRows *raw, QuantType type, QuantType from, int64_t cols)
{
    unsigned char chunk[PACKED_ROWS][PACK_CHUNK * 4 + 4];
    int64_t per_word = type == QUANT_BF16 ? 2 : 1, ready = type == from ? cols / per_word : 0;
    pack_more_words(panel, raw, 0, ready, 0);
    RawRows rows = {&chunk[0][0], sizeof chunk[0], raw->count};
    for (int64_t k = ready * per_word; k < cols; k += PACK_CHUNK) {
        int64_t n = cols - k < PACK_CHUNK ? cols - k : PACK_CHUNK;
        for (int64_t r = 0; r < raw->count; r++)
            convert_chunk(chunk[r], type, raw->first + (size_t)r * raw->next, from, k, n);
        pack_more_words(panel + k / per_word * PACKED_VECTOR, &rows, 0, (n + per_word - 1) / per_word, 0);
    }
}

static void simd_pack_weights(Device *dev, PackedMatrix *w, int64_t first, int64_t n, const void *raw,
                              QuantType from)
{
    const PackedForm *f = packed_form(w->type);
    if (quant_block(from) > 1 && !f) {
        ops_ref.pack_weights(dev, w, first, n, raw, from);
        return;
    }
    size_t row_bytes = quant_bytes(from, w->cols);
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t r = 0; r < n; r += PACKED_ROWS) {
        RawRows rows = {(const unsigned char *)raw + (size_t)r * row_bytes, row_bytes,
                        n - r < PACKED_ROWS ? n - r : PACKED_ROWS};
        unsigned char *panel = packed_panel(w, (first + r) / PACKED_ROWS);
        if (f)
            pack_blocks(panel, &rows, f, w->cols / f->block);
        else
            pack_plain(panel, &rows, w->type, from, w->cols);
    }
}

#endif
