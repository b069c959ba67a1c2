#include "tokenizer/merges.h"

#include <string.h>

#include "base/check.h"

enum { SCAN_MAX = 40 }; /* up to here looking through all pairs beats a heap */
#define NO_RANK UINT32_MAX

void pairs_init(PairTable *t)
{
    *t = (PairTable){.slots = mem_array(Pair, 1024), .mask = 1023};
    memset(t->slots, 0xFF, 1024 * sizeof *t->slots);
}

static Pair *slot_of(PairTable *t, uint64_t key)
{
    uint64_t i = pair_slot(key, t->mask);
    while (t->slots[i].key != key && t->slots[i].key != PAIR_FREE)
        i = (i + 1) & t->mask;
    return &t->slots[i];
}

static void grow(PairTable *t)
{
    PairTable larger = {.mask = t->mask * 2 + 1, .n = t->n};
    larger.slots = mem_array(Pair, larger.mask + 1);
    memset(larger.slots, 0xFF, (larger.mask + 1) * sizeof *larger.slots);
    for (uint64_t i = 0; i <= t->mask; i++)
        if (t->slots[i].key != PAIR_FREE)
            *slot_of(&larger, t->slots[i].key) = t->slots[i];
    mem_free(t->slots);
    *t = larger;
}

void pairs_put(PairTable *t, int32_t left, int32_t right, uint32_t rank, int32_t id)
{
    check(left >= 0 && right >= 0 && id >= 0 && rank != NO_RANK);
    if (t->n * 2 > t->mask)
        grow(t);
    Pair *p = slot_of(t, pair_key(left, right));
    t->n += p->key == PAIR_FREE;
    *p = (Pair){pair_key(left, right), rank, id};
}

void pairs_drop(PairTable *t)
{
    mem_free(t->slots);
    *t = (PairTable){0};
}

void mergework_drop(MergeWork *w)
{
    mem_free(w->next);
    mem_free(w->prev);
    mem_free(w->rank);
    array_drop(&w->heap);
    *w = (MergeWork){0};
}

static inline void look_up(const PairTable *t, const int32_t *ids, size_t i, uint32_t *rank, int32_t *merged)
{
    const Pair *p = pairs_find(t, ids[i], ids[i + 1]);
    rank[i] = p ? p->rank : NO_RANK;
    merged[i] = p ? p->id : NO_SYMBOL;
}

/* A few symbols: find the least rank by looking at all, close the gap by moving what is behind. */
static size_t merge_by_scan(const PairTable *t, int32_t *ids, size_t n)
{
    uint32_t rank[SCAN_MAX];
    int32_t merged[SCAN_MAX];
    for (size_t i = 0; i + 1 < n; i++)
        look_up(t, ids, i, rank, merged);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            best = rank[i] < rank[best] ? i : best;
        if (rank[best] == NO_RANK)
            break;
        ids[best] = merged[best];
        n--;
        for (size_t i = best + 1; i < n; i++)
            ids[i] = ids[i + 1];
        for (size_t i = best + 1; i + 1 < n; i++) {
            rank[i] = rank[i + 1];
            merged[i] = merged[i + 1];
        }
        if (best > 0)
            look_up(t, ids, best - 1, rank, merged);
        if (best + 1 < n)
            look_up(t, ids, best, rank, merged);
    }
    return n;
}

static void heap_push(MergeWork *w, uint64_t v)
{
    array_push(&w->heap, v);
    uint64_t *h = w->heap.at;
    size_t i = w->heap.n - 1;
    for (; i > 0 && h[(i - 1) / 2] > v; i = (i - 1) / 2)
        h[i] = h[(i - 1) / 2];
    h[i] = v;
}

static uint64_t heap_pop(MergeWork *w)
{
    uint64_t *h = w->heap.at, top = h[0], v = h[--w->heap.n];
    size_t n = w->heap.n, i = 0;
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && h[child + 1] < h[child])
            child++;
        if (h[child] >= v)
            break;
        h[i] = h[child];
    }
    h[i] = v;
    return top;
}

static void consider(const PairTable *t, MergeWork *w, const int32_t *ids, int32_t left, PairSeen *seen)
{
    const Pair *p = pairs_find(t, ids[left], ids[w->next[left]]);
    w->rank[left] = p ? p->rank : NO_RANK;
    if (!p)
        return;
    if (seen)
        seen[p->id] = (PairSeen){ids[left], ids[w->next[left]]};
    heap_push(w, (uint64_t)p->rank << 32 | (uint32_t)left);
}

static void reserve(MergeWork *w, size_t n)
{
    if (w->cap >= n)
        return;
    w->cap = n > 2 * w->cap ? n : 2 * w->cap;
    w->next = mem_resize(w->next, w->cap, sizeof *w->next);
    w->prev = mem_resize(w->prev, w->cap, sizeof *w->prev);
    w->rank = mem_resize(w->rank, w->cap, sizeof *w->rank);
}

/* Many symbols: a linked list, and a heap whose entries are dropped when the pair they name has changed.  A
 * pair that begins at the same place with the same rank is as good as the one that was pushed, so rank alone
 * decides. */
static size_t merge_by_heap(const PairTable *t, MergeWork *w, int32_t *ids, size_t n, PairSeen *seen)
{
    reserve(w, n);
    array_clear(&w->heap);
    for (size_t i = 0; i < n; i++) {
        w->prev[i] = (int32_t)i - 1;
        w->next[i] = i + 1 < n ? (int32_t)i + 1 : -1;
        w->rank[i] = NO_RANK;
    }
    for (size_t i = 0; i + 1 < n; i++)
        consider(t, w, ids, (int32_t)i, seen);
    while (w->heap.n) {
        uint64_t top = heap_pop(w);
        int32_t at = (int32_t)(top & 0xFFFFFFFF);
        if (w->rank[at] != top >> 32)
            continue;
        int32_t gone = w->next[at];
        ids[at] = pairs_find(t, ids[at], ids[gone])->id;
        w->rank[at] = w->rank[gone] = NO_RANK;
        w->next[at] = w->next[gone];
        if (w->next[at] >= 0)
            w->prev[w->next[at]] = at;
        if (w->prev[at] >= 0)
            consider(t, w, ids, w->prev[at], seen);
        if (w->next[at] >= 0)
            consider(t, w, ids, at, seen);
    }
    size_t left = 0;
    for (int32_t i = 0; i >= 0; i = w->next[i])
        ids[left++] = ids[i];
    return left;
}

size_t merges_apply(const PairTable *t, MergeWork *w, int32_t *ids, size_t n, PairSeen *seen)
{
    if (n < 2)
        return n;
    return n <= SCAN_MAX && !seen ? merge_by_scan(t, ids, n) : merge_by_heap(t, w, ids, n, seen);
}
