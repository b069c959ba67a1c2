#include "infer/logits.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Four numbers at a time, which every processor of ours has instructions for (gcc's and clang's vector
 * extension); a comparison gives all bits or none.  Sums go to STEP accumulators and then together in a fixed
 * order. */
typedef float Four __attribute__((vector_size(16)));
typedef int32_t FourInts __attribute__((vector_size(16)));

enum { STEP = 16, BLOCK = 256 }; /* f32 sums of BLOCK / STEP numbers are added in f64, in order */

static inline Four load(const float *x)
{
    Four v;
    memcpy(&v, x, sizeof v);
    return v;
}

static inline Four all(float x)
{
    return (Four){x, x, x, x};
}

static inline Four choose(FourInts where, Four a, Four b)
{
    return (Four)((where & (FourInts)a) | (~where & (FourInts)b));
}

static float largest(const float *logits, int64_t n)
{
    Four most[STEP / 4] = {all(-INFINITY), all(-INFINITY), all(-INFINITY), all(-INFINITY)};
    float result = -INFINITY;
    int64_t i = 0;
    for (; i + STEP <= n; i += STEP)
        for (int j = 0; j < STEP / 4; j++) {
            Four x = load(logits + i + 4 * j);
            most[j] = choose(x > most[j], x, most[j]); /* a NaN is not */
        }
    for (int j = 0; j < STEP; j++)
        result = most[j / 4][j % 4] > result ? most[j / 4][j % 4] : result;
    for (; i < n; i++)
        result = logits[i] > result ? logits[i] : result;
    return result;
}

int32_t logits_argmax(const float *logits, int64_t n)
{
    float most = largest(logits, n);
    if (!(most > -INFINITY))
        return -1;
    int64_t i = 0;
    while (logits[i] != most)
        i++;
    return (int32_t)i;
}

/* exp(x) for x <= 0, by 2^k e^r with |r| <= ln(2) / 2 and e^r by its series; 0 below the smallest normal
 * number.  A NaN gives 0.  Constants: Cody & Waite's two parts of ln(2). */
static inline Four exp_negative(Four x)
{
    const Four log2_e = all(1.44269504f), ln2_high = all(0.693359375f), ln2_low = all(-2.12194440e-4f);
    const Four rounder = all(12582912.f); /* 1.5 * 2^23: a sum with it is a whole number */
    FourInts inside = x > all(-87.f);
    Four clamped = choose(inside, x, all(-87.f)), shifted = clamped * log2_e + rounder, k = shifted - rounder;
    Four r = clamped - k * ln2_high - k * ln2_low, e = all(1.f / 5040);
    e = e * r + all(1.f / 720);
    e = e * r + all(1.f / 120);
    e = e * r + all(1.f / 24);
    e = e * r + all(1.f / 6);
    e = e * r + all(0.5f);
    e = e * r + all(1);
    e = e * r + all(1);
    FourInts power = ((FourInts)shifted << 23) + 0x3F800000; /* shifted's low bits are k */
    return choose(inside, e * (Four)power, all(0));
}

static inline Four weigh(Four logits, Four most, Four scale)
{
    return exp_negative(choose(logits == most, all(0), (logits - most) * scale));
}

/* n <= BLOCK */
static double exp_block(float *p, const float *logits, int64_t n, float most, float scale)
{
    Four sums[STEP / 4] = {all(0), all(0), all(0), all(0)};
    double sum = 0;
    int64_t i = 0;
    for (; i + STEP <= n; i += STEP)
        for (int j = 0; j < STEP / 4; j++) {
            Four one = weigh(load(logits + i + 4 * j), all(most), all(scale));
            memcpy(p + i + 4 * j, &one, sizeof one);
            sums[j] += one;
        }
    for (int j = 0; j < STEP; j++)
        sum += (double)sums[j / 4][j % 4];
    for (; i < n; i++) {
        p[i] = weigh(all(logits[i]), all(most), all(scale))[0];
        sum += (double)p[i];
    }
    return sum;
}

