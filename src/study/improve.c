#include "study/improve.h"

#include <string.h>

#include "base/json_file.h"
#include "eval/stats.h"

const char *const improve_decision_names[] = {"open", "not tuned", "refused", "accepted"};

static const char *const accept_names[] = {"better", "not-worse", NULL};
static const Field improve_fields[] = {
    F_INT(ImproveConfig, rounds, 3, 1, 40, "rounds; raised later, the same command goes on"),
    F_STRING(ImproveConfig, families, "words,sql,programs",
             "families of tasks, as `lemur env make` draws them"),
    F_INT(ImproveConfig, train, 200, 1, 1e5, "tasks of each family to play in a round"),
    F_INT(ImproveConfig, samples, 4, 1, 100, "episodes of each of them"),
    F_FLOAT(ImproveConfig, temperature, 0.8, 0, 100, "of those episodes; tests have the benchmark's own"),
    F_INT(ImproveConfig, test, 100, 1, 1e5, "held-out tasks of each family, and as many untouched ones"),
    F_INT(ImproveConfig, most, 2, 1, 100, "successes of one task that are kept"),
    F_INT(ImproveConfig, least, 10, 1, 1e9,
          "examples that it takes to tune on; fewer wait for the next round"),
    F_FLOAT(ImproveConfig, level, 0.05, 0, 1,
            "of the one-sided test (McNemar, exact) that a new model must pass"),
    F_CHOICE(ImproveConfig, accept, "better", accept_names,
             "which models are accepted: better ones at that level, or all that solve no fewer tasks"),
    F_INT(ImproveConfig, seed, 1, 0, 1e9, "of tasks, sampling and tuning"),
};
const FieldTable improve_table = FIELD_TABLE(improve_fields);

/* What is asked for. ------------------------------------------------------------------------------------- */

static Status add_source(Improve *im, const char *name, const char *benchmark, bool drawn)
{
    for (size_t i = 0; i < im->sources.n; i++)
        if (strcmp(im->sources.at[i].name, name) == 0)
            return fail(ST_ARG, "%s is named twice", name);
    ImproveSource s = {mem_str(name), mem_str(benchmark), drawn};
    array_push(&im->sources, s);
    return ST_OK;
}

static Status add_family(Improve *im, const char *name, const ImproveFamily *known, size_t n)
{
    Str all = {0};
    const char **names = mem_array(const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        names[i] = known[i].name;
        str_addf(&all, "%s%s", i ? ", " : "", names[i]);
        if (strcmp(name, names[i]) != 0)
            continue;
        str_drop(&all);
        mem_free(names);
        return add_source(im, name, known[i].benchmark, true);
    }
    const char *near = nearest_name(name, names, n);
    Status st = fail(ST_ARG, "there is no family '%.100s'%s%s%s; there are: %s", name,
                     near ? " (did you mean " : "", near ? near : "", near ? "?)" : "", str_c(&all));
    str_drop(&all);
    mem_free(names);
    return st;
}

/* known NULL: names are those of benchmarks. */
static Status add_names(Improve *im, const char *names, const ImproveFamily *known, size_t known_n)
{
    Status st = ST_OK;
    size_t before = im->sources.n;
    for (Span word; st == ST_OK && list_next(&word, &names);) {
        char *name = mem_strn(word.at, word.n);
        if (word.n)
            st = known ? add_family(im, name, known, known_n) : add_source(im, name, name, false);
        mem_free(name);
    }
    return st == ST_OK && im->sources.n == before ? fail(ST_ARG, "no tasks are named") : st;
}

Status improve_add_families(Improve *im, const char *names, const ImproveFamily *known, size_t n)
{
    return add_names(im, names, known, n);
}

Status improve_add_data(Improve *im, const char *names, const char *data)
{
    im->data = mem_str(data);
    return add_names(im, names, NULL, 0);
}

