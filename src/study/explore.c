#include "study/explore.h"

#include <math.h>
#include <string.h>

#include "base/columns.h"
#include "base/file.h"
#include "base/json_file.h"
#include "eval/stats.h"
#include "study/model_name.h"
#include "study/report_parts.h"
#include "study/transcripts.h"

enum { ROUNDS = 10000, SEED = 1 };

/* Runs. -------------------------------------------------------------------------------------------------- */

typedef struct {
    char *task;
    double of[EXPLORE_MEASURES];
} Episode;

/* One benchmark of one run. */
typedef struct {
    const char *folder;
    char *benchmark, *model;
    ExploreWorld world;
    int64_t budget, exact;
    Array(Episode) episodes;
} Group;

typedef struct {
    const ExploreSpec *spec;
    Array(Group) groups;
    size_t first; /* of the run that is read */
    const char *folder;
    json_t *results;
    Status st;
} Study;

/* Commands of a household are 50 where its benchmark counts answers instead. */
static int64_t budget_of(const json_t *config, const char *benchmark)
{
    enum { COMMANDS = 50 };
    if (strcmp(benchmark, "mint_alfworld") == 0)
        return COMMANDS;
    const json_t *of = json_object_get(json_object_get(config, "benchmarks"), benchmark);
    return report_whole(report_number(of, "facts.max_steps"));
}

static Group *group_of(Study *s, const char *benchmark)
{
    const json_t *config = json_object_get(s->results, "config");
    for (size_t i = s->first; i < s->groups.n; i++)
        if (strcmp(s->groups.at[i].benchmark, benchmark) == 0)
            return &s->groups.at[i];
    Group g = {.folder = s->folder,
               .benchmark = mem_str(benchmark),
               .model = model_name(config),
               .world = explore_world(benchmark),
               .budget = budget_of(config, benchmark)};
    array_push(&s->groups, g);
    return &s->groups.at[s->groups.n - 1];
}

static void take(void *context, const char *benchmark, json_t *line)
{
    Study *s = context;
    ExploreTrace t;
    if (explore_world(benchmark) == EXPLORE_NONE || s->st != ST_OK)
        return;
    Group *g = group_of(s, benchmark);
    s->st = explore_trace(&t, benchmark, line, s->spec->games);
    if (s->st == ST_OK) {
        Episode e = {.task = mem_str(t.task)};
        explore_measure(e.of, &t, g->budget);
        array_push(&g->episodes, e);
        g->exact += t.exact;
    }
    explore_trace_drop(&t);
}

static Status read_run(Study *s, const char *folder)
{
    char *path = path_join(folder, "results.json");
    s->folder = folder;
    s->first = s->groups.n;
    s->results = NULL;
    Status st = json_file_read(&s->results, path);
    if (st != ST_OK)
        st = fail_in(st, "%s is no finished run of `lemur eval`", folder);
    if (st == ST_OK)
        st = transcripts_read(folder, take, s);
    if (st == ST_OK && s->st != ST_OK)
        st = fail_in(s->st, "%s", folder);
    json_decref(s->results);
    mem_free(path);
    return st;
}

static void study_drop(Study *s)
{
    for (size_t i = 0; i < s->groups.n; i++) {
        Group *g = &s->groups.at[i];
        for (size_t k = 0; k < g->episodes.n; k++)
            mem_free(g->episodes.at[k].task);
        array_drop(&g->episodes);
        mem_free(g->benchmark);
        mem_free(g->model);
    }
    array_drop(&s->groups);
}

/* Numbers. ----------------------------------------------------------------------------------------------- */

typedef Array(double) Values;

static json_t *real_or_null(double x)
{
    return isnan(x) ? json_null() : json_real(x);
}

static bool is_share(int measure)
{
    return measure == EXPLORE_SUCCESS || measure == EXPLORE_UNUSED;
}

/* The mean of what is known, NULL where nothing is. */
static json_t *mean_json(const Values *v, int measure)
{
    if (!v->n)
        return NULL;
    double mean = stats_mean(v->at, (int64_t)v->n);
    Interval i = is_share(measure) ? stats_wilson((int64_t)lround(mean * (double)v->n), (int64_t)v->n)
                                   : stats_bootstrap(v->at, (int64_t)v->n, ROUNDS, SEED);
    return json_pack("{s:I, s:f, s:[f, f]}", "n", (json_int_t)v->n, "mean", mean, "ci95", i.low, i.high);
}

