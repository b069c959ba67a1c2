/* Few rows are bound by reading weights, so the pieces of a product have the same number of bytes of them.
 * Before this header comes few_panels, which does some panels of one matrix. */
#ifndef OPS_SIMD_PACKED_SHARE_H
#define OPS_SIMD_PACKED_SHARE_H

#include "ops/simd/packed_product.h"

/* A thread's share is cut so often that waiting for the last piece costs little, and so seldom that beginning
 * one, when nothing was asked for ahead, does not (docs/speed.md). */
enum { FEW_PIECES = 8, FEW_BYTES = 1 << 16 };

static size_t product_bytes(const Product *p)
{
    size_t total = 0;
    for (int i = 0; i < p->count; i++)
        total += packed_bytes(p->w[i].type, p->w[i].rows, p->w[i].cols);
    return total;
}

static int64_t few_pieces(const Product *p)
{
    int64_t each = (int64_t)(product_bytes(p) / FEW_BYTES) / p->threads;
    return p->threads * (each < 1 ? 1 : each > FEW_PIECES ? FEW_PIECES : each);
}

/* Whole panels of every matrix. */
static void few_piece(const Product *p, int64_t piece)
{
    size_t total = product_bytes(p), each = total / (size_t)p->pieces, before = 0;
    size_t from = each * (size_t)piece, to = piece + 1 == p->pieces ? total : from + each;
    int64_t col = 0;
    for (int i = 0; i < p->count; i++) {
        const PackedMatrix *w = &p->w[i];
        size_t panel = packed_panel_bytes(w->type, w->cols), here = panel * (size_t)packed_panels(w);
        int64_t first = from > before ? (int64_t)((from - before + panel - 1) / panel) : 0;
        int64_t last = to > before ? (int64_t)((to - before + panel - 1) / panel) : 0;
        first = first < packed_panels(w) ? first : packed_panels(w);
        last = last < packed_panels(w) ? last : packed_panels(w);
        int64_t end = last * PACKED_ROWS < w->rows ? last * PACKED_ROWS : w->rows;
        Place at = {p, col + first * PACKED_ROWS, end - first * PACKED_ROWS};
        Panels panels = {packed_panel(w, first), (int64_t)panel, last - first, 1};
        if (first < last)
            few_panels(&at, w, &panels);
        before += here;
        col += w->rows;
    }
}

#endif
