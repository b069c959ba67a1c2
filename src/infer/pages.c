#include "infer/pages.h"

#include <string.h>

#include "base/check.h"
#include "ops/packed.h"

/* Children are sorted by their ids, so that the one with the longest beginning in common with a text stands
 * beside the place where the text itself would.  Only full nodes have children. */
struct PageNode {
    PageNode *parent;
    Array(PageNode *) children;
    PageNode *older, *newer; /* in the list of cached pages; both NULL elsewhere */
    int64_t users;           /* tables that hold the page; one that holds a node holds all above it */
    int32_t page, n;         /* ids[0..n) */
    int32_t ids[KV_PAGE];
};

/* The list of cached pages goes from the one to be taken first to the last used.  A table gives its nodes
 * back from the end to the beginning, and who holds a node holds those above it: so nodes stand in the list
 * in front of those above them, and the first never has children. */
struct Pages {
    int64_t total, cached;
    Array(int32_t) unused;
    PageNode root, list;
};

Pages *pages_new(int64_t count)
{
    Pages *p = mem_new(Pages);
    p->total = count;
    p->list.older = p->list.newer = &p->list;
    for (int64_t i = count - 1; i >= 0; i--)
        array_push(&p->unused, (int32_t)i);
    return p;
}

static void free_below(PageNode *node)
{
    for (size_t i = 0; i < node->children.n; i++) {
        free_below(node->children.at[i]);
        mem_free(node->children.at[i]);
    }
    array_drop(&node->children);
}

void pages_free(Pages *p)
{
    if (!p)
        return;
    check((int64_t)p->unused.n + p->cached == p->total);
    free_below(&p->root);
    array_drop(&p->unused);
    mem_free(p);
}

int64_t pages_total(const Pages *p)
{
    return p->total;
}

int64_t pages_unused(const Pages *p)
{
    return (int64_t)p->unused.n;
}

int64_t pages_cached(const Pages *p)
{
    return p->cached;
}

/* The list of cached pages. ------------------------------------------------------------------------------ */

static void list_add(Pages *p, PageNode *node)
{
    node->older = p->list.older;
    node->newer = &p->list;
    node->older->newer = node->newer->older = node;
    p->cached++;
}

static void list_remove(Pages *p, PageNode *node)
{
    node->older->newer = node->newer;
    node->newer->older = node->older;
    node->older = node->newer = NULL;
    p->cached--;
}

static void hold(Pages *p, PageNode *node)
{
    if (node->users++ == 0 && node->newer)
        list_remove(p, node);
}

static void let_go(Pages *p, PageNode *node)
{
    check(node->users > 0);
    if (--node->users == 0)
        list_add(p, node);
}

/* The tree. ---------------------------------------------------------------------------------------------- */

static int64_t common(const int32_t *a, const int32_t *b, int64_t n)
{
    int64_t i = 0;
    while (i < n && a[i] == b[i])
        i++;
    return i;
}

/* How ids[0..n) stand to a node's; *same: ids that both begin with. */
static int compare(const PageNode *node, const int32_t *ids, int64_t n, int64_t *same)
{
    int64_t least = node->n < n ? node->n : n;
    *same = common(node->ids, ids, least);
    if (*same < least)
        return ids[*same] < node->ids[*same] ? -1 : 1;
    return n < node->n ? -1 : n > node->n;
}

/* Where ids[0..n), n <= KV_PAGE, stand or would stand among the children; the child that has the longest
 * beginning in common with them, and its length, 0 where none has any. */
typedef struct {
    size_t at;
    bool exact;
    PageNode *best;
    int64_t same;
} Place;

