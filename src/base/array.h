/* Growable arrays of any type:  `int64_t *ids; size_t ids_n, ids_cap` become
 *
 *     Array(int64_t) ids = {0};
 *     array_push(&ids, 7);   ids.at[0] == 7, ids.n == 1
 *     array_drop(&ids);
 */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include "base/mem.h"

#define Array(Type)     \
    struct {            \
        Type *at;       \
        size_t n, cap;  \
    }

/* Capacity for at least `want` more; doubles, so that n pushes cost O(n). */
#define array_reserve(a, want)                                                                    \
    do {                                                                                          \
        if ((a)->cap - (a)->n < (size_t)(want)) {                                                 \
            size_t cap_ = (a)->cap ? (a)->cap * 2 : 16;                                           \
            (a)->cap = cap_ > (a)->n + (size_t)(want) ? cap_ : (a)->n + (size_t)(want);           \
            (a)->at = mem_resize((a)->at, (a)->cap, sizeof *(a)->at);                             \
        }                                                                                         \
    } while (0)

#define array_push(a, value)             \
    do {                                 \
        array_reserve(a, 1);             \
        (a)->at[(a)->n++] = (value);     \
    } while (0)

#define array_clear(a) ((void)((a)->n = 0))

#define array_drop(a)          \
    do {                       \
        mem_free((a)->at);     \
        (a)->at = NULL;        \
        (a)->n = (a)->cap = 0; \
    } while (0)

#endif
