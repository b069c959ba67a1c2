#include "study/harmony_inside.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "eval/stats.h"

/* What there is. ----------------------------------------------------------------------------------------- */

void harmony_drop(Harmony *h)
{
    for (size_t i = 0; i < h->measures_n; i++)
        mem_free(h->measures[i].name);
    for (size_t i = 0; i < h->mixes.n; i++) {
        mem_free(h->mixes.at[i].name);
        array_drop(&h->mixes.at[i].runs);
    }
    array_drop(&h->mixes);
    array_drop(&h->seeds);
    str_drop(&h->notes);
    *h = (Harmony){0};
}

HarmonyMix *harmony_mix(Harmony *h, const char *name)
{
    for (size_t i = 0; i < h->mixes.n; i++)
        if (strcmp(h->mixes.at[i].name, name) == 0)
            return &h->mixes.at[i];
    return NULL;
}

/* Moves the last one to where `before` first says that it belongs in front. */
#define SETTLE(array, before)                                                                        \
    for (size_t k_ = (array)->n - 1; k_ > 0 && before((array)->at[k_], (array)->at[k_ - 1]); k_--) { \
        __typeof__((array)->at[0]) moved_ = (array)->at[k_];                                         \
        (array)->at[k_] = (array)->at[k_ - 1];                                                       \
        (array)->at[k_ - 1] = moved_;                                                                \
    }
#define MORE_CODE(a, b) ((a).share > (b).share)
#define LOWER_SEED(a, b) ((a).seed < (b).seed)
#define LESS(a, b) ((a) < (b))

static void add_seed(Harmony *h, int64_t seed)
{
    for (size_t i = 0; i < h->seeds.n; i++)
        if (h->seeds.at[i] == seed)
            return;
    array_push(&h->seeds, seed);
    SETTLE(&h->seeds, LESS);
}

HarmonyRun *harmony_run(Harmony *h, const char *name, double share, int64_t seed, bool *is_new)
{
    HarmonyMix *mix = harmony_mix(h, name);
    if (!mix) {
        HarmonyMix fresh = {.name = mem_str(name), .share = share};
        array_push(&h->mixes, fresh);
        SETTLE(&h->mixes, MORE_CODE);
        mix = harmony_mix(h, name);
    }
    *is_new = false;
    for (size_t i = 0; i < mix->runs.n; i++)
        if (mix->runs.at[i].seed == seed)
            return &mix->runs.at[i];
    HarmonyRun run = {.seed = seed};
    for (size_t k = 0; k < HARMONY_MEASURES; k++)
        run.values[k] = NAN;
    array_push(&mix->runs, run);
    SETTLE(&mix->runs, LOWER_SEED);
    add_seed(h, seed);
    *is_new = true;
    return harmony_run(h, name, share, seed, &(bool){false});
}

static void set_agent(const Harmony *h, HarmonyRun *run)
{
    double sum = 0;
    size_t n = h->measures_n - HARMONY_FAMILIES;
    for (size_t k = HARMONY_FAMILIES; k < h->measures_n; k++)
        sum += run->values[k]; /* NAN where a family is missing: other tasks make another mean */
    run->values[HARMONY_AGENT] = n ? sum / (double)n : NAN;
}

static void note_missing(Harmony *h, const HarmonyMix *mix)
{
    for (size_t i = 0; i < h->seeds.n; i++) {
        const HarmonyRun *run = NULL;
        for (size_t k = 0; k < mix->runs.n; k++)
            run = mix->runs.at[k].seed == h->seeds.at[i] ? &mix->runs.at[k] : run;
        if (!run) {
            str_addf(&h->notes, "%s has no run of seed %lld\n", mix->name, (long long)h->seeds.at[i]);
            continue;
        }
        for (size_t k = 0; k < h->measures_n; k++)
            if (k != HARMONY_AGENT && h->measures[k].used && !isfinite(run->values[k]))
                str_addf(&h->notes, "%s, seed %lld: nothing is known of %s\n", mix->name,
                         (long long)run->seed, h->measures[k].name);
    }
}

void harmony_complete(Harmony *h)
{
    for (size_t i = 0; i < h->mixes.n; i++)
        for (size_t r = 0; r < h->mixes.at[i].runs.n; r++) {
            HarmonyRun *run = &h->mixes.at[i].runs.at[r];
            set_agent(h, run);
            for (size_t k = 0; k < h->measures_n; k++)
                h->measures[k].used = h->measures[k].used || isfinite(run->values[k]);
        }
    for (size_t i = 0; i < h->mixes.n; i++)
        note_missing(h, &h->mixes.at[i]);
    if (h->seeds.n == 1)
        str_adds(&h->notes, "one seed: there are no intervals, and the bootstrap says nothing\n");
}

/* Weights. ----------------------------------------------------------------------------------------------- */

