#include "study/gain.h"

#include <string.h>

#include "base/json_file.h"
#include "base/log.h"
#include "eval/stats.h"
#include "study/gain_inside.h"
#include "study/report_parts.h"

enum { ROUNDS = 10000, SEED = 1 };
const char *const gain_condition_names[GAIN_CONDITIONS] = {"neither", "language", "environment", "both"};

/* Each gain: what is without it, what is with it. */
static const struct {
    const char *of;
    GainCondition without, with;
} gains[] = {
    {"environment", GAIN_NEITHER, GAIN_ENVIRONMENT},
    {"environment, beside language", GAIN_LANGUAGE, GAIN_BOTH},
    {"language", GAIN_NEITHER, GAIN_LANGUAGE},
    {"language, beside environment", GAIN_ENVIRONMENT, GAIN_BOTH},
    {"both", GAIN_NEITHER, GAIN_BOTH},
};
enum { GAINS = sizeof gains / sizeof *gains };

/* Groups. ------------------------------------------------------------------------------------------------ */

typedef struct {
    const GainPart *of[GAIN_CONDITIONS]; /* NULL: there is no such run */
} Group;
typedef Array(Group) Groups;

static const GainPart *any_of(const Group *g)
{
    for (int c = 0; c < GAIN_CONDITIONS; c++)
        if (g->of[c])
            return g->of[c];
    return NULL;
}

static Group *group_of(Groups *groups, const GainPart *p)
{
    for (size_t i = 0; i < groups->n; i++) {
        const GainPart *q = any_of(&groups->at[i]);
        if (strcmp(q->model, p->model) == 0 && strcmp(q->benchmark, p->benchmark) == 0 &&
            strcmp(q->data, p->data) == 0)
            return &groups->at[i];
    }
    array_push(groups, (Group){0});
    return &groups->at[groups->n - 1];
}

/* Of two runs of one condition the one with more steps stands for it; of "neither" the one whose observations
 * were withheld before that of a single step. */
static Status add_part(Groups *groups, const GainPart *p)
{
    Group *g = group_of(groups, p);
    const GainPart **at = &g->of[p->condition];
    const GainPart *less = p;
    if (*at && (*at)->steps == p->steps && (*at)->blind == p->blind)
        return fail(ST_ARG, "%s and %s are both %s of %s with %lld steps, condition \"%s\": name one of them",
                    (*at)->folder, p->folder, p->benchmark, p->shown, (long long)p->steps,
                    gain_condition_names[p->condition]);
    if (!*at || p->steps > (*at)->steps || (p->steps == (*at)->steps && p->blind)) {
        less = *at;
        *at = p;
    }
    if (less)
        log_info("%s, %s: passed over, %s stands for \"%s\"", less->folder, less->benchmark, (*at)->folder,
                 gain_condition_names[p->condition]);
    return ST_OK;
}

static bool is_listed(const char *names, const char *name)
{
    for (Span item; list_next(&item, &names);)
        if (span_is(item, name))
            return true;
    return false;
}