Status improve_add_replay(Improve *im, const char *words)
{
    const char *comma = strrchr(words, ',');
    double share = 0.5, sum = 0;
    if (comma && parse_double(&share, comma + 1) != ST_OK)
        return fail(ST_ARG, "--replay %.100s: what follows the comma is a share such as 0.3", words);
    ImproveReplay r = {mem_strn(words, comma ? (size_t)(comma - words) : strlen(words)), share};
    array_push(&im->replays, r);
    for (size_t i = 0; i < im->replays.n; i++)
        sum += im->replays.at[i].share;
    return share > 0 && sum < 1
               ? ST_OK
               : fail(ST_ARG, "--replay %.100s: shares are above 0, and leave some of 1 for what was kept",
                      words);
}

static bool is_one_of(Span key, const char *const *words)
{
    for (; *words; words++) {
        char *name = mem_strn(key.at, key.n);
        bool is = config_same_name(name, *words);
        mem_free(name);
        if (is)
            return true;
    }
    return false;
}

static Status check_key(const char *flag, Span key, const char *const *ours)
{
    if (!key.n)
        return fail(ST_ARG, "--%s: write KEY=VALUE", flag);
    if (is_one_of(key, ours))
        return fail(ST_ARG, "--%s %.*s: that is chosen by the study itself", flag, (int)key.n, key.at);
    return ST_OK;
}

/* A number or a truth value where it looks like one. */
static json_t *value_of(const char *text)
{
    json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);
    if (json_is_number(v) || json_is_boolean(v))
        return v;
    json_decref(v);
    return json_text(span(text));
}

Status improve_add_tune(Improve *im, const char *word)
{
    static const char *const ours[] = {"sources", "base",      "model", "output", "seed",
                                       "resume",  "overwrite", "lora",  NULL};
    const char *equals = strchr(word, '=');
    if (!equals)
        return fail(ST_ARG, "--tune %.100s: write KEY=VALUE", word);
    Span key = {word, (size_t)(equals - word)};
    TRY(check_key("tune", key, ours));
    if (!im->tune)
        im->tune = json_object();
    json_object_setn_new(im->tune, key.at, key.n, value_of(equals + 1));
    return ST_OK;
}

Status improve_add_eval(Improve *im, const char *word, bool rollout)
{
    static const char *const ours[] = {"model", "tasks",   "data", "output",    "seed", "fold",
                                       "limit", "restart", "json", "draw-seed", NULL};
    json_t **words = rollout ? &im->rollout : &im->eval;
    TRY(check_key(rollout ? "rollout" : "eval", (Span){word, strcspn(word, "=")}, ours));
    if (!*words)
        *words = json_array();
    char *flag = mem_format("--%s", word);
    json_array_append_new(*words, json_text(span(flag)));
    mem_free(flag);
    return ST_OK;
}

void improve_drop(Improve *im)
{
    for (size_t i = 0; i < im->sources.n; i++) {
        mem_free(im->sources.at[i].name);
        mem_free(im->sources.at[i].benchmark);
    }
    for (size_t i = 0; i < im->replays.n; i++)
        mem_free(im->replays.at[i].path);
    for (size_t i = 0; i < im->rounds.n; i++)
        json_decref(im->rounds.at[i].by_source);
    array_drop(&im->sources);
    array_drop(&im->replays);
    array_drop(&im->rounds);
    json_t *const values[] = {im->tune, im->eval, im->rollout, im->verdict_by_source, im->seconds};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        json_decref(values[i]);
    char *const texts[] = {im->model, im->given, im->data, im->data_hash};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        mem_free(texts[i]);
    *im = (Improve){0};
}

/* Rounds. ------------------------------------------------------------------------------------------------ */

int64_t improve_best(const Improve *im)
{
    for (size_t i = im->rounds.n; i > 0; i--)
        if (im->rounds.at[i - 1].decision == IMPROVE_ACCEPTED)
            return (int64_t)i;
    return 0;
}

