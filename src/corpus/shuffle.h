/* A shuffled order of [0, n) that takes no memory: position i goes to shuffle_at(&s, i), each value once.
 * A Feistel network on 2k bits, 4^k >= n, keyed by the seed; what falls outside [0, n) is put through
 * again until it falls inside ("cycle walking": Black & Rogaway 2002, Ciphers with Arbitrary Finite
 * Domains), fewer than 4 times on average. Eight rounds, each an integer hash: plenty for an order, none
 * for secrets. */
#ifndef CORPUS_SHUFFLE_H
#define CORPUS_SHUFFLE_H

#include <stdint.h>

enum { SHUFFLE_ROUNDS = 8 };

typedef struct {
    uint64_t n, keys[SHUFFLE_ROUNDS];
    unsigned half_bits;
} Shuffle;

/* Independent orders for each (seed, stream); n may be up to 2^62. */
void shuffle_start(Shuffle *s, uint64_t n, uint64_t seed, uint64_t stream);
uint64_t shuffle_at(const Shuffle *s, uint64_t i); /* i < n */

#endif
