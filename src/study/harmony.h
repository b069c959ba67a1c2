/* How much code, how much text?  Models trained on different mixtures of the same number of tokens, several
 * seeds each, tuned alike: what they lose on code and on text, and what they score as agents.
 *
 *     Harmony h = {0};
 *     TRY(harmony_read(&h, folders, n));          runs of `lemur run`, or the folders of their stages
 *     TRY(harmony_weigh(&h, "code=1,agent=2"));   NULL: code, text and agent alike
 *     harmony_solve(&h);
 *     harmony_text(&out, &h);
 *     harmony_drop(&h);
 *
 * What belongs together is read from what the stages' folders record: a training names its data, whose
 * manifest has the mixture; a tuning names the model that it began with; scores name the tuned model. */
#ifndef STUDY_HARMONY_H
#define STUDY_HARMONY_H

#include <jansson.h>

#include "base/array.h"
#include "base/str.h"

enum {
    HARMONY_CODE,     /* bits per byte of held-out code */
    HARMONY_TEXT,     /* ... of prose                  */
    HARMONY_EPISODES, /* nats per learned token of held-out episodes, after tuning: mean over families */
    HARMONY_AGENT,    /* share of tasks solved after tuning: mean over families */
    HARMONY_FAMILIES, /* ... of one family, from here on */
    HARMONY_FAMILIES_MOST = 7,
    HARMONY_MEASURES = HARMONY_FAMILIES + HARMONY_FAMILIES_MOST,
    HARMONY_ROUNDS = 2000
};

typedef struct {
    char *name;
    bool up;   /* more is better */
    bool used; /* some run has it */
} HarmonyMeasure;

typedef struct {
    int64_t seed;
    double values[HARMONY_MEASURES]; /* NAN: not there */
} HarmonyRun;

typedef struct {
    double mean, low, high; /* 95 % by Student's t; low = high = mean where n is 1 */
    int64_t n;              /* seeds; 0: nothing is known */
} HarmonyValue;

typedef struct {
    char *name;                        /* "10:1" */
    double share;                      /* of code among the rows packed */
    double repeats_code, repeats_text; /* of the source repeated most */
    int64_t tokens;                    /* that its first run was trained on */
    Array(HarmonyRun) runs;            /* by seed */

    /* Set by harmony_solve: */
    HarmonyValue values[HARMONY_MEASURES];
    bool known;         /* it has all that the front and the weights ask for; else none of the rest is set */
    bool front, best;   /* by the means */
    double utility;     /* weighted mean of standardised measures */
    double front_share; /* of the bootstrap rounds */
    double best_share;
} HarmonyMix;

typedef struct {
    HarmonyMeasure measures[HARMONY_MEASURES];
    size_t measures_n;
    Array(HarmonyMix) mixes; /* most code first */
    Array(int64_t) seeds;    /* of any run, rising */
    double weights[HARMONY_MEASURES];
    Str notes; /* a line each: what is missing or unlike, so that means are not what they seem */
} Harmony;

/*   ST_IO   no such folder, or one that cannot be read
 *   ST_ARG  no training on a mixture, two of the same mixture and seed, or a folder with nothing for a study
 *   ST_LIMIT  more than HARMONY_FAMILIES_MOST families
 * *out is the caller's to drop in any case. */
MUST_CHECK Status harmony_read(Harmony *out, const char *const *folders, size_t n);
void harmony_drop(Harmony *h);

/* "measure=weight,...": measures are code, text, episodes, agent and families' names; the others get 0.
 * ST_ARG: no such measure, a weight below 0 or none above it, a measure that no run has or that is named
 * twice. */
MUST_CHECK Status harmony_weigh(Harmony *h, const char *weights);

/* Means, intervals, the Pareto front of code, text and agent, and the best for the weights.
 *
 * A mixture is on the front if no other is as good in all three and better in one.  Utility: each measure's
 * mean less the average of the mixtures' means, over their standard deviation, negative where less is better;
 * weighted, over the sum of weights.  The bootstrap draws each mixture's runs anew, with replacement,
 * HARMONY_ROUNDS times, and counts. */
void harmony_solve(Harmony *h);

void harmony_text(Str *out, const Harmony *h);     /* for people */
void harmony_markdown(Str *out, const Harmony *h); /* for docs/ */
json_t *harmony_json(const Harmony *h);            /* study.json; new reference */

#endif
