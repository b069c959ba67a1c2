#include "train/order.h"

#include "base/check.h"

enum { ROUNDS = 6 };

/* The finalizer of splitmix64 (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195). */
static uint64_t mix(uint64_t z)
{
    z += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* A bijection of [0, 4^half). */
static uint64_t feistel(uint64_t key, int half, uint64_t x)
{
    uint64_t mask = ((uint64_t)1 << half) - 1, left = x >> half, right = x & mask;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        uint64_t next = left ^ (mix(key + round * 0xD1B54A32D192ED03u + right) & mask);
        left = right;
        right = next;
    }
    return left << half | right;
}

int64_t order_at(uint64_t seed, int64_t epoch, int64_t n, int64_t i)
{
    check(n > 0 && i >= 0 && i < n && epoch >= 0);
    int half = 1;
    while (half < 31 && ((uint64_t)1 << (2 * half)) < (uint64_t)n)
        half++;
    check(((uint64_t)1 << (2 * half)) >= (uint64_t)n);
    uint64_t key = mix(mix(seed) ^ (uint64_t)epoch), x = (uint64_t)i;
    do
        x = feistel(key, half, x);
    while (x >= (uint64_t)n);
    return (int64_t)x;
}
