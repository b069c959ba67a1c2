/* Memory of things that die together: one document, one request, one episode.
 *     Arena a = {0};  char *p = arena_alloc(&a, n);  arena_clear(&a);  arena_drop(&a); */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

typedef struct ArenaBlock ArenaBlock;

typedef struct {
    ArenaBlock *first, *current;
} Arena;

void *arena_alloc(Arena *a, size_t bytes); /* 16-byte aligned, not zeroed; never NULL */
char *arena_strn(Arena *a, const char *s, size_t n);
void arena_clear(Arena *a); /* forgets all, keeps the blocks */
void arena_drop(Arena *a);

#endif