static Status find_measure(size_t *out, const Harmony *h, const char *name)
{
    const char *names[HARMONY_MEASURES];
    size_t n = 0;
    for (size_t k = 0; k < h->measures_n; k++) {
        *out = k;
        if (strcmp(h->measures[k].name, name) == 0)
            return h->measures[k].used ? ST_OK : fail(ST_ARG, "no run has anything to tell of %s", name);
        names[n++] = h->measures[k].name;
    }
    Str all = {0};
    for (size_t k = 0; k < n; k++)
        str_addf(&all, "%s%s", k ? ", " : "", names[k]);
    const char *near = nearest_name(name, names, n);
    Status st = fail(ST_ARG, "there is no measure '%.60s'%s%s%s; there are %s", name,
                     near ? " (did you mean " : "", near ? near : "", near ? "?)" : "", str_c(&all));
    str_drop(&all);
    return st;
}

static Status take_weight(Harmony *h, Span part)
{
    const char *equals = memchr(part.at, '=', part.n);
    if (!equals)
        return fail(ST_ARG, "write measure=weight, such as code=1,agent=2");
    size_t before = (size_t)(equals - part.at), k = 0;
    char *name = mem_strn(part.at, before), *number = mem_strn(equals + 1, part.n - before - 1);
    double weight = 0;
    Status st = find_measure(&k, h, name);
    if (st == ST_OK)
        st = parse_double(&weight, number);
    if (st == ST_OK && !(weight >= 0 && isfinite(weight)))
        st = fail(ST_ARG, "the weight of %s is %s; it must be 0 or more", name, number);
    if (st == ST_OK && h->weights[k] >= 0)
        st = fail(ST_ARG, "%s is named twice", name);
    if (st == ST_OK)
        h->weights[k] = weight;
    mem_free(name);
    mem_free(number);
    return st;
}

Status harmony_weigh(Harmony *h, const char *weights)
{
    static const size_t plain[] = {HARMONY_CODE, HARMONY_TEXT, HARMONY_AGENT};
    Status st = ST_OK;
    Span part;
    double sum = 0;
    for (size_t k = 0; k < HARMONY_MEASURES; k++)
        h->weights[k] = -1; /* not named */
    for (size_t i = 0; !weights && i < sizeof plain / sizeof *plain; i++)
        h->weights[plain[i]] = h->measures[plain[i]].used;
    for (const char *at = weights; st == ST_OK && list_next(&part, &at);)
        st = take_weight(h, part);
    for (size_t k = 0; k < HARMONY_MEASURES; k++) {
        h->weights[k] = fmax(h->weights[k], 0);
        sum += h->weights[k];
    }
    if (st == ST_OK && sum <= 0)
        st = fail(ST_ARG, "no weight is above 0");
    return st == ST_OK ? ST_OK : fail_in(st, "weights \"%.100s\"", weights ? weights : "");
}

/* Means. ------------------------------------------------------------------------------------------------- */

static HarmonyValue value_of(const HarmonyMix *mix, size_t measure)
{
    double *x = mem_array(double, mix->runs.n + 1);
    HarmonyValue v = {0};
    for (size_t i = 0; i < mix->runs.n; i++)
        if (isfinite(mix->runs.at[i].values[measure]))
            x[v.n++] = mix->runs.at[i].values[measure];
    Interval t = stats_student(x, v.n);
    v.mean = stats_mean(x, v.n);
    v.low = v.n > 1 ? t.low : v.mean;
    v.high = v.n > 1 ? t.high : v.mean;
    if (measure >= HARMONY_AGENT) { /* a share of tasks */
        v.low = fmax(v.low, 0);
        v.high = fmin(v.high, 1);
    }
    mem_free(x);
    return v;
}

/* What the front and the weights ask for. */
static bool is_asked(const Harmony *h, size_t k)
{
    bool objective = k == HARMONY_CODE || k == HARMONY_TEXT || k == HARMONY_AGENT;
    return h->measures[k].used && (objective || h->weights[k] > 0);
}

static bool is_complete(const Harmony *h, const HarmonyRun *run)
{
    for (size_t k = 0; k < h->measures_n; k++)
        if (is_asked(h, k) && !isfinite(run->values[k]))
            return false;
    return true;
}

static void find_means(Harmony *h)
{
    for (size_t i = 0; i < h->mixes.n; i++) {
        HarmonyMix *mix = &h->mixes.at[i];
        bool known = false;
        for (size_t k = 0; k < h->measures_n; k++)
            mix->values[k] = value_of(mix, k);
        for (size_t r = 0; r < mix->runs.n; r++)
            known = known || is_complete(h, &mix->runs.at[r]);
        mix->known = known;
    }
}

/* Front and utility of one set of means. ----------------------------------------------------------------- */

typedef struct {
    double means[HARMONY_MEASURES]; /* higher is better */
    double utility;
    bool front, best;
} Standing;

typedef struct {
    double centre[HARMONY_MEASURES], spread[HARMONY_MEASURES];
} Scale;

static double oriented(const Harmony *h, size_t k, double value)
{
    return h->measures[k].up ? value : -value;
}