static json_t *group_json(const Group *g)
{
    json_t *measures = json_object(), *episodes = json_array();
    for (int k = 0; k < EXPLORE_MEASURES; k++) {
        Values v = {0};
        for (size_t i = 0; i < g->episodes.n; i++)
            if (!isnan(g->episodes.at[i].of[k]))
                array_push(&v, g->episodes.at[i].of[k]);
        json_t *mean = mean_json(&v, k);
        if (mean)
            json_object_set_new(measures, explore_measures[k].name, mean);
        array_drop(&v);
    }
    for (size_t i = 0; i < g->episodes.n; i++) {
        json_t *o = json_pack("{s:s}", "task", g->episodes.at[i].task);
        for (int k = 0; k < EXPLORE_MEASURES; k++)
            json_object_set_new(o, explore_measures[k].name, real_or_null(g->episodes.at[i].of[k]));
        json_array_append_new(episodes, o);
    }
    return json_pack("{s:o, s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "run", json_text(span(g->folder)),
                     "model", g->model, "benchmark", g->benchmark, "world", explore_world_names[g->world],
                     "n", (json_int_t)g->episodes.n, "exact", (json_int_t)g->exact, "budget",
                     (json_int_t)g->budget, "measures", measures, "episodes", episodes);
}

static const Episode *find_task(const Group *g, const char *task)
{
    for (size_t i = 0; i < g->episodes.n; i++)
        if (strcmp(g->episodes.at[i].task, task) == 0)
            return &g->episodes.at[i];
    return NULL;
}

static double test(const Values *d, int measure)
{
    int64_t more = 0, less = 0;
    for (size_t i = 0; i < d->n; i++) {
        more += d->at[i] > 0;
        less += d->at[i] < 0;
    }
    return is_share(measure) ? stats_mcnemar(less, more) : stats_flip(d->at, (int64_t)d->n, ROUNDS, SEED);
}

/* Second less first, over the tasks that have the measure in both. */
static json_t *difference_json(const Group *a, const Group *b, int measure)
{
    Values d = {0};
    json_t *o = NULL;
    for (size_t i = 0; i < a->episodes.n; i++) {
        const Episode *e = &a->episodes.at[i], *other = find_task(b, e->task);
        if (other && !isnan(e->of[measure]) && !isnan(other->of[measure]))
            array_push(&d, other->of[measure] - e->of[measure]);
    }
    if (d.n) {
        Interval i = stats_bootstrap(d.at, (int64_t)d.n, ROUNDS, SEED);
        o = json_pack("{s:I, s:f, s:[f, f], s:f}", "n", (json_int_t)d.n, "difference",
                      stats_mean(d.at, (int64_t)d.n), "ci95", i.low, i.high, "p", test(&d, measure));
    }
    array_drop(&d);
    return o;
}

/* Holm's correction over the measures. */
static void correct(json_t *measures)
{
    Values p = {0};
    const char *name;
    json_t *o;
    size_t at = 0;
    json_object_foreach(measures, name, o)
    {
        array_push(&p, report_number(o, "p"));
    }
    stats_holm(p.at, (int64_t)p.n);
    json_object_foreach(measures, name, o)
    {
        json_object_set_new(o, "p_holm", json_real(p.at[at++]));
    }
    array_drop(&p);
}

static json_t *pair_json(const Group *groups, size_t first, size_t second)
{
    json_t *measures = json_object();
    for (int k = 0; k < EXPLORE_MEASURES; k++) {
        json_t *o = difference_json(&groups[first], &groups[second], k);
        if (o)
            json_object_set_new(measures, explore_measures[k].name, o);
    }
    correct(measures);
    return json_pack("{s:I, s:I, s:o}", "first", (json_int_t)first, "second", (json_int_t)second, "measures",
                     measures);
}

static bool have_common(const Group *a, const Group *b)
{
    for (size_t i = 0; i < a->episodes.n; i++)
        if (find_task(b, a->episodes.at[i].task))
            return true;
    return false;
}

/* Each group with the first of its world. */
static json_t *pairs_json(const Study *s)
{
    json_t *pairs = json_array();
    for (size_t i = 0; i < s->groups.n; i++)
        for (size_t k = 0; k < i; k++)
            if (s->groups.at[k].world == s->groups.at[i].world) {
                if (have_common(&s->groups.at[k], &s->groups.at[i]))
                    json_array_append_new(pairs, pair_json(s->groups.at, k, i));
                break;
            }
    return pairs;
}

