#include "eval/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/map.h"
#include "eval/sample_line.h"
#include "eval/stats.h"

/* One metric of some samples ----------------------------------------------------------------------------- */

typedef Array(double) Values;

static void add_values(Values *v, const json_t *samples, const char *metric)
{
    for (size_t i = 0; i < json_array_size(samples); i++) {
        const json_t *x = json_object_get(json_object_get(json_array_get(samples, i), "metrics"), metric);
        if (json_is_number(x))
            array_push(v, json_number_value(x));
    }
}

/* New reference; NULL: values beyond 0 and 1, of which nothing is known. */
static json_t *interval_of(const Values *v)
{
    int64_t hits = 0, n = (int64_t)v->n;
    bool all_hits = true;
    for (size_t i = 0; i < v->n; i++) {
        double x = v->at[i];
        if (!(x >= 0 && x <= 1))
            return NULL;
        hits += x == 1;
        all_hits = all_hits && (x == 0 || x == 1);
    }
    Interval c = all_hits ? stats_wilson(hits, n) : stats_normal(v->at, n);
    return json_pack("[f, f]", c.low, c.high);
}

char *results_key(const char *metric, const char *kind)
{
    const char *filter = strrchr(metric, ',');
    if (!filter)
        return mem_format("%s%s,none", metric, kind);
    return mem_format("%.*s%s%s", (int)(filter - metric), metric, kind, filter);
}

static void set_keyed(json_t *entry, const char *metric, const char *kind, json_t *value)
{
    char *key = results_key(metric, kind);
    if (value)
        json_object_set_new(entry, key, value);
    mem_free(key);
}

/* stderr of fewer than two values is "N/A", as lm_eval/evaluator_utils.py has it. */
static json_t *error_of(double error, int64_t n)
{
    return n > 1 ? json_real(error) : json_string("N/A");
}

static void set_metric(json_t *entry, const char *metric, const Values *v, double error)
{
    set_keyed(entry, metric, "", json_real(stats_mean(v->at, (int64_t)v->n)));
    set_keyed(entry, metric, "_stderr", error_of(error, (int64_t)v->n));
    set_keyed(entry, metric, "_ci95", interval_of(v));
}

/* Names of the samples' metrics: the main one, and the others as they come. */
static Map *metrics_of(const json_t *samples, const char *first)
{
    Map *names = map_new();
    *map_put(names, first, strlen(first)) = 1;
    for (size_t i = 0; i < json_array_size(samples); i++) {
        const char *name;
        json_t *value;
        json_object_foreach(json_object_get(json_array_get(samples, i), "metrics"), name, value)
        {
            if (json_is_number(value))
                *map_put(names, name, strlen(name)) = 1;
        }
    }
    return names;
}

static json_t *entry_of(const char *alias, const json_t *samples, const Map *metrics)
{
    json_t *entry = json_pack("{s:s}", "alias", alias);
    for (int64_t i = 0; i < map_count(metrics); i++) {
        char *metric = mem_strn(map_key_at(metrics, i).at, map_key_at(metrics, i).n);
        Values v = {0};
        add_values(&v, samples, metric);
        if (v.n)
            set_metric(entry, metric, &v, stats_stderr(v.at, (int64_t)v.n));
        array_drop(&v);
        mem_free(metric);
    }
    json_object_set_new(entry, "sample_len", json_integer((json_int_t)json_array_size(samples)));
    return entry;
}

/* A benchmark -------------------------------------------------------------------------------------------- */

static json_t *inside(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (!value) {
        value = json_object();
        json_object_set_new(object, key, value);
    }
    return value;
}

static void add_number(json_t *object, const char *key, double more)
{
    json_object_set_new(object, key, json_real(json_number_value(json_object_get(object, key)) + more));
}

/* A sum beyond the integers, which only a file that was tampered with can have, stays at their end. */
static void add_count(json_t *object, const char *key, json_int_t more)
{
    json_int_t sum;
    if (__builtin_add_overflow(json_integer_value(json_object_get(object, key)), more, &sum))
        sum = more < 0 ? INT64_MIN : INT64_MAX;
    json_object_set_new(object, key, json_integer(sum));
}

