/* Remembers the ids of stretches of text that come again: a word, a name, an indentation.  Direct-mapped, one
 * cache line an entry, whole keys compared, so a wrong answer is impossible and a miss costs only time.  One
 * thread's property. */
#ifndef TOKENIZER_WORDCACHE_H
#define TOKENIZER_WORDCACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { WORD_KEY_MAX = 30, WORD_IDS_MAX = 8, WORD_SLOTS = 1 << 15 };

typedef struct {
    uint8_t key_n; /* 0: free */
    uint8_t ids_n;
    char key[WORD_KEY_MAX]; /* zero behind the key */
    int32_t ids[WORD_IDS_MAX];
} Word;
_Static_assert(sizeof(Word) == 64, "one cache line an entry");

typedef struct {
    Word *slots;
} WordCache;

void wordcache_init(WordCache *c);
void wordcache_drop(WordCache *c);

/* A key in four machine words: length, bytes, zeros. */
typedef struct {
    uint64_t w[4];
} WordKey;

/* `readable`: how many bytes from p on may be read; with 16 and a short key two loads and a mask do
 * (little-endian, as all that this program is built for). */
static inline WordKey word_key(const char *p, size_t n, size_t readable)
{
    union {
        WordKey key;
        char bytes[32];
    } u = {0};
    if (readable >= 16 && n <= 16) {
        uint64_t lo, hi;
        memcpy(&lo, p, 8);
        memcpy(&hi, p + 8, 8);
        if (n < 8) {
            lo &= ((uint64_t)1 << 8 * n) - 1;
            hi = 0;
        } else if (n < 16) {
            hi &= ((uint64_t)1 << 8 * (n - 8)) - 1;
        }
        memcpy(u.bytes + 2, &lo, 8);
        memcpy(u.bytes + 10, &hi, 8);
    } else {
        memcpy(u.bytes + 2, p, n);
    }
    u.bytes[0] = (char)n;
    return u.key;
}

static inline uint64_t word_hash(const WordKey *k)
{
    uint64_t a = (k->w[0] ^ 0x9E3779B97F4A7C15u) * 0xBF58476D1CE4E5B9u;
    uint64_t b = (k->w[1] ^ k->w[2] << 1) * 0x94D049BB133111EBu;
    uint64_t c = (k->w[3] ^ k->w[2]) * 0xD6E8FEB86659FD93u;
    uint64_t h = (a ^ a >> 32) + (b ^ b >> 29) * 0x9E3779B97F4A7C15u + (c ^ c >> 31);
    return h ^ h >> 33;
}

static inline Word *wordcache_slot(const WordCache *c, const WordKey *k)
{
    return &c->slots[word_hash(k) & (WORD_SLOTS - 1)];
}

static inline bool word_is(const Word *w, const WordKey *k)
{
    uint64_t have[4];
    memcpy(have, w, 32);
    have[0] &= ~(uint64_t)0xFF00; /* the count of ids is not part of the key */
    return ((have[0] ^ k->w[0]) | (have[1] ^ k->w[1]) | (have[2] ^ k->w[2]) | (have[3] ^ k->w[3])) == 0;
}

/* Puts ids[0..n), n <= WORD_IDS_MAX, into the slot that wordcache_slot gave. */
void word_set(Word *w, const WordKey *k, const int32_t *ids, size_t n);

#endif
