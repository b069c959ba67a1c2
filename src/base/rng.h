/* Random numbers from a state the caller owns: same seed, same numbers, on every machine.
 * xoshiro256** seeded by splitmix64 (Blackman & Vigna 2018, arXiv:1805.01407). */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

typedef struct {
    uint64_t s[4];
} Rng;

void rng_seed(Rng *r, uint64_t seed);
void rng_seed_pair(Rng *r, uint64_t seed, uint64_t stream); /* independent streams of one seed */
uint64_t rng_next(Rng *r);
double rng_uniform(Rng *r);                 /* [0, 1)                         */
double rng_normal(Rng *r);                  /* mean 0, variance 1; two draws  */
uint64_t rng_below(Rng *r, uint64_t bound); /* [0, bound), without bias; bound > 0 */

#endif