void improve_begin(Improve *im)
{
    ImproveRound r = {.parent = improve_best(im), .p = 1};
    array_push(&im->rounds, r);
}

static ImproveRound *last_round(Improve *im)
{
    return &im->rounds.at[im->rounds.n - 1];
}

/* What one model made is learned together, however many rounds it took. */
void improve_keep(Improve *im, const KeepCounts *counts)
{
    ImproveRound *r = last_round(im);
    r->kept = *counts;
    for (int64_t i = r->parent; i < (int64_t)im->rounds.n; i++)
        r->learned += im->rounds.at[i].kept.kept;
    r->tunes = counts->kept > 0 && r->learned >= im->config->least;
    r->decision = r->tunes ? IMPROVE_OPEN : IMPROVE_NOT_TUNED;
}

void improve_decide(Improve *im, const ImprovePairs *pairs, json_t *by_source)
{
    ImproveRound *r = last_round(im);
    r->pairs = *pairs;
    r->by_source = json_incref(by_source);
    r->p = stats_mcnemar_better(pairs->first, pairs->second);
    bool accepted =
        strcmp(im->config->accept, "better") == 0 ? r->p <= im->config->level : pairs->second >= pairs->first;
    r->decision = accepted ? IMPROVE_ACCEPTED : IMPROVE_REFUSED;
}

void improve_end(Improve *im)
{
    im->ended = true;
}

void improve_judge(Improve *im, const ImprovePairs *pairs, json_t *by_source)
{
    im->verdict = *pairs;
    im->verdict_by_source = json_incref(by_source);
}

static int64_t count(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

Status improve_add_pairs(ImprovePairs *pairs, json_t *by_source, const char *name, const json_t *comparison)
{
    const char *benchmark;
    json_t *entry;
    ImprovePairs sum = {0};
    json_object_foreach(json_object_get(comparison, "benchmarks"), benchmark, entry)
    {
        const char *test = json_string_value(json_object_get(entry, "test"));
        int64_t n = count(entry, "n");
        if (!test || strcmp(test, "McNemar") != 0)
            return fail(ST_FORMAT, "%s: its episodes are no successes or failures", benchmark);
        sum.n += n;
        sum.first += count(entry, "first_better");
        sum.second += count(entry, "second_better");
        /* Shares of n whole numbers. */
        sum.before += (int64_t)(json_number_value(json_object_get(entry, "first")) * (double)n + 0.5);
    }
    if (sum.n == 0)
        return fail(ST_FORMAT, "%s: the two models have no episode in common", name);
    sum.after = sum.before - sum.first + sum.second;
    json_object_set_new(by_source, name, improve_pairs_json(&sum));
    pairs->n += sum.n;
    pairs->before += sum.before;
    pairs->after += sum.after;
    pairs->first += sum.first;
    pairs->second += sum.second;
    return ST_OK;
}

json_t *improve_pairs_json(const ImprovePairs *p)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:f}", "n", (json_int_t)p->n, "before", (json_int_t)p->before,
                     "after", (json_int_t)p->after, "first_alone", (json_int_t)p->first, "second_alone",
                     (json_int_t)p->second, "p", stats_mcnemar_better(p->first, p->second));
}

/* Lineage. ----------------------------------------------------------------------------------------------- */

static json_t *model_json(const Improve *im, int64_t round)
{
    json_t *o = json_pack("{s:I, s:s}", "round", (json_int_t)round, "hash",
                          round ? im->rounds.at[round - 1].hash : im->hash);
    if (round) {
        char *folder = improve_tune_stage(round);
        json_object_set_new(o, "folder", json_string(folder));
        mem_free(folder);
    }
    return o;
}

static json_t *seeds_json(const Improve *im, int64_t round)
{
    json_t *rollouts = json_array();
    for (int64_t k = 1; k <= im->config->samples; k++)
        json_array_append_new(rollouts, json_integer(improve_rollout_seed(im, round, k)));
    return json_pack("{s:I, s:o, s:I}", "tasks", (json_int_t)round, "rollouts", rollouts, "tune",
                     (json_int_t)improve_tune_seed(im, round));
}

