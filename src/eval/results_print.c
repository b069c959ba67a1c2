/* Results, as people read them. */
#include <string.h>

#include "base/columns.h"
#include "base/mem.h"
#include "eval/results.h"

static const json_t *keyed(const json_t *entry, const char *metric, const char *kind)
{
    char *key = results_key(metric, kind);
    const json_t *value = json_object_get(entry, key);
    mem_free(key);
    return value;
}

static void add_number(Columns *c, const json_t *x)
{
    if (json_is_number(x))
        columns_add(c, "%.4f", json_number_value(x));
    else
        columns_add(c, "%s", json_is_string(x) ? json_string_value(x) : "");
}

/* name, n, metric, value, stderr, interval */
static void add_row(Columns *c, const char *name, const char *n, const json_t *entry, const char *metric)
{
    const json_t *ci = keyed(entry, metric, "_ci95");
    columns_add(c, "%s", name);
    columns_add(c, "%s", n);
    columns_add(c, "%s", metric);
    add_number(c, keyed(entry, metric, ""));
    add_number(c, keyed(entry, metric, "_stderr"));
    if (json_array_size(ci) == 2)
        columns_add(c, "%.4f to %.4f", json_number_value(json_array_get(ci, 0)),
                    json_number_value(json_array_get(ci, 1)));
    columns_end_row(c);
}

/* "success@3" where there is a curve of success: it has a line of its own. */
static bool in_curve(const json_t *curves, const char *metric)
{
    const char *at = strrchr(metric, '@');
    return at && json_object_getn(curves, metric, (size_t)(at - metric));
}

/* The name of a metric from the key of its value; caller frees, NULL: another key. */
static char *metric_of(const json_t *entry, const char *key)
{
    Span k = span(key);
    if (!strchr(key, ','))
        return NULL;
    k.n -= span_ends(k, ",none") ? 5 : 0;
    char *name = mem_strn(k.at, k.n);
    if (!keyed(entry, name, "_stderr")) { /* it is an error itself, or an interval */
        mem_free(name);
        name = NULL;
    }
    return name;
}

static void add_other_metrics(Columns *c, const json_t *entry, const char *main_one, const json_t *curves)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)entry, key, value)
    {
        char *metric = metric_of(entry, key);
        if (metric && strcmp(metric, main_one) != 0 && !in_curve(curves, metric))
            add_row(c, "", "", entry, metric);
        mem_free(metric);
    }
}

static long long sample_len(const json_t *entry)
{
    return (long long)json_integer_value(json_object_get(entry, "sample_len"));
}

static void add_parts(Columns *c, const json_t *results, const json_t *names, const char *metric)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i)), *alias;
        const json_t *entry = name ? json_object_get(results, name) : NULL;
        if (!entry)
            continue;
        alias = json_string_value(json_object_get(entry, "alias"));
        char *row = mem_format("  %s", alias ? alias : name), *n = mem_format("%lld", sample_len(entry));
        add_row(c, row, n, entry, metric);
        mem_free(row);
        mem_free(n);
    }
}

static void add_parts_mean(Columns *c, const json_t *mean, const char *metric)
{
    if (!mean)
        return;
    char *n = mem_format("%lld parts", (long long)json_integer_value(json_object_get(mean, "parts")));
    add_row(c, "  mean of parts", n, mean, metric);
    mem_free(n);
}

/* "48", or "48 of 1319" where not all were asked. */
static char *count_words(const json_t *all, const char *name, const json_t *entry)
{
    const json_t *n = json_object_get(json_object_get(all, "n-samples"), name);
    long long asked = sample_len(entry), there = json_integer_value(json_object_get(n, "original"));
    return there > asked ? mem_format("%lld of %lld", asked, there) : mem_format("%lld", asked);
}