Status explore_study(json_t **out, const ExploreSpec *spec)
{
    Study s = {.spec = spec, .st = ST_OK};
    Status st = ST_OK;
    if (spec->games && !path_is_folder(spec->games))
        return fail(ST_IO, "there is no folder of games %s", spec->games);
    for (size_t i = 0; i < spec->runs_n && st == ST_OK; i++)
        st = read_run(&s, spec->runs[i]);
    if (st == ST_OK && !s.groups.n)
        st = fail(ST_ARG, "none of the runs has episodes of a world with a state: alfworld, alfworld_python, "
                          "mint_alfworld, ic_sql, ic_bash, ic_ctf");
    if (st == ST_OK) {
        json_t *groups = json_array(), *about = json_object();
        for (size_t i = 0; i < s.groups.n; i++)
            json_array_append_new(groups, group_json(&s.groups.at[i]));
        for (int k = 0; k < EXPLORE_MEASURES; k++)
            json_object_set_new(about, explore_measures[k].name, json_string(explore_measures[k].about));
        *out = json_pack("{s:s, s:i, s:s, s:o, s:o, s:o}", "format", "lemur study", "format_version", 1,
                         "study", "explore", "measures", about, "groups", groups, "pairs", pairs_json(&s));
    }
    study_drop(&s);
    return st;
}

/* Tables. ------------------------------------------------------------------------------------------------ */

static double end_of(const json_t *o, size_t i)
{
    return json_number_value(json_array_get(json_object_get(o, "ci95"), i));
}

static void print_group(FILE *out, const json_t *g)
{
    Columns c = {.align = "lrrrl"};
    int64_t n = report_whole(report_number(g, "n")), exact = report_whole(report_number(g, "exact"));
    fprintf(out, "%s of %s, %s: %lld episodes, %.0f actions each at most; states: %s\n",
            report_text(g, "benchmark"), report_text(g, "model"), report_text(g, "run"), (long long)n,
            report_number(g, "budget"),
            exact == n ? "the games' own"
            : exact    ? "the games' own, or by the texts"
                       : "by the texts");
    columns_add(&c, "measure");
    columns_add(&c, "n");
    columns_add(&c, "mean");
    columns_add(&c, "95 %%");
    columns_add(&c, "what it is");
    columns_end_row(&c);
    for (int k = 0; k < EXPLORE_MEASURES; k++) {
        const json_t *o = json_object_get(json_object_get(g, "measures"), explore_measures[k].name);
        if (!o)
            continue;
        columns_add(&c, "%s", explore_measures[k].name);
        columns_add(&c, "%.0f", report_number(o, "n"));
        columns_add(&c, "%.3f", report_number(o, "mean"));
        columns_add(&c, "%.3f to %.3f", end_of(o, 0), end_of(o, 1));
        columns_add(&c, "%s", explore_measures[k].about);
        columns_end_row(&c);
    }
    columns_print(&c, out);
    columns_drop(&c);
    fputc('\n', out);
}

static void print_pair(FILE *out, const json_t *study, const json_t *pair)
{
    Columns c = {.align = "lrrrrr"};
    const json_t *groups = json_object_get(study, "groups");
    const json_t *a = json_array_get(groups, (size_t)report_whole(report_number(pair, "first"))),
                 *b = json_array_get(groups, (size_t)report_whole(report_number(pair, "second")));
    fprintf(out, "%s of %s less %s of %s, task by task\n", report_text(b, "benchmark"), report_text(b, "run"),
            report_text(a, "benchmark"), report_text(a, "run"));
    columns_add(&c, "measure");
    columns_add(&c, "n");
    columns_add(&c, "difference");
    columns_add(&c, "95 %%");
    columns_add(&c, "p");
    columns_add(&c, "p, Holm");
    columns_end_row(&c);
    for (int k = 0; k < EXPLORE_MEASURES; k++) {
        const json_t *o = json_object_get(json_object_get(pair, "measures"), explore_measures[k].name);
        if (!o)
            continue;
        columns_add(&c, "%s", explore_measures[k].name);
        columns_add(&c, "%.0f", report_number(o, "n"));
        columns_add(&c, "%+.3f", report_number(o, "difference"));
        columns_add(&c, "%+.3f to %+.3f", end_of(o, 0), end_of(o, 1));
        columns_add(&c, "%.3g", report_number(o, "p"));
        columns_add(&c, "%.3g", report_number(o, "p_holm"));
        columns_end_row(&c);
    }
    columns_print(&c, out);
    columns_drop(&c);
    fputc('\n', out);
}

void explore_print(FILE *out, const json_t *study)
{
    const json_t *groups = json_object_get(study, "groups"), *pairs = json_object_get(study, "pairs");
    for (size_t i = 0; i < json_array_size(groups); i++)
        print_group(out, json_array_get(groups, i));
    for (size_t i = 0; i < json_array_size(pairs); i++)
        print_pair(out, study, json_array_get(pairs, i));
}
