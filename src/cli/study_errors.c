#include "cli/study_errors.h"

#include <stdio.h>

#include "base/columns.h"
#include "base/file.h"
#include "base/json_file.h"
#include "cli/cmd.h"
#include "study/errors.h"

static const Flag flags[] = {
    {"json", 0, NULL, "print JSON, with each episode's class"},
    {"output", 'o', "FILE", "the JSON goes there as well"},
};

static json_t *run_json(const ErrorRun *run)
{
    json_t *counts = json_object(), *episodes = json_array();
    for (int k = 0; k < ERROR_CLASSES; k++)
        json_object_set_new(counts, error_class_names[k], json_integer(run->counts[k]));
    for (size_t i = 0; i < run->episodes.n; i++) {
        const ErrorEpisode *e = &run->episodes.at[i];
        json_array_append_new(episodes, json_pack("{s:s, s:s, s:s}", "benchmark", e->benchmark, "task",
                                                  e->task, "class", error_class_names[e->kind]));
    }
    return json_pack("{s:o, s:I, s:o, s:o}", "run", json_text(span(run->folder)), "n",
                     (json_int_t)run->episodes.n, "counts", counts, "episodes", episodes);
}

static json_t *pairs_json(const ErrorRun *runs)
{
    json_t *pairs = json_object();
    for (int k = 0; k < ERROR_CLASSES; k++) {
        ErrorPair p = errors_compare(&runs[0], &runs[1], (ErrorClass)k);
        json_object_set_new(pairs, error_class_names[k],
                            json_pack("{s:I, s:I, s:I, s:f}", "common", (json_int_t)p.common, "first_alone",
                                      (json_int_t)p.first, "second_alone", (json_int_t)p.second, "p", p.p));
    }
    return pairs;
}

static void add_count(Columns *c, const ErrorRun *run, int k)
{
    columns_add(c, "%lld (%.1f %%)", (long long)run->counts[k],
                100.0 * (double)run->counts[k] / (double)run->episodes.n);
}

/* Two runs, a row for each class. */
static void print_pair(const ErrorRun *runs)
{
    Columns c = {.align = "lrrrrr"};
    columns_add(&c, "class");
    columns_add(&c, "%s", runs[0].folder);
    columns_add(&c, "%s", runs[1].folder);
    columns_add(&c, "first alone");
    columns_add(&c, "second alone");
    columns_add(&c, "p");
    columns_end_row(&c);
    for (int k = 0; k < ERROR_CLASSES; k++) {
        ErrorPair p = errors_compare(&runs[0], &runs[1], (ErrorClass)k);
        columns_add(&c, "%s", error_class_names[k]);
        add_count(&c, &runs[0], k);
        add_count(&c, &runs[1], k);
        columns_add(&c, "%lld", (long long)p.first);
        columns_add(&c, "%lld", (long long)p.second);
        columns_add(&c, "%.3g", p.p);
        columns_end_row(&c);
    }
    columns_print(&c, stdout);
    columns_drop(&c);
}

/* Any number of runs, a row for each. */
static void print_runs(const ErrorRun *runs, size_t n)
{
    Columns c = {.align = "lrrrrrrrrr"};
    columns_add(&c, "run");
    for (int k = 0; k < ERROR_CLASSES; k++)
        columns_add(&c, "%s", error_class_names[k]);
    columns_end_row(&c);
    for (size_t i = 0; i < n; i++) {
        columns_add(&c, "%s", runs[i].folder);
        for (int k = 0; k < ERROR_CLASSES; k++)
            add_count(&c, &runs[i], k);
        columns_end_row(&c);
    }
    columns_print(&c, stdout);
    columns_drop(&c);
}

static json_t *errors_json(const ErrorRun *runs, size_t n)
{
    json_t *o = json_pack("{s:[]}", "runs");
    for (size_t i = 0; i < n; i++)
        json_array_append_new(json_object_get(o, "runs"), run_json(&runs[i]));
    if (n == 2)
        json_object_set_new(o, "pairs", pairs_json(runs));
    return o;
}

static Status show_errors(const ErrorRun *runs, size_t n, const char *path, bool as_json)
{
    json_t *o = path || as_json ? errors_json(runs, n) : NULL;
    Status st = path ? file_make_folder(path) : ST_OK;
    if (st == ST_OK && path)
        st = json_file_write(path, o);
    if (st == ST_OK && as_json)
        cmd_print_json(o, 6);
    else if (st == ST_OK && n == 2)
        print_pair(runs);
    else if (st == ST_OK)
        print_runs(runs, n);
    json_decref(o);
    return st;
}

static Status errors(const Args *args, void *context)
{
    Array(ErrorRun) runs = {0};
    Status st = ST_OK;
    (void)context;
    for (size_t i = 0; st == ST_OK && i < args->positional_n; i++) {
        array_push(&runs, (ErrorRun){0});
        st = errors_read(&runs.at[i], args->positional[i]);
    }
    if (st == ST_OK)
        st = show_errors(runs.at, runs.n, args_value(args, "output"), args_has(args, "json"));
    for (size_t i = 0; i < runs.n; i++)
        errors_drop(&runs.at[i]);
    array_drop(&runs);
    return st;
}

int study_errors(int argc, char **argv)
{
    const Command c = {
        .usage = "RUN... [flags]",
        .words = "RUN...",
        .about = "Why episodes failed: each of the transcripts of runs of `lemur eval` gets the first\n"
                 "class that fits: solved; context (the messages filled it); budget (tokens, seconds);\n"
                 "format (no answer held an action); gave up (said so, or never acted); tool error (the\n"
                 "last action that ran failed); repetition (the last three actions were the same); wrong\n"
                 "belief (acted well, answered wrong); steps.  Of two runs each class is compared task\n"
                 "by task (McNemar's test).\n"
                 "example: lemur study errors run/mini/scores.sql.base run/mini/scores.sql.agent",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, errors, NULL);
}
