#include "ops/ref/dot_block.h"
#include "ops/ref/ref.h"

static void plain_row(const Tensor *out, int64_t n, const PackedMatrix *w, int64_t row)
{
    const unsigned char *panel = packed_panel(w, row / PACKED_ROWS);
    int64_t lane = row % PACKED_ROWS;
    for (int64_t k = 0; k < w->cols; k++)
        tensor_set(out, n, k,
                   w->type == QUANT_BF16 ? dtype_load(panel, DTYPE_BF16, k / 2 * 32 + lane * 2 + k % 2)
                                         : dtype_load(panel, DTYPE_F32, k * PACKED_ROWS + lane));
}

/* The same floats as quant_decode gives: what is rounded is rounded once (tensor/quant.c). */
static void dot_row(const Tensor *out, int64_t n, const PackedMatrix *w, int64_t row)
{
    for (int64_t k = 0; k < w->cols; k += DOT_BLOCK) {
        DotBlock b;
        ref_dot_block(&b, w, row, k);
        for (int64_t i = 0; i < DOT_BLOCK; i++)
            tensor_set(out, n, k + i, (double)(b.scale[i / 16] * (float)(b.q[i] - b.zero) - b.min));
    }
}

void ref_embed_packed(Device *dev, Tensor *out, const PackedMatrix *table, const Tensor *ids)
{
#pragma omp parallel for schedule(static) num_threads(dev->threads)
    for (int64_t n = 0; n < out->rows; n++) {
        int32_t id = tensor_i32(ids, 0)[n];
        if (packed_form(table->type))
            dot_row(out, n, table, id);
        else
            plain_row(out, n, table, id);
    }
}
