#include "eval/compare.h"

#include <string.h>

#include "base/array.h"
#include "base/json_file.h"
#include "eval/compare_run.h"
#include "eval/stats.h"

enum { ROUNDS = 10000, SEED = 1 }; /* of the bootstrap and of flipping signs: the same runs, the same words */

typedef struct {
    double first, second;
    const char *part; /* of the sample; NULL: none */
} Pair;
typedef Array(Pair) Pairs;

typedef struct {
    ComparedRun a, b;
    const char *metric; /* NULL: each benchmark's main one */
    bool parts;
    json_t *warnings;
} Comparison;

static void warn(Comparison *c, char *sentence)
{
    json_array_append_new(c->warnings, json_string(sentence));
    mem_free(sentence);
}

/* The test ----------------------------------------------------------------------------------------------- */

static bool is_hit(double x)
{
    return x == 0 || x == 1;
}

/* Of the pairs of one part; part NULL: of all.  New reference. */
static json_t *test_pairs(const Pairs *pairs, const char *part)
{
    Array(double) d = {0};
    double first = 0, second = 0;
    int64_t better[2] = {0, 0};
    bool hits = true;
    for (size_t i = 0; i < pairs->n; i++) {
        const Pair *p = &pairs->at[i];
        if (part && (!p->part || strcmp(p->part, part) != 0))
            continue;
        first += p->first;
        second += p->second;
        better[0] += p->first > p->second;
        better[1] += p->second > p->first;
        hits = hits && is_hit(p->first) && is_hit(p->second);
        array_push(&d, p->second - p->first);
    }
    int64_t n = (int64_t)d.n;
    Interval ci = stats_bootstrap(d.at, n, ROUNDS, SEED);
    double p = hits ? stats_mcnemar(better[0], better[1]) : stats_flip(d.at, n, ROUNDS, SEED);
    json_t *out = json_pack(
        "{s:I, s:f, s:f, s:f, s:[f, f], s:I, s:I, s:I, s:s, s:f}", "n", (json_int_t)n, "first",
        first / (double)n, "second", second / (double)n, "difference", stats_mean(d.at, n), "ci95", ci.low,
        ci.high, "first_better", (json_int_t)better[0], "second_better", (json_int_t)better[1], "equal",
        (json_int_t)(n - better[0] - better[1]), "test", hits ? "McNemar" : "sign flips", "p", p);
    array_drop(&d);
    return out;
}

static json_t *test_parts(const Pairs *pairs)
{
    json_t *out = json_object();
    for (size_t i = 0; i < pairs->n; i++) {
        const char *part = pairs->at[i].part;
        if (part && !json_object_get(out, part))
            json_object_set_new(out, part, test_pairs(pairs, part));
    }
    return out;
}

/* Pairs -------------------------------------------------------------------------------------------------- */

typedef struct {
    json_t *samples;
    Map *at;
} Side;

static void drop_side(Side *s)
{
    json_decref(s->samples);
    map_free(s->at);
}

/* How many pairs differ in that hash. */
static int64_t count_differing(const Side *a, const Side *b, const char *key)
{
    int64_t n = 0;
    for (int64_t i = 0; i < map_count(a->at); i++) {
        Span id = map_key_at(a->at, i);
        const int64_t *other = map_find(b->at, id.at, id.n);
        if (!other)
            continue;
        const json_t *x = json_object_get(json_array_get(a->samples, (size_t)map_value_at(a->at, i)), key),
                     *y = json_object_get(json_array_get(b->samples, (size_t)*other), key);
        n += x && y && !json_equal(x, y);
    }
    return n;
}

static void warn_of_hashes(Comparison *c, const char *name, const Side *a, const Side *b, size_t pairs)
{
    static const char *const keys[][2] = {
        {"doc_hash", "questions themselves"}, {"prompt_hash", "prompts"}, {"target_hash", "right answers"}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        int64_t n = count_differing(a, b, keys[i][0]);
        if (n)
            warn(c,
                 mem_format("%s: the %s differ in %lld of %zu pairs", name, keys[i][1], (long long)n, pairs));
    }
}

static void add_pairs(Pairs *pairs, const Side *a, const Side *b, const char *metric)
{
    for (int64_t i = 0; i < map_count(a->at); i++) {
        Span id = map_key_at(a->at, i);
        const int64_t *other = map_find(b->at, id.at, id.n);
        if (!other)
            continue;
        const json_t *x = json_array_get(a->samples, (size_t)map_value_at(a->at, i)),
                     *y = json_array_get(b->samples, (size_t)*other);
        array_push(pairs, ((Pair){json_number_value(json_object_get(json_object_get(x, "metrics"), metric)),
                                  json_number_value(json_object_get(json_object_get(y, "metrics"), metric)),
                                  json_string_value(json_object_get(x, "part"))}));
    }
}

