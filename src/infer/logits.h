/* What is asked of one row of logits: the most likely, the sum of all, the rank of one.  Scans, over
 * vocabularies of 32000 to 256000 ids, once for every token written: no full sort, and nothing slower than
 * reading the row where that will do.
 *
 * Numbers that are NaN or minus infinity are not candidates.  Among equal logits the lower id counts as more
 * likely. */
#ifndef INFER_LOGITS_H
#define INFER_LOGITS_H

#include <stdint.h>

#include "base/array.h"

typedef struct {
    int32_t id;
    float logit;
    double p; /* for the user's own purposes */
} Candidate;
typedef Array(Candidate) Candidates;

int32_t logits_argmax(const float *logits, int64_t n); /* -1: there is no candidate */

/* Replaces *out by the k most likely, most likely first; fewer where there are fewer candidates. */
void logits_top(Candidates *out, const float *logits, int64_t n, int64_t k);

void candidates_sort(Candidates *c); /* most likely first */

/* log sum exp, within 2e-6 of the exact value; the same bits for the same row.  Minus infinity where there is
 * no candidate. */
double logits_log_sum(const float *logits, int64_t n);

/* 1 + how many are more likely than `id`. */
int64_t logits_rank(const float *logits, int64_t n, int32_t id);

/* p[i] = exp((logits[i] - most) * scale), 0 for what is no candidate, 1 where logits[i] == most, be that
 * infinite; relative error 2e-7.  `most` is the largest of them, scale > 0; p may be logits.  Returns the
 * sum. */
double logits_exp(float *p, const float *logits, int64_t n, float most, float scale);

#endif
