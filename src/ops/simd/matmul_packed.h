/* Products with packed weights, for the matmul_packed.c of an instruction set; AMX's has only parts of it.
 * Before this header come vec.h, the folder's packed_dots.h, and
 *
 *   FEW_TILE, FEW_PANELS     rows and panels at once, of which the sums stay in registers, while rows are few
 *   TILE_ROWS, TILE_PANELS   the same of plain weights when there are more
 *   DIRECT_PANELS            panels at once of quantised weights while rows are few
 *   ONE_PANELS, ONE_AHEAD    panels at once of any weights for one row, far apart from each other, and how
 *                            many bytes ahead it asks for, as few rows of plain ones do; 0: none
 *   DOT_ROWS, DOT_PANELS     rows and panels of quantised ones when there are more
 *   WIDENS                   whether bf16 is multiplied as f32: no instruction multiplies pairs of it,
 *                            or not as fast
 *   PACKED(name)             the public name: avx2_matmul_packed for matmul_packed
 *
 * Each sum is one chain over k, in its order, whatever the tile, the pieces in which k is walked, and the
 * threads: sums of a piece of k are stored in f32 and taken up again.
 *
 * One row is bound by reading: every thread walks through its own panels, one after the other, since most
 * processors read ahead best in one place; where ONE_PANELS says so, in several places of them.  A few rows
 * take two panels at once, so that what goes to all lanes is loaded once for both: panels from two parts of a
 * thread's, so that what is asked for ahead is what comes next.  Many rows are bound by arithmetic: a piece
 * of a few panels goes into the first cache, quantised ones taken apart, and is used by all rows. */
#ifndef OPS_SIMD_MATMUL_PACKED_H
#define OPS_SIMD_MATMUL_PACKED_H

#include "ops/simd/matmul_dots.h"
#include "ops/simd/matmul_plain.h"

static void few_panels(const Place *at, const PackedMatrix *w, const Panels *panels)
{
    if (packed_form(w->type))
        dots_few(at, w, panels);
    else
        plain_few(at, w, panels);
}

#include "ops/simd/packed_share.h" /* in terms of few_panels */

_Static_assert((int)TILE_ROWS == (int)DOT_ROWS, "matrices of both kinds share the tiles of x");

static int64_t groups_of(const PackedMatrix *w)
{
    return packed_round_up(packed_panels(w), GROUP) / GROUP;
}

static int64_t all_groups(const Product *p)
{
    int64_t groups = 0;
    for (int i = 0; i < p->count; i++)
        groups += groups_of(&p->w[i]);
    return groups;
}

static void group_task(const Product *p, int64_t group, int64_t first, int64_t last, float *kept,
                       unsigned char *apart)
{
    int64_t col = 0;
    const PackedMatrix *w = p->w;
    for (; group >= groups_of(w); w++) {
        group -= groups_of(w);
        col += w->rows;
    }
    int64_t panel = group * GROUP, left = packed_panels(w) - panel;
    Place at = {p, col + panel * PACKED_ROWS, w->rows - panel * PACKED_ROWS};
    Panels panels = {packed_panel(w, panel), (int64_t)packed_panel_bytes(w->type, w->cols),
                     left < GROUP ? left : GROUP, 1};
    if (packed_form(w->type))
        dots_task(&at, w, &panels, first, last, kept, apart);
    else if (w->type == QUANT_BF16 && p->x.widens)
        wide_task(&at, w, &panels, first, last, kept, apart);
    else
        plain_task(&at, w, &panels, first, last, kept);
}

/* How many rows a piece has: fewer where there are fewer groups of panels than keep the threads busy. */
static int64_t rows_of_piece(const Product *p)
{
    int64_t N = p->y->rows, parts = (N + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE, groups = all_groups(p);
    while (groups * parts < 4 * p->threads && N / (parts + 1) >= 4 * p->x.tile)
        parts++;
    return packed_round_up((N + parts - 1) / parts, p->x.tile);
}

static int64_t many_pieces(const Product *p)
{
    int64_t rows = rows_of_piece(p);
    return (p->y->rows + rows - 1) / rows * all_groups(p);
}

static void many_piece(const Product *p, int64_t piece, float *kept, unsigned char *apart)
{
    int64_t groups = all_groups(p), rows = rows_of_piece(p);
    int64_t first = piece / groups * rows, left = p->y->rows - first;
    group_task(p, piece % groups, first, first + (left < rows ? left : rows), kept, apart);
}

enum {
    KEPT_FLOATS = (ROWS_AT_ONCE + 8) * GROUP * PACKED_ROWS,
    APART_BYTES = GROUP * DOT_BLOCKS * MOST_RECORD,
    THREAD_BYTES = KEPT_FLOATS * 4 + APART_BYTES
};

_Static_assert((int)WIDE_BYTES <= (int)APART_BYTES, "wide weights and those taken apart share their memory");

/* One row is rounded by every thread for itself: sooner done than waiting for each other. */
static void simd_matmul_packed(Device *dev, Tensor *y, const Tensor *x, const PackedMatrix *w, int count,
                               bool add_to)
{
    Product p = {.x = {.x = x}, .y = y, .w = w, .count = count, .add_to = add_to, .threads = dev->threads};
    bool few = x->rows <= (packed_needs(w, count, QUANT_F32, true) ? FEW_DOTS : FEW_PLAIN),
         own = x->rows == 1;
    p.x.tile = few ? FEW_TILE : TILE_ROWS;
    p.x.widens = WIDENS;
    size_t words = (size_t)packed_x_place(&p.x, w, count, NULL) * sizeof(uint32_t);
    size_t each = few ? 0 : THREAD_BYTES, copies = own ? (size_t)dev->threads : 1;
    size_t turns = (size_t)dev->threads * sizeof(Turns);
    char *memory = device_scratch(dev, turns + copies * words + (size_t)dev->threads * each + 64);
    if (!memory || x->rows == 0)
        return;
    memory += -(uintptr_t)memory & 63;
    p.turns = (Turns *)(void *)memory;
    p.pieces = few ? few_pieces(&p) : many_pieces(&p);
    turns_deal(p.turns, p.threads, p.pieces);
    memory += turns;
#pragma omp parallel num_threads(dev->threads)
    {
        Product mine = p;
        size_t me = (size_t)omp_get_thread_num();
        packed_x_place(&mine.x, w, count, (uint32_t *)(void *)(memory + (own ? me * words : 0)));
        SimdShare rows = few ? (SimdShare){0, x->rows} : simd_share(x->rows, 1);
        packed_x_round(&mine.x, rows, own || !few ? x_all_numbers(&mine.x) : x_share_of_numbers(&mine.x));
        if (!own) {
#pragma omp barrier
        }
        char *rest = memory + copies * words + me * each;
        for (int64_t piece; (piece = turns_next(p.turns, p.threads, (int64_t)me)) >= 0;) {
            if (few)
                few_piece(&mine, piece);
            else
                many_piece(&mine, piece, (float *)(void *)rest, (unsigned char *)rest + KEPT_FLOATS * 4);
        }
    }
}

void PACKED(matmul_packed)(Device *dev, Tensor *y, const Tensor *x, const PackedMatrix *w, int count,
                           bool add_to)
{
    if (simd_takes(x) && simd_takes(y))
        simd_matmul_packed(dev, y, x, w, count, add_to);
    else
        ops_ref.matmul_packed(dev, y, x, w, count, add_to);
}

#endif