static void add_benchmarks(Columns *c, const json_t *all)
{
    const json_t *results = json_object_get(all, "results");
    const char *name;
    json_t *main_one;
    json_object_foreach(json_object_get(all, "metrics"), name, main_one)
    {
        const json_t *entry = json_object_get(results, name);
        const char *metric = json_string_value(main_one);
        if (!entry || !metric)
            continue;
        char *n = count_words(all, name, entry);
        add_row(c, name, n, entry, metric);
        add_other_metrics(c, entry, metric, json_object_get(json_object_get(all, "curves"), name));
        add_parts(c, results, json_object_get(json_object_get(all, "group_subtasks"), name), metric);
        add_parts_mean(c, json_object_get(json_object_get(all, "means_of_parts"), name), metric);
        mem_free(n);
    }
}

static void add_groups(Columns *c, const json_t *all)
{
    const char *name;
    json_t *entry;
    json_object_foreach(json_object_get(all, "groups"), name, entry)
    {
        const json_t *members = json_object_get(json_object_get(all, "group_subtasks"), name);
        const char *first = json_string_value(json_array_get(members, 0));
        const char *metric =
            first ? json_string_value(json_object_get(json_object_get(all, "metrics"), first)) : NULL;
        char *row = mem_format("%s (%zu benchmarks)", name, json_array_size(members)),
             *n = mem_format("%lld", sample_len(entry));
        if (metric && keyed(entry, metric, ""))
            add_row(c, row, n, entry, metric);
        mem_free(row);
        mem_free(n);
    }
}

static void print_curves(FILE *out, const json_t *curves)
{
    Columns c = {.align = "lllllllllllll"};
    const char *name, *metric;
    json_t *of, *curve;
    json_object_foreach((json_t *)curves, name, of) json_object_foreach(of, metric, curve)
    {
        size_t n = json_array_size(curve);
        columns_add(&c, "%s", name);
        columns_add(&c, "%s by step", metric);
        for (size_t i = 0; i < n && i < 11; i++) {
            size_t at = n <= 11 || i < 10 ? i : n - 1; /* a long one: ten, and the end */
            columns_add(&c, "%zu: %.4f", at + 1, json_number_value(json_array_get(curve, at)));
        }
        columns_end_row(&c);
    }
    if (c.cells.n)
        fputc('\n', out);
    columns_print(&c, out);
    columns_drop(&c);
}

static void print_errors(FILE *out, const json_t *all)
{
    const char *name, *kind;
    json_t *of, *count;
    json_object_foreach(json_object_get(all, "errors"), name, of)
    {
        const char *between = ": ";
        if (!json_object_size(of))
            continue;
        fprintf(out, "\nscored nothing, %s", name);
        json_object_foreach(of, kind, count)
        {
            fprintf(out, "%s%lld %s", between, (long long)json_integer_value(count), kind);
            between = ", ";
        }
    }
}

static void print_costs(FILE *out, const json_t *all)
{
    static const char *const keys[] = {"prompt", "completion", "calls", "retries"};
    double sums[4] = {0}, seconds = 0;
    const char *name;
    json_t *of;
    json_object_foreach(json_object_get(all, "tokens"), name, of) for (size_t i = 0; i < 4; i++) sums[i] +=
        json_number_value(json_object_get(of, keys[i]));
    json_object_foreach(json_object_get(all, "seconds"), name, of) seconds +=
        json_number_value(json_object_get(of, "model"));
    char a[32], b[32], c[32];
    fprintf(out, "\n%s tokens of prompts, %s of answers, %.0f calls, %.0f retries; waited %s for the model\n",
            human_count(a, sums[0]), human_count(b, sums[1]), sums[2], sums[3], human_time(c, seconds));
}

void results_print(FILE *out, const json_t *results)
{
    Columns c = {.align = "lrlrrl"};
    static const char *const titles[] = {"benchmark", "n", "metric", "value", "stderr", "95 % interval"};
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        columns_add(&c, "%s", titles[i]);
    add_benchmarks(&c, results);
    add_groups(&c, results);
    columns_print(&c, out);
    columns_drop(&c);
    print_curves(out, json_object_get(results, "curves"));
    print_errors(out, results);
    print_costs(out, results);
    fflush(out); /* what is said on stderr comes behind it */
}
