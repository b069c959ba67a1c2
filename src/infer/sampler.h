/* From logits to one token.  Steps that each take the candidates and leave fewer or others, and a Sampler
 * that runs them in the order of transformers and vLLM:
 *
 *   repetition penalty -> temperature -> top-k -> top-p -> min-p -> draw
 *
 * Nothing here knows a model: logits come in, an id goes out, and one seed gives one sequence of draws. */
#ifndef INFER_SAMPLER_H
#define INFER_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/status.h"

typedef struct {
    double temperature;        /* divides logits; 0: always the most likely token */
    int64_t top_k;             /* keep the k most likely; 0: all */
    double top_p;              /* keep the fewest, most likely first, that reach this probability; 1: all */
    double min_p;              /* keep those at least this likely relative to the most likely; 0: all */
    double repetition_penalty; /* of tokens that occurred; 1: none */
    uint64_t seed;
} SamplerSettings;

SamplerSettings sampler_greedy(void);
MUST_CHECK Status sampler_check(const SamplerSettings *s); /* ST_ARG names what is out of bounds */

typedef struct {
    int32_t id;
    float logit;
    double p; /* valid after candidates_softmax */
} Candidate;

/* A set of candidates over a vocabulary; `at` has room for all of it. */
typedef struct {
    Candidate *at;
    int64_t n;
    bool sorted; /* most likely first; equal ones by id */
} Candidates;

/* Every id whose logit is a number above minus infinity. */
void candidates_fill(Candidates *c, const float *logits, int64_t vocab);
/* Logits above 0 are divided by the penalty and others multiplied, once for each id with seen[id] != 0.
 * Keskar et al. 2019, arXiv:1909.05858, section 4.1, in the form that negative logits need. */
void candidates_penalise(Candidates *c, const unsigned char *seen, double penalty);
void candidates_temperature(Candidates *c, double temperature); /* > 0 */
void candidates_top_k(Candidates *c, int64_t k);
void candidates_softmax(Candidates *c);           /* p of those that are left; they sum to 1 */
/* Holtzman et al. 2019, arXiv:1904.09751, section 3.1.  After candidates_softmax; what is left has its p
 * as it was. */
void candidates_top_p(Candidates *c, double top_p);
/* Nguyen et al. 2024, arXiv:2407.01082.  After candidates_softmax; what is left has its p as it was. */
void candidates_min_p(Candidates *c, double min_p);
/* One of the candidates, each as often as its p says among those left. */
int32_t candidates_draw(const Candidates *c, Rng *rng);

typedef struct {
    SamplerSettings settings;
    Rng rng;
    int64_t vocab;
    Candidates candidates;
    unsigned char *seen; /* [vocab] */
} Sampler;

/* settings have passed sampler_check */
void sampler_init(Sampler *s, const SamplerSettings *settings, int64_t vocab);
void sampler_drop(Sampler *s);
/* a token of the prompt or of the text: for the repetition penalty */
void sampler_saw(Sampler *s, int32_t id);
/* The next token out of logits[vocab]; -1 when none is a number. */
int32_t sampler_pick(Sampler *s, const float *logits);

#endif
