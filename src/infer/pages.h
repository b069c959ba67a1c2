/* Who owns which page of the cache, and which beginnings of sequences are in it.
 *
 * The pages' numbers are dealt out here; what is in them is the decoder's affair.  A sequence has a
 * PageTable.  Pages that have been computed are entered into a tree, one page a node, its path from the root
 * spelling the ids in front of it: a later sequence that begins with the same ids takes these pages over
 * instead of computing them.  Pages in the tree are never written to again, but for the free positions at the
 * end of a sequence's last one.
 *
 *     from = pages_find(p, &table, ids, n, &past);     // past: positions that need not be computed
 *     if (from >= 0) copy page `from` to the table's last one;
 *     if (pages_grow(p, &table, past + new)) ... run the model ...
 *     pages_enter(p, &table, ids, past + new);
 *     pages_release(p, &table);
 *
 * A page is free, or in use by sequences, or cached: in the tree, used by none, and taken away when no free
 * one is left; the one that was used longest ago goes first, and never one that others in the tree stand on.
 * One thread. */
#ifndef INFER_PAGES_H
#define INFER_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"

typedef struct Pages Pages;
typedef struct PageNode PageNode;

/* {0}: no page yet. */
typedef struct {
    int32_t *at; /* [n] page numbers, in the order of positions */
    size_t n, cap;
    int64_t shared; /* of these, the first so many are in the tree and full */
    PageNode *node; /* of the last of them */
    PageNode *tail; /* of the page behind them, where it is in the tree with what is written of it so far */
} PageTable;

Pages *pages_new(int64_t count);
void pages_free(Pages *p); /* all tables have been released */

/* An empty table takes over the pages of the longest beginning of ids[0..n) that the tree has; *past is its
 * length.  Where a page of the tree goes on with some of the next ids, the table gets a page of its own for
 * them, and the one that it must be made a copy of, before anything else is done, is returned; else -1. */
int32_t pages_find(Pages *p, PageTable *t, const int32_t *ids, int64_t n, int64_t *past);
int64_t pages_length(const Pages *p, const int32_t *ids, int64_t n); /* what *past would be, at most */

/* Pages for that many positions.  False: there are not enough, and the table has as many as there were. */
bool pages_grow(Pages *p, PageTable *t, int64_t positions);

/* ids[0..n) are computed: enters the table's pages, also the one that is not full.  Where the tree has the
 * same ids in another page, the table takes that one over and gives its own back. */
void pages_enter(Pages *p, PageTable *t, const int32_t *ids, int64_t n);
void pages_release(Pages *p, PageTable *t); /* {0} afterwards */

int64_t pages_total(const Pages *p);
int64_t pages_unused(const Pages *p); /* free */
int64_t pages_cached(const Pages *p);

#endif
