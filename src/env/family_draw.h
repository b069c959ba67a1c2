/* What the families have in common: drawing, and writing down what the expert says. */
#ifndef ENV_FAMILY_DRAW_H
#define ENV_FAMILY_DRAW_H

#include "env/family.h"

#define DRAW_OF(rng, array) ((array)[rng_below((rng), sizeof(array) / sizeof(array)[0])])

static inline int64_t draw_between(Rng *rng, int64_t low, int64_t high)
{
    return low + (int64_t)rng_below(rng, (uint64_t)(high - low + 1));
}

/* One of `of` times. */
static inline bool draw_chance(Rng *rng, int of)
{
    return rng_below(rng, (uint64_t)of) == 0;
}

/* An answer of the expert's. */
void family_say(FamilyTask *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A mistake of the expert's: read, and not learned. */
void family_slip(FamilyTask *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The text by which MINT's protocol asks a second model for feedback. */
MUST_CHECK Status family_write_feedback(const char *data);
/* data/path, with its folders. */
MUST_CHECK Status family_write(const char *data, const char *path, const char *text);

#endif
