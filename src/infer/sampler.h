/* From logits to one token.  A Sampler runs these steps, in the order of vLLM and transformers:
 *
 *   allowed tokens -> logit bias -> repetition, frequency and presence penalty -> temperature
 *     -> top-k -> top-p -> min-p -> draw
 *
 * Nothing here knows a model: logits come in, an id goes out, and one seed gives one sequence of draws, one
 * draw for each token that is not chosen greedily. */
#ifndef INFER_SAMPLER_H
#define INFER_SAMPLER_H

#include <stdbool.h>

#include "base/rng.h"
#include "base/status.h"
#include "infer/logits.h"

typedef struct {
    double temperature; /* divides logits; 0: always the most likely token, among equals the lowest id */
    int64_t top_k;      /* keep the k most likely; 0: all */
    double top_p; /* keep the fewest, most likely first, that reach this probability; 1: all.  Holtzman et al.
                     2019, arXiv:1904.09751, section 3.1 */
    double min_p; /* keep those at least this likely relative to the most likely; 0: all.  Nguyen et al. 2024,
                     arXiv:2407.01082 */
    /* Logits above 0 of tokens that occurred, in the prompt or since, are divided by it and others
     * multiplied; 1: none. Keskar et al. 2019, arXiv:1909.05858, section 4.1, in the form that negative
     * logits need. */
    double repetition_penalty;
    /* As OpenAI defines them: of tokens that were written, not of the prompt's, logit -= times written *
     * frequency + (written at all) * presence.  0: none. */
    double frequency_penalty, presence_penalty;
    uint64_t seed;
} SamplerSettings;

typedef struct {
    int32_t id;
    float add; /* to its logit; -100 and 100 forbid and force as a rule */
} LogitBias;

SamplerSettings sampler_greedy(void);
MUST_CHECK Status sampler_check(const SamplerSettings *s); /* ST_ARG names what is out of bounds */

typedef struct {
    SamplerSettings settings;
    Rng rng;
    int64_t vocab;
    const LogitBias *bias; /* [bias_n], borrowed */
    size_t bias_n;
    int32_t *written;     /* [vocab] times each was written; NULL where there is no penalty */
    unsigned char *known; /* [vocab] stands in `occurred` */
    Array(int32_t) occurred;
    Candidates candidates;
    double *buckets; /* for top-p */
} Sampler;

/* settings have passed sampler_check; the ids of `bias` lie below vocab, the number of ids to draw from */
void sampler_init(Sampler *s, const SamplerSettings *settings, int64_t vocab, const LogitBias *bias,
                  size_t bias_n);
void sampler_drop(Sampler *s);
/* Ids of the prompt, and those written: for the penalties.  Ids from vocab on are passed over. */
void sampler_saw_prompt(Sampler *s, int32_t id);
void sampler_saw_written(Sampler *s, int32_t id);
/* The next token out of logits[vocab], which are changed; -1 when none is a number.  allowed: bit id % 64 of
 * word id / 64 is set for those that may come; NULL: all. */
int32_t sampler_pick(Sampler *s, float *logits, const uint64_t *allowed);

#endif
