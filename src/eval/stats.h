/* How sure is a score, and is one run better than another? */
#ifndef EVAL_STATS_H
#define EVAL_STATS_H

#include <stdint.h>

typedef struct {
    double low, high;
} Interval;

double stats_mean(const double *x, int64_t n); /* 0 for n = 0 */
/* Of the mean: sample standard deviation (n - 1) over the root of n, as lm-evaluation-harness's mean_stderr;
 * 0 for n < 2. */
double stats_stderr(const double *x, int64_t n);
/* 95 %, of a share hits / n: Wilson 1927, without correction for continuity.  n = 0: 0 to 1. */
Interval stats_wilson(int64_t hits, int64_t n);
/* 95 %, of a mean of values in [0, 1] that are no hits: mean +- 1.96 standard errors, cut at the bounds.  For
 * n < 2: 0 to 1, as one value tells nothing of how far values are apart. */
Interval stats_normal(const double *x, int64_t n);
/* 95 %, of the mean of n values of any size that are spread as a normal distribution is, by Student's t.  For
 * n < 2: without bounds. */
Interval stats_student(const double *x, int64_t n);

/* Two-sided, exact, of `first` questions that only the first run solved and `second` that only the second did
 * (McNemar 1947; the binomial distribution). */
double stats_mcnemar(int64_t first, int64_t second);
/* One-sided, of the same: how likely `second` or more of them would be the second run's were it no better. */
double stats_mcnemar_better(int64_t first, int64_t second);
/* Two-sided, of the mean of n paired differences: signs flipped at random `rounds` times from `seed`, and the
 * p-value counts the data themselves as one more round (Phipson & Smyth 2010, arXiv:1603.05766); all ways of
 * flipping what is not 0 where that is no more than `rounds`. */
double stats_flip(const double *differences, int64_t n, int64_t rounds, uint64_t seed);
/* 95 % of the mean of n differences: percentiles of `rounds` bootstrap means.  n = 0: 0 to 0. */
Interval stats_bootstrap(const double *differences, int64_t n, int64_t rounds, uint64_t seed);
/* p[0..n) becomes what Holm 1979 makes of n tests: smallest first, each times the number of those left, never
 * less than the one before, at most 1. */
void stats_holm(double *p, int64_t n);

/* The unbiased estimate that one of k answers is right when `right` of n were (Chen et al. 2021,
 * arXiv:2107.03374, equation 1).  A k above n counts as n. */
double stats_pass_at_k(int64_t n, int64_t right, int64_t k);

#endif