static Status check_untuned(const char *names, const GainParts *parts)
{
    for (Span item; list_next(&item, &names);) {
        bool known = false;
        Array(const char *) all = {0};
        char *name = mem_strn(item.at, item.n);
        for (size_t i = 0; i < parts->n; i++) {
            array_push(&all, parts->at[i].benchmark);
            known = known || strcmp(parts->at[i].benchmark, name) == 0;
        }
        const char *near = known ? NULL : nearest_name(name, all.at, all.n);
        Status st = known ? ST_OK
                          : fail(ST_ARG, "--untuned: no run has the benchmark \"%s\"%s%s%s", name,
                                 near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
        mem_free(name);
        array_drop(&all);
        TRY(st);
    }
    return ST_OK;
}

/* Numbers. ----------------------------------------------------------------------------------------------- */

static int64_t next_turns(int64_t k)
{
    return k < 10 ? k + 1 : k + 10;
}

static bool solved_by(int64_t answer, int64_t turns)
{
    return answer > 0 && answer <= turns;
}

static int64_t most_steps(const Group *g)
{
    int64_t most = 1;
    for (int c = 0; c < GAIN_CONDITIONS; c++)
        if (g->of[c] && g->of[c]->steps > most)
            most = g->of[c]->steps;
    return most;
}

static json_t *interval_json(Interval i)
{
    return json_pack("[f, f]", i.low, i.high);
}

/* Over the groups at[0..n), which have the condition. */
static json_t *condition_json(const Group *const *at, size_t n, GainCondition c, int64_t most)
{
    int64_t tasks = 0, solved = 0;
    json_t *by = json_array(), *runs = json_array();
    for (size_t i = 0; i < n; i++) {
        const GainPart *p = at[i]->of[c];
        json_array_append_new(runs, json_text(span(p->folder)));
        tasks += map_count(p->solved);
        for (int64_t k = 0; k < map_count(p->solved); k++)
            solved += map_value_at(p->solved, k) > 0;
    }
    for (int64_t k = 1; k <= most; k = next_turns(k)) {
        int64_t hits = 0;
        for (size_t i = 0; i < n; i++)
            for (int64_t t = 0; t < map_count(at[i]->of[c]->solved); t++)
                hits += solved_by(map_value_at(at[i]->of[c]->solved, t), k);
        json_array_append_new(
            by, json_pack("{s:I, s:f}", "turns", (json_int_t)k, "success", (double)hits / (double)tasks));
    }
    const GainPart *p = at[0]->of[c];
    return json_pack("{s:o, s:I, s:b, s:I, s:f, s:o, s:o}", "runs", runs, "steps", (json_int_t)p->steps,
                     "observations_withheld", p->blind, "n", (json_int_t)tasks, "success",
                     (double)solved / (double)tasks, "ci95", interval_json(stats_wilson(solved, tasks)),
                     "by_turns", by);
}

typedef Array(double) Values;

/* Of each task that both have: solved within `turns` with the feedback, less the same without. */
static void add_differences(Values *out, const GainPart *without, const GainPart *with, int64_t turns)
{
    for (int64_t i = 0; i < map_count(without->solved); i++) {
        Span task = map_key_at(without->solved, i);
        const int64_t *other = map_find(with->solved, task.at, task.n);
        if (other)
            array_push(out, (double)solved_by(*other, turns) -
                                (double)solved_by(map_value_at(without->solved, i), turns));
    }
}

static void differences_of(Values *out, const Group *const *at, size_t n, int gain, int64_t turns)
{
    array_clear(out);
    for (size_t i = 0; i < n; i++)
        add_differences(out, at[i]->of[gains[gain].without], at[i]->of[gains[gain].with], turns);
}

static json_t *gain_json(const Group *const *at, size_t n, int gain, int64_t most)
{
    Values d = {0};
    int64_t gained = 0, lost = 0;
    json_t *by = json_array();
    differences_of(&d, at, n, gain, INT64_MAX);
    for (size_t i = 0; i < d.n; i++) {
        gained += d.at[i] > 0;
        lost += d.at[i] < 0;
    }
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:I, s:f, s:o, s:I, s:I, s:f}", "of", gains[gain].of, "without",
                  gain_condition_names[gains[gain].without], "with", gain_condition_names[gains[gain].with],
                  "n", (json_int_t)d.n, "gain", stats_mean(d.at, (int64_t)d.n), "ci95",
                  interval_json(stats_bootstrap(d.at, (int64_t)d.n, ROUNDS, SEED)), "gained",
                  (json_int_t)gained, "lost", (json_int_t)lost, "p", stats_mcnemar(gained, lost));
    for (int64_t k = 1; k <= most; k = next_turns(k)) {
        differences_of(&d, at, n, gain, k);
        json_array_append_new(
            by, json_pack("{s:I, s:f}", "turns", (json_int_t)k, "gain", stats_mean(d.at, (int64_t)d.n)));
    }
    json_object_set_new(o, "by_turns", by);
    array_drop(&d);
    return o;
}

static size_t conditions_n(const Group *g)
{
    size_t n = 0;
    for (int c = 0; c < GAIN_CONDITIONS; c++)
        n += g->of[c] != NULL;
    return n;
}