static Scale find_scale(const Harmony *h)
{
    Scale s = {0};
    double *x = mem_array(double, h->mixes.n + 1);
    for (size_t k = 0; k < h->measures_n; k++) {
        int64_t n = 0;
        for (size_t i = 0; i < h->mixes.n; i++)
            if (h->mixes.at[i].known && is_asked(h, k))
                x[n++] = oriented(h, k, h->mixes.at[i].values[k].mean);
        s.centre[k] = stats_mean(x, n);
        for (int64_t i = 0; i < n; i++)
            s.spread[k] += (x[i] - s.centre[k]) * (x[i] - s.centre[k]) / (double)n;
        s.spread[k] = sqrt(s.spread[k]);
    }
    mem_free(x);
    return s;
}

static double utility_of(const Harmony *h, const Scale *scale, const double *means)
{
    double sum = 0, weights = 0;
    for (size_t k = 0; k < h->measures_n; k++) {
        weights += h->weights[k];
        if (h->weights[k] > 0 && scale->spread[k] > 1e-12)
            sum += h->weights[k] * (means[k] - scale->centre[k]) / scale->spread[k];
    }
    return weights > 0 ? sum / weights : 0;
}

static bool dominates(const Harmony *h, const double *a, const double *b)
{
    static const size_t objectives[] = {HARMONY_CODE, HARMONY_TEXT, HARMONY_AGENT};
    const double same = 1e-12; /* sums in another order differ by rounding */
    bool better = false;
    for (size_t i = 0; i < sizeof objectives / sizeof *objectives; i++) {
        size_t k = objectives[i];
        if (!h->measures[k].used)
            continue;
        if (a[k] < b[k] - same)
            return false;
        better = better || a[k] > b[k] + same;
    }
    return better;
}

/* Sets front and best, whose number is returned, of the mixtures that are known. */
static int64_t stand(const Harmony *h, const Scale *scale, Standing *all)
{
    const double same = 1e-9;
    double top = -INFINITY;
    int64_t best = 0;
    for (size_t i = 0; i < h->mixes.n; i++) {
        all[i].front = h->mixes.at[i].known;
        for (size_t k = 0; all[i].front && k < h->mixes.n; k++)
            all[i].front = !h->mixes.at[k].known || !dominates(h, all[k].means, all[i].means);
        all[i].utility = utility_of(h, scale, all[i].means);
        top = h->mixes.at[i].known ? fmax(top, all[i].utility) : top;
    }
    for (size_t i = 0; i < h->mixes.n; i++) {
        all[i].best = h->mixes.at[i].known && all[i].utility >= top - same;
        best += all[i].best;
    }
    return best;
}

/* Means of as many complete runs as there are, drawn with replacement: whole runs, so that what belongs to
 * one seed stays together. */
static void draw_means(const Harmony *h, const HarmonyMix *mix, Rng *rng, double *means)
{
    size_t n = 0, *complete = mem_array(size_t, mix->runs.n + 1);
    for (size_t r = 0; r < mix->runs.n; r++)
        if (is_complete(h, &mix->runs.at[r]))
            complete[n++] = r;
    memset(means, 0, HARMONY_MEASURES * sizeof *means);
    for (size_t r = 0; r < n; r++) {
        const HarmonyRun *run = &mix->runs.at[complete[rng_below(rng, n)]];
        for (size_t k = 0; k < h->measures_n; k++)
            means[k] += is_asked(h, k) ? oriented(h, k, run->values[k]) / (double)n : 0;
    }
    mem_free(complete);
}

static void bootstrap(Harmony *h, const Scale *scale, Standing *all)
{
    Rng rng;
    rng_seed(&rng, 1);
    for (int round = 0; round < HARMONY_ROUNDS; round++) {
        for (size_t i = 0; i < h->mixes.n; i++)
            draw_means(h, &h->mixes.at[i], &rng, all[i].means);
        int64_t best = stand(h, scale, all);
        for (size_t i = 0; i < h->mixes.n; i++) {
            h->mixes.at[i].front_share += all[i].front ? 1.0 / HARMONY_ROUNDS : 0;
            h->mixes.at[i].best_share += all[i].best ? 1.0 / HARMONY_ROUNDS / (double)best : 0;
        }
    }
}

void harmony_solve(Harmony *h)
{
    Standing *all = mem_array(Standing, h->mixes.n + 1);
    find_means(h);
    Scale scale = find_scale(h);
    for (size_t i = 0; i < h->mixes.n; i++)
        for (size_t k = 0; k < h->measures_n; k++)
            all[i].means[k] = oriented(h, k, h->mixes.at[i].values[k].mean);
    (void)stand(h, &scale, all);
    for (size_t i = 0; i < h->mixes.n; i++) {
        HarmonyMix *mix = &h->mixes.at[i];
        mix->front = all[i].front;
        mix->best = all[i].best;
        mix->utility = mix->known ? all[i].utility : 0;
        mix->front_share = mix->best_share = 0;
    }
    bootstrap(h, &scale, all);
    mem_free(all);
}
