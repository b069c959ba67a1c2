/* Which elements an operation `dropout` keeps: the same on every table. */
#ifndef OPS_DROPOUT_MASK_H
#define OPS_DROPOUT_MASK_H

#include <stdint.h>

/* Rounds of xor, shift and odd factor spread every bit over the word; factors by C. Wellons' search for the
 * least bias ("prospecting for hash functions", lowbias32). */
static inline uint32_t dropout_mix(uint32_t h)
{
    h ^= h >> 16;
    h *= 0x7FEB352Du;
    h ^= h >> 15;
    h *= 0x846CA68Bu;
    return h ^ h >> 16;
}

typedef struct {
    uint32_t first, second; /* what the row adds before each of two mixings */
} DropoutRow;

static inline DropoutRow dropout_row(uint64_t key, int64_t row)
{
    uint64_t z = key + ((uint64_t)row + 1) * 0x9E3779B97F4A7C15u; /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return (DropoutRow){(uint32_t)z, (uint32_t)(z >> 32)};
}

/* Of 2^32: an element is dropped whose number is below. */
static inline uint32_t dropout_limit(float rate)
{
    return (uint32_t)((double)rate * 0x1p32);
}

static inline uint32_t dropout_number(DropoutRow row, uint32_t col)
{
    return dropout_mix(dropout_mix(row.first + col * 0x9E3779B9u) + row.second);
}

#endif
