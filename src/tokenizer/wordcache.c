#include "tokenizer/wordcache.h"

#include "base/check.h"
#include "base/mem.h"

void wordcache_init(WordCache *c)
{
    c->slots = mem_aligned(WORD_SLOTS * sizeof *c->slots);
    check(c->slots);
    memset(c->slots, 0, WORD_SLOTS * sizeof *c->slots);
}

void wordcache_drop(WordCache *c)
{
    mem_free(c->slots);
    c->slots = NULL;
}

void word_set(Word *w, const WordKey *k, const int32_t *ids, size_t n)
{
    check(n <= WORD_IDS_MAX);
    memcpy(w, k, 32);
    w->ids_n = (uint8_t)n;
    memcpy(w->ids, ids, n * sizeof *ids);
}
