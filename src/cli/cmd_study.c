/* lemur study: questions to finished runs. */
#include <stdio.h>

#include "base/columns.h"
#include "base/file.h"
#include "base/json_file.h"
#include "cli/cmd.h"
#include "cli/parts.h"
#include "cli/study_improve.h"
#include "cli/study_keep.h"
#include "study/errors.h"

/* errors ------------------------------------------------------------------------------------------------- */

static const Flag errors_flags[] = {
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
    return json_pack("{s:s, s:I, s:o, s:o}", "run", run->folder, "n", (json_int_t)run->episodes.n, "counts",
                     counts, "episodes", episodes);
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

static void print_errors(const ErrorRun *runs, size_t n)
{
    Columns c = {.align = n == 2 ? "lrrrrr" : "lrrrrrrrrrrrrrrr"};
    columns_add(&c, "class");
    for (size_t i = 0; i < n; i++)
        columns_add(&c, "%s", runs[i].folder);
    if (n == 2) {
        columns_add(&c, "first alone");
        columns_add(&c, "second alone");
        columns_add(&c, "p");
    }
    columns_end_row(&c);
    for (int k = 0; k < ERROR_CLASSES; k++) {
        columns_add(&c, "%s", error_class_names[k]);
        for (size_t i = 0; i < n; i++)
            columns_add(&c, "%lld (%.1f %%)", (long long)runs[i].counts[k],
                        100.0 * (double)runs[i].counts[k] / (double)runs[i].episodes.n);
        if (n == 2) {
            ErrorPair p = errors_compare(&runs[0], &runs[1], (ErrorClass)k);
            columns_add(&c, "%lld", (long long)p.first);
            columns_add(&c, "%lld", (long long)p.second);
            columns_add(&c, "%.3g", p.p);
        }
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
    else if (st == ST_OK)
        print_errors(runs, n);
    json_decref(o);
    return st;
}

static Status errors(const Args *args, void *context)
{
    enum { RUNS_MOST = 12 };
    size_t n = args->positional_n, read = 0;
    ErrorRun runs[RUNS_MOST];
    Status st = n <= RUNS_MOST ? ST_OK : fail(ST_ARG, "at most %d runs", RUNS_MOST);
    (void)context;
    for (; st == ST_OK && read < n; read++)
        st = errors_read(&runs[read], args->positional[read]);
    if (st == ST_OK)
        st = show_errors(runs, n, args_value(args, "output"), args_has(args, "json"));
    for (size_t i = 0; i < read; i++)
        errors_drop(&runs[i]);
    return st;
}

static int run_errors(int argc, char **argv)
{
    const Command c = {
        .usage = "RUN... [flags]",
        .words = "RUN...",
        .about = "Why episodes failed: each of the transcripts of runs of `lemur eval` gets the first class "
                 "that fits: solved;\n"
                 "context (the messages filled it); budget (tokens, seconds); format (no answer held an "
                 "action); gave up\n"
                 "(said so, or never acted); tool error (the last action that ran failed); repetition (the "
                 "last three\n"
                 "actions were the same); wrong belief (acted well, answered wrong); steps.  Of two runs "
                 "each class is\n"
                 "compared task by task (McNemar's test).\n"
                 "example: lemur study errors run/mini/base-scores run/mini/tuned-scores",
        COMMAND_FLAGS(errors_flags),
    };
    return cmd_run(&c, argc, argv, errors, NULL);
}

int cmd_study(int argc, char **argv)
{
    static const Part parts[] = {
        {"errors", "RUN...", "why episodes failed, class by class", run_errors, false},
        {"keep", "RUN... -o FOLDER", "their successes, as examples to learn from", study_keep, false},
        {"improve", "-m MODEL -o FOLDER", "rounds of playing, keeping, tuning and testing", study_improve, false},
    };
    return parts_run(parts, sizeof parts / sizeof parts[0], argc, argv);
}
