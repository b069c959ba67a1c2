#include "infer/sampler.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

SamplerSettings sampler_greedy(void)
{
    return (SamplerSettings){.temperature = 0, .top_p = 1, .repetition_penalty = 1};
}

static Status check_penalty(const char *name, double penalty)
{
    if (penalty >= -100 && penalty <= 100)
        return ST_OK;
    return fail(ST_ARG, "the %s penalty is %g; it must lie between -100 and 100, and 0 is none", name,
                penalty);
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
    TRY(check_penalty("frequency", s->frequency_penalty));
    return check_penalty("presence", s->presence_penalty);
}

/* Probabilities of every id, relative to the most likely one's 1: buckets of those whose f32 bits begin alike
 * are in the order of likelihood, so that only the one bucket in which top_p is reached is ever sorted. */
enum { BUCKET_SHIFT = 18, BUCKETS = (0x3F800000 >> BUCKET_SHIFT) + 1 }; /* 32 to an octave */

static bool penalises(const SamplerSettings *s)
{
    return s->repetition_penalty != 1 || s->frequency_penalty != 0 || s->presence_penalty != 0;
}

void sampler_init(Sampler *s, const SamplerSettings *settings, int64_t vocab, const LogitBias *bias,
                  size_t bias_n)
{
    *s = (Sampler){.settings = *settings, .vocab = vocab, .bias = bias, .bias_n = bias_n};
    rng_seed(&s->rng, settings->seed);
    /* the system gives zeros a page at a time: what is never written takes no memory */
    if (penalises(settings)) {
        s->written = mem_array(int32_t, vocab);
        s->known = mem_array(unsigned char, vocab);
    }
    if (settings->top_p < 1)
        s->buckets = mem_array(double, BUCKETS);
}

void sampler_drop(Sampler *s)
{
    mem_free(s->written);
    mem_free(s->known);
    mem_free(s->buckets);
    array_drop(&s->occurred);
    array_drop(&s->candidates);
    *s = (Sampler){0};
}

static void saw(Sampler *s, int32_t id, int times)
{
    if (!s->written || id >= s->vocab)
        return;
    check(id >= 0);
    s->written[id] += times;
    if (!s->known[id]) {
        s->known[id] = 1;
        array_push(&s->occurred, id);
    }
}

void sampler_saw_prompt(Sampler *s, int32_t id)
{
    saw(s, id, 0);
}

void sampler_saw_written(Sampler *s, int32_t id)
{
    saw(s, id, 1);
}

/* Steps that change logits. ------------------------------------------------------------------------------ */

static void forbid(float *logits, int64_t vocab, const uint64_t *allowed)
{
    for (int64_t word = 0; word * 64 < vocab; word++) {
        int64_t end = word * 64 + 64 < vocab ? word * 64 + 64 : vocab;
        if (allowed[word] == UINT64_MAX)
            continue;
        for (int64_t i = word * 64; i < end; i++)
            if (!(allowed[word] >> (i % 64) & 1u))
                logits[i] = -INFINITY;
    }
}

static void penalise(const Sampler *s, float *logits)
{
    float factor = (float)s->settings.repetition_penalty;
    float frequency = (float)s->settings.frequency_penalty, presence = (float)s->settings.presence_penalty;
    for (size_t i = 0; i < s->occurred.n; i++) {
        int32_t id = s->occurred.at[i];
        float *one = &logits[id];
        *one = *one > 0 ? *one / factor : *one * factor;
        *one -= (float)s->written[id] * frequency + (s->written[id] > 0 ? presence : 0);
    }
}

/* Steps that choose. ------------------------------------------------------------------------------------- */

/* Most likely first; what is left has its p as it was.  p is relative to `total`. */
static void keep_top_p(Candidates *c, double top_p, double total)
{
    double sum = 0;
    for (size_t i = 0; i < c->n; i++) {
        sum += c->at[i].p;
        if (sum >= top_p * total)
            c->n = i + 1;
    }
}

static void keep_min_p(Candidates *c, double min_p)
{
    size_t kept = 1; /* sorted, so they stand in front; the first is 1 relative to itself */
    while (kept < c->n && c->at[kept].p >= min_p * c->at[0].p)
        kept++;
    c->n = kept;
}