/* Errors by kind, tokens and seconds. */
static void add_costs(json_t *out, const ResultsPart *p)
{
    enum { ALWAYS = 4 };
    static const char *const counts[][2] = {{"prompt", "prompt_tokens"},
                                            {"completion", "completion_tokens"},
                                            {"calls", "calls"},
                                            {"retries", "retries"},
                                            {"feedback_prompt", "feedback_prompt_tokens"},
                                            {"feedback_completion", "feedback_completion_tokens"},
                                            {"feedback_calls", "feedback_calls"}};
    json_t *errors = inside(inside(out, "errors"), p->name), *tokens = inside(inside(out, "tokens"), p->name),
           *seconds = inside(inside(out, "seconds"), p->name);
    for (size_t i = 0; i < json_array_size(p->samples); i++) {
        const json_t *s = json_array_get(p->samples, i);
        const char *kind = json_string_value(json_object_get(s, "kind"));
        if (kind && kind[0])
            add_count(errors, kind, 1);
        for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++)
            if (k < ALWAYS || json_object_get(s, counts[k][1])) /* the others: where a model gave feedback */
                add_count(tokens, counts[k][0], json_integer_value(json_object_get(s, counts[k][1])));
        add_number(seconds, "model", json_number_value(json_object_get(s, "model_seconds")));
        if (json_object_get(s, "feedback_seconds"))
            add_number(seconds, "feedback", json_number_value(json_object_get(s, "feedback_seconds")));
        add_number(seconds, "total", json_number_value(json_object_get(s, "seconds")));
    }
}

/* NAME@1, NAME@2 ... as far as they go; there is a curve from two on. */
static void add_curves(json_t *out, const char *name, const json_t *entry, const Map *metrics)
{
    for (int64_t i = 0; i < map_count(metrics); i++) {
        Span m = map_key_at(metrics, i);
        if (!span_ends(m, "@1"))
            continue;
        json_t *curve = json_array(), *value;
        char *base = mem_strn(m.at, m.n - 2);
        for (int k = 1;; k++) {
            char *key = mem_format("%s@%d,none", base, k);
            value = json_object_get(entry, key);
            mem_free(key);
            if (!value)
                break;
            json_array_append(curve, value);
        }
        if (json_array_size(curve) > 1)
            json_object_set(inside(inside(out, "curves"), name), base, curve);
        json_decref(curve);
        mem_free(base);
    }
}

/* lm_eval/loggers/evaluation_tracker.py: one hash over the hashes of all samples, in order. */
static void add_task_hash(json_t *out, const ResultsPart *p)
{
    static const char *const keys[] = {"doc_hash", "prompt_hash", "target_hash"};
    Str all = {0};
    char hex[65];
    for (size_t i = 0; i < json_array_size(p->samples); i++)
        for (size_t k = 0; k < 3; k++) {
            const char *hash = json_string_value(json_object_get(json_array_get(p->samples, i), keys[k]));
            str_adds(&all, hash ? hash : "");
        }
    text_hash(hex, str_span(&all));
    json_object_set_new(inside(out, "task_hashes"), p->name, json_string(hex));
    str_drop(&all);
}

/* What stands beside every score, of a benchmark or of its part. */
static void add_facts(json_t *out, const char *name, const ResultsPart *p, const Map *metrics)
{
    json_t *better = inside(inside(out, "higher_is_better"), name);
    for (int64_t i = 0; i < map_count(metrics); i++) {
        Span m = map_key_at(metrics, i);
        const char *filter = memrchr(m.at, ',', m.n); /* it is one metric, whatever reads the answers */
        json_object_setn_new(better, m.at, filter ? (size_t)(filter - m.at) : m.n, json_true());
    }
    json_object_set_new(inside(out, "versions"), name, json_integer(p->version));
    json_object_set_new(inside(out, "n-shot"), name, json_integer(p->shots));
}

