#include "corpus/shuffle.h"

#include "base/check.h"
#include "base/rng.h"

void shuffle_start(Shuffle *s, uint64_t n, uint64_t seed, uint64_t stream)
{
    Rng rng;
    check(n <= UINT64_C(1) << 62);
    *s = (Shuffle){.n = n, .half_bits = 1};
    while (s->half_bits < 31 && (UINT64_C(1) << (2 * s->half_bits)) < n)
        s->half_bits++;
    rng_seed_pair(&rng, seed, stream);
    for (int i = 0; i < SHUFFLE_ROUNDS; i++)
        s->keys[i] = rng_next(&rng);
}

/* The finaliser of splitmix64 (Steele, Lea & Flood 2014). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

uint64_t shuffle_at(const Shuffle *s, uint64_t i)
{
    check(i < s->n);
    uint64_t mask = (UINT64_C(1) << s->half_bits) - 1;
    do {
        uint64_t left = i >> s->half_bits, right = i & mask;
        for (int k = 0; k < SHUFFLE_ROUNDS; k++) {
            uint64_t next = left ^ (mix(right + s->keys[k]) & mask);
            left = right;
            right = next;
        }
        i = left << s->half_bits | right;
    } while (i >= s->n);
    return i;
}
