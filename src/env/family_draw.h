/* What the families have in common: drawing, and writing down what the expert says. */
#ifndef ENV_FAMILY_DRAW_H
#define ENV_FAMILY_DRAW_H

#include "env/family.h"
#include "env/hint.h"

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
/* One that only goes on with another, which a hint has told of: who is given hints does not make it. */
void family_slip_unhinted(FamilyTask *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* What an expert who hints says where the agent's last action lacks those words; the first that holds is
 * said. Several words that may stand for each other are lines of one text. */
void family_hint(FamilyTask *t, const char *lacks, const char *hint);
/* The same elsewhere, and of words that are there; NULL: of none. */
void family_hint_on(FamilyTask *t, HintOver over, const char *has, const char *lacks, const char *hint);
/* Where nothing holds. */
void family_hint_otherwise(FamilyTask *t, const char *hint);
/* For family.c: appends the task's line.  ST_FORMAT: a hint gives away what the expert says. */
MUST_CHECK Status family_hints_line(Str *out, const FamilyTask *t);

/* The text by which MINT's protocol asks a second model for feedback. */
MUST_CHECK Status family_write_feedback(const char *data);
/* data/path, with its folders. */
MUST_CHECK Status family_write(const char *data, const char *path, const char *text);

#endif
