#include "infer/sampler.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"

SamplerSettings sampler_greedy(void)
{
    return (SamplerSettings){.temperature = 0, .top_p = 1, .repetition_penalty = 1};
}

Status sampler_check(const SamplerSettings *s)
{
    if (!(s->temperature >= 0 && s->temperature <= 100))
        return fail(ST_ARG, "the temperature is %g; it must lie between 0 (greedy) and 100", s->temperature);
    if (s->top_k < 0)
        return fail(ST_ARG, "top-k is %lld; it must be 0 (all) or a count", (long long)s->top_k);
    if (!(s->top_p > 0 && s->top_p <= 1))
        return fail(ST_ARG, "top-p is %g; it must be above 0 and at most 1 (all)", s->top_p);
    if (!(s->min_p >= 0 && s->min_p <= 1))
        return fail(ST_ARG, "min-p is %g; it must lie between 0 (all) and 1", s->min_p);
    if (!(s->repetition_penalty > 0 && s->repetition_penalty <= 100))
        return fail(ST_ARG, "the repetition penalty is %g; it must be above 0 and at most 100, and 1 is none",
                    s->repetition_penalty);
    return ST_OK;
}

void candidates_fill(Candidates *c, const float *logits, int64_t vocab)
{
    c->n = 0;
    c->sorted = false;
    for (int64_t i = 0; i < vocab; i++)
        if (logits[i] > -INFINITY) /* a NaN is not */
            c->at[c->n++] = (Candidate){.id = (int32_t)i, .logit = logits[i]};
}

void candidates_penalise(Candidates *c, const unsigned char *seen, double penalty)
{
    float factor = (float)penalty;
    for (int64_t i = 0; i < c->n; i++) {
        Candidate *one = &c->at[i];
        if (seen[one->id])
            one->logit = one->logit > 0 ? one->logit / factor : one->logit * factor;
    }
    c->sorted = false;
}

void candidates_temperature(Candidates *c, double temperature)
{
    for (int64_t i = 0; i < c->n; i++)
        c->at[i].logit = (float)(c->at[i].logit / temperature);
}

/* Finding the most likely. ------------------------------------------------------------------------------- */

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

/* The k most likely, sorted, in front of the others. */
static void sort_front(Candidates *c, int64_t k)
{
    if (c->sorted)
        return;
    if (k < c->n)
        select_front(c->at, c->n, k);
    qsort(c->at, (size_t)(k < c->n ? k : c->n), sizeof *c->at, by_likelihood);
    c->sorted = k >= c->n;
}

void candidates_top_k(Candidates *c, int64_t k)
{
    if (k <= 0 || k >= c->n)
        return;
    sort_front(c, k);
    c->n = k;
    c->sorted = true;
}

void candidates_softmax(Candidates *c)
{
    double sum = 0;
    float most = -INFINITY;
    for (int64_t i = 0; i < c->n; i++)
        most = c->at[i].logit > most ? c->at[i].logit : most;
    for (int64_t i = 0; i < c->n; i++) {
        Candidate *one = &c->at[i];
        /* also where most is infinite */
        one->p = one->logit == most ? 1 : exp((double)one->logit - (double)most);
        sum += one->p;
    }
    for (int64_t i = 0; i < c->n; i++)
        c->at[i].p /= sum;
}

void candidates_top_p(Candidates *c, double top_p)
{
    if (top_p >= 1)
        return;
    /* Few are needed as a rule: sort a front that grows until it reaches top_p. */
    for (int64_t front = 256;; front *= 8) {
        int64_t have = front < c->n ? front : c->n;
        double sum = 0;
        sort_front(c, have);
        for (int64_t i = 0; i < have; i++) {
            sum += c->at[i].p;
            if (sum >= top_p) {
                c->n = i + 1;
                c->sorted = true;
                return;
            }
        }
        if (have == c->n) /* rounding kept the sum below top_p */
            return;
    }
}

void candidates_min_p(Candidates *c, double min_p)
{
    double most = 0;
    int64_t kept = 0;
    if (min_p <= 0)
        return;
    for (int64_t i = 0; i < c->n; i++)
        most = c->at[i].p > most ? c->at[i].p : most;
    for (int64_t i = 0; i < c->n; i++)
        if (c->at[i].p >= min_p * most)
            c->at[kept++] = c->at[i];
    c->n = kept;
}

int32_t candidates_draw(const Candidates *c, Rng *rng)
{
    double sum = 0, at = 0;
    check(c->n > 0);
    for (int64_t i = 0; i < c->n; i++)
        sum += c->at[i].p;
    double u = rng_uniform(rng) * sum;
    for (int64_t i = 0; i < c->n; i++) {
        at += c->at[i].p;
        if (u < at)
            return c->at[i].id;
    }
    int64_t last = c->n - 1; /* u met the rounding of the sum: the last that is possible at all */
    while (last > 0 && c->at[last].p <= 0)
        last--;
    return c->at[last].id;
}

/* The whole. --------------------------------------------------------------------------------------------- */

void sampler_init(Sampler *s, const SamplerSettings *settings, int64_t vocab)
{
    *s = (Sampler){.settings = *settings, .vocab = vocab};
    rng_seed(&s->rng, settings->seed);
    s->candidates.at = mem_array(Candidate, vocab);
    s->seen = mem_array(unsigned char, vocab);
}

void sampler_drop(Sampler *s)
{
    mem_free(s->candidates.at);
    mem_free(s->seen);
    *s = (Sampler){0};
}

void sampler_saw(Sampler *s, int32_t id)
{
    check(id >= 0 && id < s->vocab);
    s->seen[id] = 1;
}

static int32_t most_likely(const Candidates *c)
{
    const Candidate *best = &c->at[0];
    for (int64_t i = 1; i < c->n; i++)
        if (before(&c->at[i], best))
            best = &c->at[i];
    return best->id;
}

int32_t sampler_pick(Sampler *s, const float *logits)
{
    Candidates *c = &s->candidates;
    const SamplerSettings *set = &s->settings;
    candidates_fill(c, logits, s->vocab);
    if (c->n == 0)
        return -1;
    if (set->repetition_penalty != 1)
        candidates_penalise(c, s->seen, set->repetition_penalty);
    if (set->temperature <= 0)
        return most_likely(c);
    candidates_temperature(c, set->temperature);
    candidates_top_k(c, set->top_k);
    candidates_softmax(c);
    candidates_top_p(c, set->top_p);
    candidates_min_p(c, set->min_p);
    return candidates_draw(c, &s->rng);
}