/* part -> its samples, in the order in which parts appear. */
static json_t *samples_by_part(const json_t *samples)
{
    json_t *parts = json_object();
    for (size_t i = 0; i < json_array_size(samples); i++) {
        const char *part = json_string_value(json_object_get(json_array_get(samples, i), "part"));
        if (!part)
            continue;
        if (!json_object_get(parts, part))
            json_object_set_new(parts, part, json_array());
        json_array_append(json_object_get(parts, part), json_array_get(samples, i));
    }
    return parts;
}

/* The mean over parts, whatever their sizes, as BIG-Bench Hard's publishers make it; of the main metric. */
static void add_parts_mean(json_t *out, const ResultsPart *p, const json_t *parts)
{
    json_t *mean = json_object(), *samples;
    const char *part;
    char *value = results_key(p->metric, ""), *error = results_key(p->metric, "_stderr");
    double sum = 0, squares = 0, n = (double)json_object_size(parts);
    bool known = true;
    json_object_foreach((json_t *)parts, part, samples)
    {
        char *name = mem_format("%s_%s", p->name, part);
        const json_t *entry = json_object_get(json_object_get(out, "results"), name);
        const json_t *e = json_object_get(entry, error);
        sum += json_number_value(json_object_get(entry, value));
        squares += json_number_value(e) * json_number_value(e);
        known = known && json_is_number(e);
        mem_free(name);
    }
    if (n > 1) {
        json_object_set_new(mean, value, json_real(sum / n));
        json_object_set_new(mean, error, known ? json_real(sqrt(squares) / n) : json_string("N/A"));
        json_object_set_new(mean, "parts", json_integer((json_int_t)n));
        json_object_set(inside(out, "means_of_parts"), p->name, mean);
    }
    json_decref(mean);
    mem_free(value);
    mem_free(error);
}

static void add_parts(json_t *out, const ResultsPart *p, const Map *metrics)
{
    json_t *parts = samples_by_part(p->samples), *names = json_array(), *samples;
    const char *part;
    json_object_foreach(parts, part, samples)
    {
        char *name = mem_format("%s_%s", p->name, part);
        json_object_set_new(json_object_get(out, "results"), name, entry_of(part, samples, metrics));
        add_facts(out, name, p, metrics);
        json_array_append_new(names, json_string(name));
        mem_free(name);
    }
    json_object_set_new(inside(out, "group_subtasks"), p->name, names);
    add_parts_mean(out, p, parts);
    json_decref(parts);
}

static void add_benchmark(json_t *out, const ResultsPart *p)
{
    Map *metrics = metrics_of(p->samples, p->metric);
    const char *family = json_string_value(json_object_get(p->config, "family"));
    json_t *entry = entry_of(family ? family : p->name, p->samples, metrics);
    json_object_set_new(json_object_get(out, "results"), p->name, entry);
    add_facts(out, p->name, p, metrics);
    add_parts(out, p, metrics);
    add_curves(out, p->name, entry, metrics);
    add_costs(out, p);
    add_task_hash(out, p);
    json_object_set_new(inside(out, "metrics"), p->name, json_string(p->metric));
    json_object_set_new(inside(out, "n-samples"), p->name,
                        json_pack("{s:I, s:I}", "original", (json_int_t)p->original, "effective",
                                  (json_int_t)json_array_size(p->samples)));
    if (p->config)
        json_object_set(inside(out, "configs"), p->name, p->config);
    else
        inside(inside(out, "configs"), p->name);
    map_free(metrics);
}

/* Groups ------------------------------------------------------------------------------------------------- */

static bool has_word(const char *words, Span word)
{
    for (Span w; (w = words_next(&words)).n;)
        if (w.n == word.n && memcmp(w.at, word.at, w.n) == 0)
            return true;
    return false;
}

/* Of `metric` in all members, or false where one has it not. */
static bool pool(json_t *entry, const char *metric, const ResultsPart *const *members, size_t n)
{
    Values all = {0};
    double squares = 0;
    bool everywhere = true;
    for (size_t i = 0; i < n && everywhere; i++) {
        Values v = {0};
        add_values(&v, members[i]->samples, metric);
        double m = (double)v.n, error = stats_stderr(v.at, (int64_t)v.n);
        squares += (m - 1) * error * error * m;
        everywhere = v.n > 0;
        for (size_t k = 0; k < v.n; k++)
            array_push(&all, v.at[k]);
        array_drop(&v);
    }
    if (everywhere) {
        double total = (double)all.n, free_values = total - (double)n;
        set_metric(entry, metric, &all, free_values > 0 ? sqrt(squares / free_values / total) : 0);
        if (free_values <= 0)
            set_keyed(entry, metric, "_stderr", error_of(0, 1));
    }
    array_drop(&all);
    return everywhere;
}

