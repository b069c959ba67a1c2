#include "model/rotations.h"

#include <math.h>

/* Inverse frequency of pair i; Llama-3's stretching as in the release's `apply_scaling`: wavelengths beyond
 * original / low_freq_factor are stretched by `factor`, those below original / high_freq_factor not, linearly
 * between. */
double rotations_frequency(const HParams *h, int64_t i)
{
    double f = pow(h->rope_theta, -2.0 * (double)i / (double)h->head_dim);
    const RopeScaling *s = &h->rope_scaling;
    if (s->factor <= 0)
        return f;
    double turns = (double)s->original_max_position_embeddings * f / 6.283185307179586476925;
    if (turns < s->low_freq_factor)
        return f / s->factor;
    if (turns > s->high_freq_factor)
        return f;
    double share = (turns - s->low_freq_factor) / (s->high_freq_factor - s->low_freq_factor);
    return (1 - share) * f / s->factor + share * f;
}

void rotations_fill(float *table, const HParams *h, int64_t positions)
{
    int64_t D = h->head_dim;
    for (int64_t i = 0; i < D / 2; i++) {
        double f = rotations_frequency(h, i);
        for (int64_t t = 0; t < positions; t++) {
            table[t * D + i] = (float)cos((double)t * f);
            table[t * D + D / 2 + i] = (float)sin((double)t * f);
        }
    }
}