/* Of one group, or of several of one model together. */
static json_t *group_json(const char *task, const Group *const *at, size_t n)
{
    json_t *conditions = json_object(), *list = json_array();
    const Group **have = mem_array(const Group *, n + 1);
    int64_t most = 1;
    for (size_t i = 0; i < n; i++)
        most = most_steps(at[i]) > most ? most_steps(at[i]) : most;
    for (int c = 0; c < GAIN_CONDITIONS; c++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            if (at[i]->of[c])
                have[m++] = at[i];
        if (m)
            json_object_set_new(conditions, gain_condition_names[c],
                                condition_json(have, m, (GainCondition)c, most));
    }
    for (int k = 0; k < GAINS; k++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            if (at[i]->of[gains[k].without] && at[i]->of[gains[k].with])
                have[m++] = at[i];
        if (m)
            json_array_append_new(list, gain_json(have, m, k, most));
    }
    mem_free(have);
    return json_pack("{s:s, s:s, s:o, s:o}", "model", any_of(at[0])->shown, "task", task, "conditions",
                     conditions, "gains", list);
}

/* All groups of the model of groups->at[first], which is the first of it; alone: untuned ones. */
static void add_pooled(json_t *out, const Groups *groups, size_t first, const char *untuned, const char *name)
{
    const Group **at = mem_array(const Group *, groups->n + 1);
    size_t n = 0;
    for (size_t i = 0; i < groups->n; i++) {
        const GainPart *p = any_of(&groups->at[i]);
        if (strcmp(p->model, any_of(&groups->at[first])->model) == 0 &&
            (!untuned || is_listed(untuned, p->benchmark)))
            at[n++] = &groups->at[i];
    }
    if (n > 1)
        json_array_append_new(out, group_json(name, at, n));
    mem_free(at);
}

static bool is_first_of_model(const Groups *groups, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(any_of(&groups->at[k])->model, any_of(&groups->at[i])->model) == 0)
            return false;
    return true;
}

/* Holm's correction over the gains of single tasks. */
static void correct(json_t *groups)
{
    Values p = {0};
    for (int pass = 0; pass < 2; pass++) {
        size_t at = 0;
        for (size_t i = 0; i < json_array_size(groups); i++) {
            json_t *list = json_object_get(json_array_get(groups, i), "gains");
            for (size_t k = 0; k < json_array_size(list); k++, at++) {
                json_t *gain = json_array_get(list, k);
                if (pass == 0)
                    array_push(&p, report_number(gain, "p"));
                else
                    json_object_set_new(gain, "p_holm", json_real(p.at[at]));
            }
        }
        if (pass == 0)
            stats_holm(p.at, (int64_t)p.n);
    }
    array_drop(&p);
}

static json_t *study_json(const Groups *groups, const char *untuned)
{
    json_t *list = json_array(), *pooled = json_array();
    for (size_t i = 0; i < groups->n; i++) {
        const Group *g = &groups->at[i];
        json_t *o = group_json(any_of(g)->benchmark, &g, 1);
        if (untuned)
            json_object_set_new(o, "untuned", json_boolean(is_listed(untuned, any_of(g)->benchmark)));
        json_array_append_new(list, o);
        if (!is_first_of_model(groups, i))
            continue;
        add_pooled(pooled, groups, i, NULL, "all");
        if (untuned)
            add_pooled(pooled, groups, i, untuned, "all untuned");
    }
    correct(list);
    return json_pack("{s:s, s:i, s:s, s:o, s:o}", "format", "lemur study", "format_version", 1, "study",
                     "feedback", "groups", list, "pooled", pooled);
}

Status gain_study(json_t **out, const GainSpec *spec)
{
    const char *untuned = spec->untuned && *spec->untuned ? spec->untuned : NULL;
    GainParts parts = {0};
    Groups groups = {0};
    Status st = ST_OK;
    size_t compared = 0;
    for (size_t i = 0; i < spec->runs_n && st == ST_OK; i++)
        st = gain_read_folder(&parts, spec->runs[i]);
    if (st == ST_OK)
        st = check_untuned(untuned, &parts);
    for (size_t i = 0; i < parts.n && st == ST_OK; i++)
        st = add_part(&groups, &parts.at[i]);
    for (size_t i = 0; i < groups.n; i++)
        compared += conditions_n(&groups.at[i]) > 1;
    if (st == ST_OK && !compared)
        st = fail(ST_ARG,
                  "nothing to compare: no model has the same tasks in two conditions; run them also with "
                  "`lemur eval --no-observations`, --feedback-model");
    if (st == ST_OK)
        *out = study_json(&groups, untuned);
    array_drop(&groups);
    gain_parts_drop(&parts);
    return st;
}