static json_t *round_json(const Improve *im, int64_t round)
{
    const ImproveRound *r = &im->rounds.at[round - 1];
    json_t *learned = json_array();
    for (int64_t i = r->parent + 1; i <= round; i++)
        json_array_append_new(learned, json_integer(i));
    json_t *o = json_pack("{s:I, s:o, s:o, s:o, s:o, s:I, s:s}", "round", (json_int_t)round, "parent",
                          model_json(im, r->parent), "seeds", seeds_json(im, round), "rollouts",
                          keep_json(&r->kept), "learned_rounds", learned, "learned", (json_int_t)r->learned,
                          "decision", improve_decision_names[r->decision]);
    if (r->decision == IMPROVE_ACCEPTED || r->decision == IMPROVE_REFUSED) {
        json_t *test = improve_pairs_json(&r->pairs);
        json_object_set(test, "sources", r->by_source);
        json_object_set_new(o, "test", test);
        json_object_set_new(o, "model", model_json(im, round));
    }
    return o;
}

static json_t *settings_json(const Improve *im)
{
    json_t *o = config_to_json(&improve_table, im->config), *replays = json_array(), *sources = json_array();
    json_object_del(o, "rounds"); /* that more are asked for changes nothing of those before */
    json_object_del(o, "families");
    for (size_t i = 0; i < im->sources.n; i++)
        json_array_append_new(sources, json_pack("{s:s, s:s}", "name", im->sources.at[i].name, "benchmark",
                                                 im->sources.at[i].benchmark));
    for (size_t i = 0; i < im->replays.n; i++)
        json_array_append_new(replays, json_pack("{s:s, s:f}", "file", im->replays.at[i].path, "share",
                                                 im->replays.at[i].share));
    json_object_set_new(o, "sources", sources);
    json_object_set_new(o, "replay", replays);
    if (im->data_hash)
        json_object_set_new(o, "data_hash", json_string(im->data_hash));
    json_object_set(o, "tune", im->tune ? im->tune : json_null());
    json_object_set(o, "eval", im->eval ? im->eval : json_null());
    json_object_set(o, "rollout", im->rollout ? im->rollout : json_null());
    return o;
}

/* The difference between shares solved, with a 95 % interval over the tasks. */
static json_t *verdict_json(const Improve *im)
{
    enum { RESAMPLES = 10000, SEED = 1 };
    const ImprovePairs *p = &im->verdict;
    double *d = mem_array(double, p->n + 1);
    for (int64_t i = 0; i < p->first + p->second; i++)
        d[i] = i < p->first ? -1 : 1;
    Interval ci = stats_bootstrap(d, p->n, RESAMPLES, SEED);
    mem_free(d);
    json_t *o = improve_pairs_json(p);
    json_object_set_new(o, "difference", json_real((double)(p->after - p->before) / (double)p->n));
    json_object_set_new(o, "ci95", json_pack("[f, f]", ci.low, ci.high));
    json_object_set(o, "sources", im->verdict_by_source);
    return o;
}

json_t *improve_lineage(const Improve *im)
{
    json_t *rounds = json_array();
    for (size_t i = 0; i < im->rounds.n; i++)
        if (im->rounds.at[i].decision != IMPROVE_OPEN)
            json_array_append_new(rounds, round_json(im, (int64_t)i + 1));
    json_t *given = model_json(im, 0);
    json_object_set_new(given, "path", json_text(span(im->given)));
    json_t *o = json_pack("{s:i, s:o, s:o, s:o, s:o}", "improve", 1, "given", given, "settings",
                          settings_json(im), "rounds", rounds, "best", model_json(im, improve_best(im)));
    json_object_set_new(o, "untouched", im->verdict.n ? verdict_json(im) : json_null());
    return o;
}