/* Adds an entry to `benchmarks`, where the two have something in common; *pairs hold parts that the sides
 * own, so they are given to the groups without. */
static Status compare_samples(Comparison *c, json_t *benchmarks, const char *name, const char *metric,
                              Side *a, Side *b, Pairs *kept)
{
    TRY(compared_run_samples(&c->a, name, metric, &a->samples, &a->at));
    TRY(compared_run_samples(&c->b, name, metric, &b->samples, &b->at));
    Pairs pairs = {0};
    add_pairs(&pairs, a, b, metric);
    if (!pairs.n) {
        warn(c, mem_format("%s: the two runs answered no question in common", name));
        return ST_OK;
    }
    json_t *entry = test_pairs(&pairs, NULL);
    json_object_set_new(entry, "metric", json_string(metric));
    json_object_set_new(entry, "only_first", json_integer(map_count(a->at) - (json_int_t)pairs.n));
    json_object_set_new(entry, "only_second", json_integer(map_count(b->at) - (json_int_t)pairs.n));
    if (c->parts)
        json_object_set_new(entry, "parts", test_parts(&pairs));
    json_object_set_new(benchmarks, name, entry);
    warn_of_hashes(c, name, a, b, pairs.n);
    for (size_t i = 0; i < pairs.n; i++)
        array_push(kept, ((Pair){pairs.at[i].first, pairs.at[i].second, NULL}));
    array_drop(&pairs);
    return ST_OK;
}

/* Benchmarks --------------------------------------------------------------------------------------------- */

static void warn_of_facts(Comparison *c, const char *name)
{
    static const char *const keys[][2] = {{"version", "the version of the benchmark"},
                                          {"data_sha256", "the data"},
                                          {"facts", "what else decides scores (prompt texts)"}};
    const json_t *a = compared_run_facts(&c->a, name), *b = compared_run_facts(&c->b, name);
    for (size_t i = 0; a && b && i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *x = json_object_get(a, keys[i][0]), *y = json_object_get(b, keys[i][0]);
        if ((x || y) && !json_equal(x, y))
            warn(c, mem_format("%s: %s differs between the runs", name, keys[i][1]));
    }
}

/* *metric is NULL where the benchmark is left out. */
static Status choose_metric(Comparison *c, const char *name, const char **metric)
{
    const char *first = compared_run_metric(&c->a, name), *second = compared_run_metric(&c->b, name);
    *metric = c->metric ? c->metric : first ? first : second;
    if (!*metric)
        return fail(ST_ARG,
                    "which metric of %s counts is not known: neither run is finished, and this program "
                    "has no such benchmark; --metric names one",
                    name);
    if (!c->metric && second && strcmp(*metric, second) != 0)
        warn(c, mem_format("%s: the main metric was %s and is %s; %s is compared", name, *metric, second,
                           *metric));
    if (c->metric &&
        !(compared_run_may_have(&c->a, name, c->metric) && compared_run_may_have(&c->b, name, c->metric))) {
        warn(c, mem_format("%s: has no %s", name, c->metric));
        *metric = NULL;
    }
    return ST_OK;
}

static Status compare_benchmark(Comparison *c, json_t *benchmarks, const char *name, Pairs *kept)
{
    const char *metric;
    TRY(choose_metric(c, name, &metric));
    if (!metric)
        return ST_OK;
    warn_of_facts(c, name);
    Side a = {0}, b = {0};
    Status st = compare_samples(c, benchmarks, name, metric, &a, &b, kept);
    drop_side(&a);
    drop_side(&b);
    return st;
}

static void correct(json_t *benchmarks)
{
    Array(double) p = {0};
    const char *name;
    json_t *entry;
    size_t i = 0;
    json_object_foreach(benchmarks, name, entry)
        array_push(&p, json_number_value(json_object_get(entry, "p")));
    stats_holm(p.at, (int64_t)p.n);
    json_object_foreach(benchmarks, name, entry) json_object_set_new(entry, "p_holm", json_real(p.at[i++]));
    array_drop(&p);
}

/* A group's pairs are those of all its benchmarks; kept[i] belongs to the i-th name of a. */
static void add_group(Comparison *c, json_t *groups, const char *group, const json_t *benchmarks,
                      const Pairs *kept)
{
    Pairs all = {0};
    const char *metric = NULL;
    json_t *names = json_array();
    bool one_metric = true;
    for (int64_t i = 0; i < map_count(c->a.names); i++) {
        char *name = mem_strn(map_key_at(c->a.names, i).at, map_key_at(c->a.names, i).n);
        Map *of = map_new();
        compared_run_groups(&c->a, name, of);
        compared_run_groups(&c->b, name, of);
        const char *its = json_string_value(json_object_get(json_object_get(benchmarks, name), "metric"));
        if (its && map_find(of, group, strlen(group))) {
            one_metric = one_metric && (!metric || strcmp(metric, its) == 0);
            metric = its;
            json_array_append_new(names, json_string(name));
            for (size_t k = 0; k < kept[i].n; k++)
                array_push(&all, kept[i].at[k]);
        }
        map_free(of);
        mem_free(name);
    }
    if (json_array_size(names) > 1 && one_metric) {
        json_t *entry = test_pairs(&all, NULL);
        json_object_set_new(entry, "metric", json_string(metric));
        json_object_set(entry, "benchmarks", names);
        json_object_set_new(groups, group, entry);
    }
    json_decref(names);
    array_drop(&all);
}

