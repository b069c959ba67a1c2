#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

struct ArenaBlock {
    ArenaBlock *next;
    size_t used, cap;
    _Alignas(16) unsigned char bytes[];
};

enum { FIRST_BLOCK = 4096, LARGE_BLOCK = 64 << 10 }; /* what a block has too much is touched for nothing */

static ArenaBlock *block_new(size_t cap)
{
    ArenaBlock *b = mem_zeroed(1, sizeof *b + cap);
    b->cap = cap;
    return b;
}

/* The next block that can hold `bytes`: one kept from before, or a new one twice as large as the last,
 * up to LARGE_BLOCK. */
static ArenaBlock *next_block(Arena *a, size_t bytes)
{
    ArenaBlock *last = a->current;
    for (ArenaBlock *b = last ? last->next : a->first; b; b = b->next) {
        b->used = 0;
        if (b->cap >= bytes)
            return b;
        last = b;
    }
    size_t cap = !last ? FIRST_BLOCK : last->cap < LARGE_BLOCK / 2 ? last->cap * 2 : LARGE_BLOCK;
    ArenaBlock *b = block_new(cap > bytes ? cap : bytes);
    if (last)
        last->next = b;
    else
        a->first = b;
    return b;
}

void *arena_alloc(Arena *a, size_t bytes)
{
    size_t rounded = (bytes + 15) & ~(size_t)15;
    if (!a->current || a->current->cap - a->current->used < rounded)
        a->current = next_block(a, rounded);
    void *p = a->current->bytes + a->current->used;
    a->current->used += rounded;
    return p;
}

char *arena_strn(Arena *a, const char *s, size_t n)
{
    char *copy = arena_alloc(a, n + 1);
    if (n)
        memcpy(copy, s, n);
    copy[n] = 0;
    return copy;
}

void arena_clear(Arena *a)
{
    a->current = NULL;
    if (a->first)
        a->first->used = 0, a->current = a->first;
}

void arena_drop(Arena *a)
{
    for (ArenaBlock *b = a->first, *next; b; b = next) {
        next = b->next;
        mem_free(b);
    }
    *a = (Arena){0};
}