static int32_t draw_candidate(const Candidates *c, Rng *rng)
{
    double sum = 0, at = 0;
    for (size_t i = 0; i < c->n; i++)
        sum += c->at[i].p;
    double u = rng_uniform(rng) * sum;
    for (size_t i = 0; i < c->n; i++) {
        at += c->at[i].p;
        if (u < at)
            return c->at[i].id;
    }
    return c->at[0].id; /* u met the rounding of the sum */
}

/* Sets p from the logits, the first of which is the largest; returns their sum. */
static double weigh(Candidates *c, float scale)
{
    double sum = 0;
    for (size_t i = 0; i < c->n; i++) {
        float p;
        logits_exp(&p, &c->at[i].logit, 1, c->at[0].logit, scale);
        c->at[i].p = (double)p;
        sum += c->at[i].p;
    }
    return sum;
}

static int32_t pick_of_top_k(Sampler *s, const float *logits, float scale)
{
    Candidates *c = &s->candidates;
    logits_top(c, logits, s->vocab, s->settings.top_k);
    double total = weigh(c, scale);
    keep_top_p(c, s->settings.top_p, total);
    keep_min_p(c, s->settings.min_p);
    return draw_candidate(c, &s->rng);
}

static int bucket_of(float p)
{
    uint32_t bits;
    memcpy(&bits, &p, sizeof bits);
    return (int)(bits >> BUCKET_SHIFT);
}

/* Makes 0 what is beyond the fewest, most likely first, that reach `wanted`. */
static void keep_mass(Sampler *s, float *p, double wanted)
{
    Candidates *c = &s->candidates;
    double *mass = s->buckets, sum = 0;
    int at = BUCKETS - 1;
    memset(mass, 0, BUCKETS * sizeof *mass);
    for (int64_t i = 0; i < s->vocab; i++)
        mass[bucket_of(p[i])] += (double)p[i];
    while (at > 0 && sum + mass[at] < wanted)
        sum += mass[at--];
    array_clear(c);
    for (int64_t i = 0; i < s->vocab; i++)
        if (bucket_of(p[i]) == at)
            array_push(c, ((Candidate){.id = (int32_t)i, .logit = p[i]}));
        else if (bucket_of(p[i]) < at)
            p[i] = 0;
    candidates_sort(c);
    for (size_t i = 0; i < c->n; i++) {
        if (sum >= wanted)
            p[c->at[i].id] = 0;
        sum += (double)c->at[i].logit;
    }
}

static double keep_likely(float *p, int64_t n, float least)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        p[i] = p[i] >= least ? p[i] : 0;
        sum += (double)p[i];
    }
    return sum;
}

/* Among all: logits become probabilities, and the draw goes through them in the order of ids. */
static int32_t pick_of_all(Sampler *s, float *logits, float most, float scale)
{
    float *p = logits;
    double sum = logits_exp(p, logits, s->vocab, most, scale), at = 0;
    if (s->settings.top_p < 1)
        keep_mass(s, p, s->settings.top_p * sum);
    if (s->settings.top_p < 1 || s->settings.min_p > 0)
        sum = keep_likely(p, s->vocab, (float)s->settings.min_p);
    double u = rng_uniform(&s->rng) * sum;
    int64_t last = 0;
    for (int64_t i = 0; i < s->vocab; i++) {
        at += (double)p[i];
        if (u < at)
            return (int32_t)i;
        if (p[i] > 0)
            last = i;
    }
    return (int32_t)last; /* u met the rounding of the sum: the last that is possible at all */
}

int32_t sampler_pick(Sampler *s, float *logits, const uint64_t *allowed)
{
    const SamplerSettings *set = &s->settings;
    if (allowed)
        forbid(logits, s->vocab, allowed);
    for (size_t i = 0; i < s->bias_n; i++)
        logits[s->bias[i].id] += s->bias[i].add;
    if (s->occurred.n)
        penalise(s, logits);
    int32_t best = logits_argmax(logits, s->vocab);
    if (best < 0 || set->temperature <= 0)
        return best;
    float most = logits[best], scale = (float)(1 / set->temperature);
    if (set->top_k > 0 && set->top_k < s->vocab)
        return pick_of_top_k(s, logits, scale);
    return pick_of_all(s, logits, most, scale);
}