double logits_exp(float *p, const float *logits, int64_t n, float most, float scale)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i += BLOCK)
        sum += exp_block(p + i, logits + i, n - i < BLOCK ? n - i : BLOCK, most, scale);
    return sum;
}

double logits_log_sum(const float *logits, int64_t n)
{
    float block[BLOCK], most = largest(logits, n);
    double sum = 0;
    if (!(most > -INFINITY))
        return -INFINITY;
    for (int64_t i = 0; i < n; i += BLOCK)
        sum += exp_block(block, logits + i, n - i < BLOCK ? n - i : BLOCK, most, 1);
    return (double)most + log(sum);
}

int64_t logits_rank(const float *logits, int64_t n, int32_t id)
{
    float own = logits[id];
    int64_t more = 0;
    for (int64_t i = 0; i < n; i++)
        more += (logits[i] > own) | ((logits[i] == own) & (i < id));
    return more + 1;
}

/* The most likely. --------------------------------------------------------------------------------------- */

static bool before(const Candidate *a, const Candidate *b)
{
    return a->logit != b->logit ? a->logit > b->logit : a->id < b->id;
}

static int by_likelihood(const void *a, const void *b)
{
    return before(a, b) ? -1 : before(b, a);
}

static void swap(Candidate *a, Candidate *b)
{
    Candidate t = *a;
    *a = *b;
    *b = t;
}

void candidates_sort(Candidates *c)
{
    qsort(c->at, c->n, sizeof *c->at, by_likelihood);
}

/* The middle one of three, so that sorted input is no bad case. */
static Candidate pivot_of(const Candidate *at, int64_t low, int64_t high)
{
    const Candidate *a = &at[low], *b = &at[low + (high - low) / 2], *c = &at[high];
    if (before(a, b))
        return before(b, c) ? *b : before(a, c) ? *c : *a;
    return before(a, c) ? *a : before(b, c) ? *c : *b;
}

/* Moves the k most likely to the front, in any order: Hoare's selection, linear in n on average. */
static void select_front(Candidate *at, int64_t n, int64_t k)
{
    int64_t low = 0, high = n - 1;
    while (low < high) {
        Candidate pivot = pivot_of(at, low, high);
        int64_t i = low, j = high;
        while (i <= j) {
            while (before(&at[i], &pivot))
                i++;
            while (before(&pivot, &at[j]))
                j--;
            if (i <= j)
                swap(&at[i++], &at[j--]);
        }
        if (k - 1 <= j)
            high = j;
        else if (k - 1 >= i)
            low = i;
        else
            return;
    }
}

/* Cuts the set to its k most likely and returns the logit below which nothing can belong to them any more. */
static float cut(Candidates *c, int64_t k)
{
    float least = INFINITY;
    select_front(c->at, (int64_t)c->n, k);
    c->n = (size_t)k;
    for (int64_t i = 0; i < k; i++)
        least = c->at[i].logit < least ? c->at[i].logit : least;
    return least;
}

/* One scan that keeps what is above a floor, which rises whenever twice k are kept.  Ids come in order, so
 * one that equals the floor later loses to those that are kept. */
void logits_top(Candidates *out, const float *logits, int64_t n, int64_t k)
{
    float floor = -INFINITY;
    array_clear(out);
    if (k <= 0 || n <= 0)
        return;
    k = k < n ? k : n;
    array_reserve(out, 2 * k < n ? 2 * k : n);
    size_t full = (size_t)(2 * k < n ? 2 * k : n);
    for (int64_t i = 0; i < n; i++) {
        if (!(logits[i] > floor))
            continue;
        if (out->n == full)
            floor = cut(out, k);
        if (logits[i] > floor)
            out->at[out->n++] = (Candidate){.id = (int32_t)i, .logit = logits[i]};
    }
    if ((int64_t)out->n > k)
        cut(out, k);
    candidates_sort(out);
}