static json_t *compare_groups(Comparison *c, const json_t *benchmarks, const Pairs *kept)
{
    Map *names = map_new();
    json_t *groups = json_object();
    const char *name;
    json_t *entry;
    json_object_foreach((json_t *)benchmarks, name, entry)
    {
        compared_run_groups(&c->a, name, names);
        compared_run_groups(&c->b, name, names);
    }
    for (int64_t i = 0; i < map_count(names); i++) {
        char *group = mem_strn(map_key_at(names, i).at, map_key_at(names, i).n);
        add_group(c, groups, group, benchmarks, kept);
        mem_free(group);
    }
    map_free(names);
    return groups;
}

/* The runs ----------------------------------------------------------------------------------------------- */

static void warn_of_absent(Comparison *c, const ComparedRun *has, const ComparedRun *lacks)
{
    for (int64_t i = 0; i < map_count(has->names); i++) {
        Span name = map_key_at(has->names, i);
        if (!map_find(lacks->names, name.at, name.n))
            warn(c, mem_format("%.*s: only %s has it", (int)name.n, name.at, has->folder));
    }
}

static void warn_of_settings(Comparison *c)
{
    const json_t *a = json_object_get(c->a.identity, "settings"),
                 *b = json_object_get(c->b.identity, "settings");
    Str names = {0};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)a, key, value)
    {
        if (!json_equal(value, json_object_get(b, key)))
            str_addf(&names, "%s%s", names.n ? ", " : "", key);
    }
    if (names.n && b)
        warn(c, mem_format("settings that differ: %s", str_c(&names)));
    str_drop(&names);
}

static void warn_of_unfinished(Comparison *c, const ComparedRun *r)
{
    if (!r->results)
        warn(c, mem_format("%s is not finished (it has no results.json): what it answered so far is compared",
                           r->folder));
}

static json_t *words_of(const ComparedRun *r)
{
    json_t *model = json_object_get(r->identity, "model"),
           *out = json_pack("{s:o}", "folder", json_text(span(r->folder)));
    if (model)
        json_object_set(out, "model", model);
    return out;
}

static Status compare_all(Comparison *c, json_t *benchmarks, Pairs *kept)
{
    for (int64_t i = 0; i < map_count(c->a.names); i++) {
        Span key = map_key_at(c->a.names, i);
        if (!map_find(c->b.names, key.at, key.n))
            continue;
        char *name = mem_strn(key.at, key.n);
        Status st = compare_benchmark(c, benchmarks, name, &kept[i]);
        mem_free(name);
        TRY(st);
    }
    if (!json_object_size(benchmarks))
        return fail(ST_ARG, "%s and %s have no question in common%s%s", c->a.folder, c->b.folder,
                    c->metric ? " with " : "", c->metric ? c->metric : "");
    return ST_OK;
}

static Status compare_opened(Comparison *c, json_t **out)
{
    int64_t n = map_count(c->a.names);
    Pairs *kept = mem_array(Pairs, n + 1);
    json_t *benchmarks = json_object();
    warn_of_unfinished(c, &c->a);
    warn_of_unfinished(c, &c->b);
    warn_of_settings(c);
    Status st = compare_all(c, benchmarks, kept);
    if (st == ST_OK) {
        correct(benchmarks);
        warn_of_absent(c, &c->a, &c->b);
        warn_of_absent(c, &c->b, &c->a);
        *out = json_pack("{s:o, s:o, s:O, s:o, s:O}", "first", words_of(&c->a), "second", words_of(&c->b),
                         "benchmarks", benchmarks, "groups", compare_groups(c, benchmarks, kept), "warnings",
                         c->warnings);
    }
    for (int64_t i = 0; i < n; i++)
        array_drop(&kept[i]);
    mem_free(kept);
    json_decref(benchmarks);
    return st;
}

Status compare_runs(json_t **out, const char *first, const char *second, const char *metric, bool parts)
{
    Comparison c = {.metric = metric, .parts = parts, .warnings = json_array()};
    Status st = compared_run_open(&c.a, first);
    if (st == ST_OK)
        st = compared_run_open(&c.b, second);
    if (st == ST_OK)
        st = compare_opened(&c, out);
    compared_run_close(&c.a);
    compared_run_close(&c.b);
    json_decref(c.warnings);
    return st;
}