static void add_group(json_t *out, const char *name, const ResultsPart *const *members, size_t n)
{
    json_t *entry = json_pack("{s:s}", "alias", name), *names = json_array();
    Map *metrics = metrics_of(members[0]->samples, members[0]->metric);
    json_int_t asked = 0;
    bool any = false;
    for (int64_t i = 0; i < map_count(metrics); i++) {
        char *metric = mem_strn(map_key_at(metrics, i).at, map_key_at(metrics, i).n);
        any = pool(entry, metric, members, n) || any;
        mem_free(metric);
    }
    for (size_t i = 0; i < n; i++) {
        asked += (json_int_t)json_array_size(members[i]->samples);
        json_array_append_new(names, json_string(members[i]->name));
    }
    json_object_set_new(entry, "sample_len", json_integer(asked));
    if (any) {
        json_object_set(inside(out, "groups"), name, entry);
        json_object_set(json_object_get(out, "results"), name, entry);
        json_object_set(inside(out, "group_subtasks"), name, names);
    }
    json_decref(entry);
    json_decref(names);
    map_free(metrics);
}

static const char *groups_of(const ResultsPart *p)
{
    return p->groups ? p->groups : "";
}

static void add_group_named(json_t *out, Span word, const ResultsPart *parts, size_t n)
{
    size_t found = 0;
    const ResultsPart **members = mem_array(const ResultsPart *, n);
    char *name = mem_strn(word.at, word.n);
    for (size_t k = 0; k < n; k++)
        if (has_word(groups_of(&parts[k]), word))
            members[found++] = &parts[k];
    if (found > 1 && !json_object_get(json_object_get(out, "results"), name))
        add_group(out, name, members, found);
    mem_free(name);
    mem_free(members);
}

static void add_groups(json_t *out, const ResultsPart *parts, size_t n)
{
    Map *seen = map_new();
    for (size_t i = 0; i < n; i++) {
        const char *at = groups_of(&parts[i]);
        for (Span word; (word = words_next(&at)).n;) {
            if (!map_find(seen, word.at, word.n))
                add_group_named(out, word, parts, n);
            *map_put(seen, word.at, word.n) = 1;
        }
    }
    map_free(seen);
}

/* All ---------------------------------------------------------------------------------------------------- */

const char *results_model_name(const json_t *head)
{
    static const char *const keys[] = {"name", "model", "path"};
    const json_t *model = json_object_get(head, "model");
    const char *name = json_string_value(model);
    for (size_t i = 0; !name && i < sizeof keys / sizeof keys[0]; i++)
        name = json_string_value(json_object_get(model, keys[i]));
    return name ? name : "";
}

json_t *results_make(const ResultsPart *parts, size_t n, const json_t *head, double seconds)
{
    static const char *const order[] = {
        "results",   "groups",  "group_subtasks", "configs", "versions", "n-shot",  "higher_is_better",
        "n-samples", "metrics", "curves",         "errors",  "tokens",   "seconds", "task_hashes"};
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        inside(out, order[i]);
    for (size_t i = 0; i < n; i++)
        add_benchmark(out, &parts[i]);
    add_groups(out, parts, n);
    if (head)
        json_object_set_new(out, "config", json_deep_copy(head));
    json_object_set_new(out, "date", json_real(clock_unix()));
    json_object_set_new(out, "model_name", json_string(results_model_name(head)));
    json_t *version = json_object_get(head, "lemur_version");
    if (version)
        json_object_set(out, "lemur_version", version);
    char *time = mem_format("%.3f", seconds);
    json_object_set_new(out, "total_evaluation_time_seconds", json_string(time));
    mem_free(time);
    return out;
}
