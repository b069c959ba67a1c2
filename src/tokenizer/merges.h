/* Byte-pair merging, the heart of both kinds of vocabulary.  Text arrives as symbols (ids); the adjacent pair
 * of lowest rank, leftmost first, is replaced by the symbol that the table names, until no pair is in the
 * table. Sennrich, Haddow & Birch 2016, arXiv:1508.07909, section 3.2; SentencePiece's bpe_model.cc fixes the
 * same order. */
#ifndef TOKENIZER_MERGES_H
#define TOKENIZER_MERGES_H

#include <stdint.h>

#include "base/array.h"

/* (left, right) -> (rank, merged).  Open addressing; a free slot has key PAIR_FREE. */
typedef struct {
    uint64_t key;
    uint32_t rank;
    int32_t id;
} Pair;

typedef struct {
    Pair *slots;
    uint64_t mask;
    size_t n;
} PairTable;

#define PAIR_FREE UINT64_MAX
enum { NO_SYMBOL = -1 }; /* takes part in no merge */

static inline uint64_t pair_key(int32_t left, int32_t right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

static inline uint64_t pair_slot(uint64_t key, uint64_t mask)
{
    return (key * 0x9E3779B97F4A7C15u ^ key >> 29) >> 20 & mask;
}

static inline const Pair *pairs_find(const PairTable *t, int32_t left, int32_t right)
{
    if ((left | right) < 0)
        return NULL;
    uint64_t key = pair_key(left, right);
    for (uint64_t i = pair_slot(key, t->mask);; i = (i + 1) & t->mask) {
        if (t->slots[i].key == key)
            return &t->slots[i];
        if (t->slots[i].key == PAIR_FREE)
            return NULL;
    }
}

void pairs_init(PairTable *t);
void pairs_put(PairTable *t, int32_t left, int32_t right, uint32_t rank,
               int32_t id); /* a later one replaces */
void pairs_drop(PairTable *t);

/* Memory for one thread's merging; {0} is ready. */
typedef struct {
    int32_t *next, *prev;
    uint32_t *rank; /* of the pair that begins here */
    size_t cap;
    Array(uint64_t) heap; /* rank << 32 | position, least first */
} MergeWork;

/* The last pair seen that makes a piece; SentencePiece takes pieces marked unused apart again by it. */
typedef struct {
    int32_t left, right;
} PairSeen;

/* Merges ids[0..n) in place; returns how many are left.  n < 2^31.  O(n log n).  `seen`, indexed by merged
 * id, may be NULL; it receives every pair that was considered, in SentencePiece's order. */
size_t merges_apply(const PairTable *t, MergeWork *w, int32_t *ids, size_t n, PairSeen *seen);
void mergework_drop(MergeWork *w);

#endif
