#include "eval/stats.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/rng.h"

static const double z95 = 1.959963984540054; /* 97.5 % of a normal distribution lie below */

double stats_mean(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    return n ? sum / (double)n : 0;
}

double stats_stderr(const double *x, int64_t n)
{
    if (n < 2)
        return 0;
    double mean = stats_mean(x, n), squares = 0;
    for (int64_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    return sqrt(squares / (double)(n - 1) / (double)n);
}

static Interval cut(double middle, double half)
{
    return (Interval){fmax(0, middle - half), fmin(1, middle + half)};
}

Interval stats_wilson(int64_t hits, int64_t n)
{
    check(hits >= 0 && hits <= n);
    if (n == 0)
        return (Interval){0, 1};
    double m = (double)n, p = (double)hits / m, widen = 1 + z95 * z95 / m;
    Interval i =
        cut((p + z95 * z95 / (2 * m)) / widen, z95 / widen * sqrt(p * (1 - p) / m + z95 * z95 / (4 * m * m)));
    if (hits == 0)
        i.low = 0; /* exactly, and not what rounding left */
    if (hits == n)
        i.high = 1;
    return i;
}

Interval stats_normal(const double *x, int64_t n)
{
    return n < 2 ? (Interval){0, 1} : cut(stats_mean(x, n), z95 * stats_stderr(x, n));
}

/* P(|T| < t) of Student's t with n degrees of freedom: Abramowitz & Stegun 1964, 26.7.3 and 26.7.4. */
static double student_within(double t, int64_t n)
{
    double angle = atan(t / sqrt((double)n)), c = cos(angle), term = n % 2 ? c : 1, sum = n == 1 ? 0 : term;
    for (int64_t k = n % 2 ? 3 : 2; k < n; k += 2) {
        term *= c * c * (double)(k - 1) / (double)k;
        sum += term;
    }
    return n % 2 ? 2 / M_PI * (angle + sin(angle) * sum) : sin(angle) * sum;
}

static double student_95(int64_t n)
{
    double low = 0, high = 20; /* 12.7 for one degree of freedom, less for more */
    while (high - low > 1e-12 * high) {
        double t = (low + high) / 2;
        *(student_within(t, n) < 0.95 ? &low : &high) = t;
    }
    return low;
}

Interval stats_student(const double *x, int64_t n)
{
    double mean = stats_mean(x, n), half = n < 2 ? INFINITY : student_95(n - 1) * stats_stderr(x, n);
    return (Interval){mean - half, mean + half};
}

/* Comparisons -------------------------------------------------------------------------------------------- */

/* That at most k of n throws of a coin are heads; k below n / 2. */
static double coin_tail(double k, double n)
{
    double tail = 0;
    for (; k >= 0; k--) { /* the largest term first; the rest is soon too small to count */
        double term = exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * M_LN2);
        tail += term;
        if (term < tail * 1e-17)
            break;
    }
    return tail;
}

double stats_mcnemar(int64_t first, int64_t second)
{
    check(first >= 0 && second >= 0);
    int64_t few = first < second ? first : second;
    return first == second ? 1 : fmin(1, 2 * coin_tail((double)few, (double)(first + second)));
}

double stats_mcnemar_better(int64_t first, int64_t second)
{
    check(first >= 0 && second >= 0);
    double n = (double)(first + second);
    return second > first ? coin_tail((double)first, n) : 1 - coin_tail((double)second - 1, n);
}

/* |sum| with the signs of `bits`, at least as far from 0 as `far`. */
static bool flips_far(const double *d, int64_t n, uint64_t bits, double far)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += bits >> i & 1 ? -d[i] : d[i];
    return fabs(sum) >= far;
}

static double flip_all(const double *d, int64_t n, double far)
{
    int64_t hits = 0, ways = INT64_C(1) << n;
    for (int64_t bits = 0; bits < ways; bits++)
        hits += flips_far(d, n, (uint64_t)bits, far);
    return (double)hits / (double)ways;
}

static double flip_some(const double *d, int64_t n, double far, int64_t rounds, uint64_t seed)
{
    Rng rng;
    int64_t hits = 0;
    rng_seed(&rng, seed);
    for (int64_t r = 0; r < rounds; r++) {
        double sum = 0;
        uint64_t bits = 0;
        for (int64_t i = 0; i < n; i++, bits >>= 1) {
            if (i % 64 == 0)
                bits = rng_next(&rng);
            sum += bits & 1 ? -d[i] : d[i];
        }
        hits += fabs(sum) >= far;
    }
    return (double)(hits + 1) / (double)(rounds + 1);
}

double stats_flip(const double *differences, int64_t n, int64_t rounds, uint64_t seed)
{
    double *d = mem_array(double, n + 1), sum = 0, size = 0, p;
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++)
        if (differences[i] != 0) {
            d[m++] = differences[i];
            sum += differences[i];
            size += fabs(differences[i]);
        }
    double far = fabs(sum) - 1e-12 * size; /* sums in another order differ by rounding */
    if (m < 62 && INT64_C(1) << m <= rounds)
        p = flip_all(d, m, far);
    else
        p = flip_some(d, m, far, rounds, seed);
    mem_free(d);
    return p;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of sorted values, between two of them in proportion, as numpy's percentile. */
static double percentile(const double *sorted, int64_t n, double share)
{
    double at = share * (double)(n - 1);
    int64_t i = (int64_t)at;
    return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

Interval stats_bootstrap(const double *differences, int64_t n, int64_t rounds, uint64_t seed)
{
    check(rounds > 0);
    if (n == 0)
        return (Interval){0, 0};
    Rng rng;
    double *means = mem_array(double, rounds);
    rng_seed(&rng, seed);
    for (int64_t r = 0; r < rounds; r++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += differences[rng_below(&rng, (uint64_t)n)];
        means[r] = sum / (double)n;
    }
    qsort(means, (size_t)rounds, sizeof *means, by_size);
    Interval i = {percentile(means, rounds, 0.025), percentile(means, rounds, 0.975)};
    mem_free(means);
    return i;
}

void stats_holm(double *p, int64_t n)
{
    double least = 0;
    bool *done = mem_array(bool, n + 1);
    for (int64_t left = n; left > 0; left--) {
        int64_t smallest = -1;
        for (int64_t i = 0; i < n; i++)
            if (!done[i] && (smallest < 0 || p[i] < p[smallest]))
                smallest = i;
        done[smallest] = true;
        least = p[smallest] = fmin(1, fmax(least, p[smallest] * (double)left));
    }
    mem_free(done);
}

double stats_pass_at_k(int64_t n, int64_t right, int64_t k)
{
    check(n >= 0 && right >= 0 && right <= n && k >= 0);
    if (k > n)
        k = n;
    if (n - right < k)
        return 1;
    double none = 1;
    for (int64_t i = n - right + 1; i <= n; i++)
        none *= 1 - (double)k / (double)i;
    return 1 - none;
}