static Place find_place(const PageNode *parent, const int32_t *ids, int64_t n)
{
    size_t low = 0, high = parent->children.n;
    Place place = {0};
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int64_t same;
        int order = compare(parent->children.at[middle], ids, n, &same);
        if (same > place.same || order == 0) {
            place.same = same;
            place.best = parent->children.at[middle];
        }
        if (order == 0) {
            place.exact = true;
            low = middle;
            break;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    place.at = low;
    return place;
}

static void attach(PageNode *parent, PageNode *node, size_t at)
{
    array_push(&parent->children, node);
    memmove(parent->children.at + at + 1, parent->children.at + at,
            (parent->children.n - 1 - at) * sizeof *parent->children.at);
    parent->children.at[at] = node;
    node->parent = parent;
}

static void detach(PageNode *node)
{
    PageNode *parent = node->parent;
    Place place = find_place(parent, node->ids, node->n);
    check(place.exact && place.best == node);
    parent->children.n--;
    memmove(parent->children.at + place.at, parent->children.at + place.at + 1,
            (parent->children.n - place.at) * sizeof *parent->children.at);
}

/* Takes a cached page out of the tree; its number. */
static int32_t evict(Pages *p, PageNode *node)
{
    int32_t page = node->page;
    check(node->users == 0 && node->children.n == 0);
    list_remove(p, node);
    detach(node);
    array_drop(&node->children);
    mem_free(node);
    return page;
}

static bool take(Pages *p, PageTable *t)
{
    int32_t page;
    if (p->unused.n)
        page = p->unused.at[--p->unused.n];
    else if (p->list.newer != &p->list)
        page = evict(p, p->list.newer);
    else
        return false;
    array_push(t, page);
    return true;
}

bool pages_grow(Pages *p, PageTable *t, int64_t positions)
{
    while ((int64_t)t->n < kv_pages_for(positions))
        if (!take(p, t))
            return false;
    return true;
}

/* Finding. ----------------------------------------------------------------------------------------------- */

int64_t pages_length(const Pages *p, const int32_t *ids, int64_t n)
{
    const PageNode *node = &p->root;
    int64_t past = 0;
    for (;;) {
        Place place = find_place(node, ids + past, n - past < KV_PAGE ? n - past : KV_PAGE);
        past += place.same;
        if (place.same < KV_PAGE)
            return past;
        node = place.best;
    }
}

int32_t pages_find(Pages *p, PageTable *t, const int32_t *ids, int64_t n, int64_t *past)
{
    check(t->n == 0);
    PageNode *node = &p->root;
    Place place;
    *past = 0;
    for (;;) {
        place = find_place(node, ids + *past, n - *past < KV_PAGE ? n - *past : KV_PAGE);
        if (place.same < KV_PAGE)
            break;
        node = place.best;
        hold(p, node);
        array_push(t, node->page);
        t->node = node;
        t->shared++;
        *past += KV_PAGE;
    }
    if (place.same == 0)
        return -1;
    hold(p, place.best); /* not to be taken for the copy of itself */
    bool taken = take(p, t);
    let_go(p, place.best); /* and it was used now */
    if (!taken)
        return -1;
    *past += place.same;
    return place.best->page;
}

/* Entering. ---------------------------------------------------------------------------------------------- */

static PageNode *above(Pages *p, const PageTable *t)
{
    return t->node ? t->node : &p->root;
}

/* The table's tail leaves the tree, with its page; the node, to be used again, or NULL. */
static PageNode *take_tail(PageTable *t)
{
    PageNode *node = t->tail;
    if (node)
        detach(node);
    t->tail = NULL;
    return node;
}

/* Cached pages that say less than the new node beside them. */
static void drop_shorter(Pages *p, PageNode *parent, size_t at)
{
    const PageNode *node = parent->children.at[at];
    while (at > 0) {
        PageNode *before = parent->children.at[at - 1];
        if (before->users > 0 || before->n >= node->n ||
            common(before->ids, node->ids, before->n) < before->n)
            return;
        array_push(&p->unused, evict(p, before));
        at--;
    }
}

static void fill_node(PageNode *node, int32_t page, const int32_t *ids, int64_t n)
{
    node->page = page;
    node->n = (int32_t)n;
    memcpy(node->ids, ids, (size_t)n * sizeof *ids);
}

static PageNode *add_node(Pages *p, PageNode *parent, PageNode *reuse, int32_t page, const int32_t *ids,
                          int64_t n, size_t at)
{
    PageNode *node = reuse ? reuse : mem_new(PageNode);
    fill_node(node, page, ids, n);
    node->users = 1;
    attach(parent, node, at);
    drop_shorter(p, parent, at);
    return node;
}

static void enter_full(Pages *p, PageTable *t, const int32_t *ids)
{
    PageNode *parent = above(p, t), *own = take_tail(t);
    int32_t *page = &t->at[t->shared];
    Place place = find_place(parent, ids, KV_PAGE);
    if (place.exact) {
        hold(p, place.best);
        array_push(&p->unused, *page);
        *page = place.best->page;
        t->node = place.best;
        mem_free(own);
    } else {
        t->node = add_node(p, parent, own, *page, ids, KV_PAGE, place.at);
    }
    t->shared++;
}

static void enter_tail(Pages *p, PageTable *t, const int32_t *ids, int64_t n)
{
    PageNode *parent = above(p, t), *own = take_tail(t);
    Place place = find_place(parent, ids, n);
    if (place.same == n)
        mem_free(own); /* others have it; the page stays the table's own */
    else
        t->tail = add_node(p, parent, own, t->at[t->shared], ids, n, place.at);
}

void pages_enter(Pages *p, PageTable *t, const int32_t *ids, int64_t n)
{
    check(n <= (int64_t)t->n * KV_PAGE);
    while ((t->shared + 1) * KV_PAGE <= n)
        enter_full(p, t, ids + t->shared * KV_PAGE);
    int64_t rest = n - t->shared * KV_PAGE;
    if (rest > 0 && (!t->tail || t->tail->n < rest))
        enter_tail(p, t, ids + t->shared * KV_PAGE, rest);
}

void pages_release(Pages *p, PageTable *t)
{
    int64_t in_tree = t->shared;
    if (t->tail) {
        let_go(p, t->tail);
        in_tree++;
    }
    for (int64_t i = (int64_t)t->n - 1; i >= in_tree; i--)
        array_push(&p->unused, t->at[i]);
    for (PageNode *node = t->node; node && node != &p->root; node = node->parent)
        let_go(p, node);
    array_drop(t);
    *t = (PageTable){0};
}
