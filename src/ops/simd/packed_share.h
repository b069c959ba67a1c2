/* Few rows are bound by reading weights, so every thread has the same number of bytes of them to read. Before
 * this header comes few_panels, which does what a thread has of one matrix. */
#ifndef OPS_SIMD_PACKED_SHARE_H
#define OPS_SIMD_PACKED_SHARE_H

#include "ops/simd/packed_product.h"

/* This thread's panels of every matrix, by bytes: the same wherever a call is the same. */
static void few_rows(const Product *p)
{
    size_t total = 0, before = 0;
    int64_t col = 0, threads = omp_get_num_threads(), me = omp_get_thread_num();
    for (int i = 0; i < p->count; i++)
        total += packed_bytes(p->w[i].type, p->w[i].rows, p->w[i].cols);
    size_t from = total / (size_t)threads * (size_t)me,
           to = me + 1 == threads ? total : total / (size_t)threads * (size_t)(me + 1);
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
        few_panels(&at, w, &panels);
        before += here;
        col += w->rows;
    }
}

#endif
