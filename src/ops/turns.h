/* Pieces of work, each done once, by threads that do not work equally fast (two cores of a shared machine
 * seldom do): a thread does its own share in order, then takes from behind what others have not begun.  So a
 * piece's result must not depend on who computes it. */
#ifndef OPS_TURNS_H
#define OPS_TURNS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One thread's pieces that nobody has begun: the first in the low half, the one behind the last in the high.
 */
typedef struct {
    _Alignas(64) _Atomic uint64_t left;
} Turns;

/* Before the threads begin: `turns` is [threads], pieces < 2^32. */
static inline void turns_deal(Turns *turns, int64_t threads, int64_t pieces)
{
    for (int64_t t = 0; t < threads; t++) {
        uint64_t first = (uint64_t)(pieces * t / threads), end = (uint64_t)(pieces * (t + 1) / threads);
        atomic_init(&turns[t].left, first | end << 32);
    }
}

static inline int64_t turns_take(Turns *of, bool first_of_them)
{
    uint64_t left = atomic_load_explicit(&of->left, memory_order_relaxed), rest;
    int64_t piece;
    do {
        uint64_t first = left & UINT32_MAX, end = left >> 32;
        if (first == end)
            return -1;
        piece = (int64_t)(first_of_them ? first : end - 1);
        rest = first_of_them ? (first + 1) | end << 32 : first | (end - 1) << 32;
    } while (!atomic_compare_exchange_weak_explicit(&of->left, &left, rest, memory_order_relaxed,
                                                    memory_order_relaxed));
    return piece;
}

/* The next piece for thread `me`; -1: all have been begun. */
static inline int64_t turns_next(Turns *turns, int64_t threads, int64_t me)
{
    int64_t piece = turns_take(&turns[me], true);
    for (int64_t i = 1; piece < 0 && i < threads; i++)
        piece = turns_take(&turns[(me + i) % threads], false);
    return piece;
}

#endif
