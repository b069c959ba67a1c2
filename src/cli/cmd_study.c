/* lemur study: questions to finished runs. */
#include <stdio.h>
#include <string.h>

#include "base/columns.h"
#include "base/file.h"
#include "base/json_file.h"
#include "cli/cmd.h"
#include "cli/parts.h"
#include "cli/study_explore.h"
#include "cli/study_feedback.h"
#include "cli/study_harmony.h"
#include "cli/study_improve.h"
#include "cli/study_keep.h"
#include "study/errors.h"
#include "study/overlap_read.h"

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

static void add_share(Columns *c, const ErrorRun *run, int class)
{
    columns_add(c, "%lld (%.1f %%)", (long long)run->counts[class],
                100.0 * (double)run->counts[class] / (double)run->episodes.n);
}

/* Of two runs a class a row, with their test; of more a run a row. */
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
        for (size_t i = 0; i < 2; i++)
            add_share(&c, &runs[i], k);
        columns_add(&c, "%lld", (long long)p.first);
        columns_add(&c, "%lld", (long long)p.second);
        columns_add(&c, "%.3g", p.p);
        columns_end_row(&c);
    }
    columns_print(&c, stdout);
    columns_drop(&c);
}

static void print_errors(const ErrorRun *runs, size_t n)
{
    Columns c = {.align = "lrrrrrrrrr"};
    columns_add(&c, "run");
    for (int k = 0; k < ERROR_CLASSES; k++)
        columns_add(&c, "%s", error_class_names[k]);
    columns_end_row(&c);
    for (size_t i = 0; i < n; i++) {
        columns_add(&c, "%s", runs[i].folder);
        for (int k = 0; k < ERROR_CLASSES; k++)
            add_share(&c, &runs[i], k);
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
        print_errors(runs, n);
    json_decref(o);
    return st;
}

static Status errors(const Args *args, void *context)
{
    size_t n = args->positional_n, read = 0;
    ErrorRun *runs = mem_array(ErrorRun, n + 1);
    Status st = ST_OK;
    (void)context;
    for (; st == ST_OK && read < n; read++)
        st = errors_read(&runs[read], args->positional[read]);
    if (st == ST_OK)
        st = show_errors(runs, n, args_value(args, "output"), args_has(args, "json"));
    for (size_t i = 0; i < read; i++)
        errors_drop(&runs[i]);
    mem_free(runs);
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

/* overlap ------------------------------------------------------------------------------------------------ */

static const Flag overlap_flags[] = {
    {"train", 't', "PATH",
     "what was learned: a corpus, shards, a run of lemur tune, files, a folder; once or more"},
    {"output", 'o', "FOLDER", "where overlap.json goes, which lemur report shows"},
    {"json", 0, NULL, "print it"},
};

/* Every benchmark of a run, each a set of tasks. */
static Status add_tasks(Overlap *o, const char *folder)
{
    static const char begin[] = "samples_", end[] = ".jsonl";
    FolderList names;
    bool any = false;
    Status st = ST_OK;
    TRY(folder_list(&names, folder));
    for (size_t i = 0; i < names.n && st == ST_OK; i++) {
        size_t n = strlen(names.at[i]);
        if (!span_starts(span(names.at[i]), begin) || !span_ends(span(names.at[i]), end))
            continue;
        char *benchmark = mem_strn(names.at[i] + sizeof begin - 1, n - (sizeof begin - 1) - (sizeof end - 1));
        st = overlap_read_tasks(o, benchmark, folder, benchmark);
        mem_free(benchmark);
        any = true;
    }
    folder_list_drop(&names);
    return st != ST_OK || any
               ? st
               : fail(ST_ARG, "%s has no samples_*.jsonl, as `lemur eval` writes them", folder);
}

static void print_overlap(const json_t *overlap)
{
    Columns c = {.align = "lrrrrr"};
    static const char *const titles[] = {"tasks for testing", "tasks",    "found",
                                         "answers",           "13 words", "short"};
    static const char *const keys[] = {"tasks", "questions", "answers", "ngrams", "short"};
    const json_t *sets = json_object_get(overlap, "sets"), *found = json_object_get(overlap, "found");
    char bytes[32];
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        columns_add(&c, "%s", titles[i]);
    columns_end_row(&c);
    for (size_t i = 0; i < json_array_size(sets); i++) {
        const json_t *s = json_array_get(sets, i);
        columns_add(&c, "%s", json_string_value(json_object_get(s, "name")));
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            columns_add(&c, "%lld", (long long)json_integer_value(json_object_get(s, keys[k])));
        columns_end_row(&c);
    }
    columns_print(&c, stdout);
    columns_drop(&c);
    for (size_t i = 0; i < json_array_size(found); i++) {
        const json_t *f = json_array_get(found, i);
        printf("%s, task %s: %s\n    stands in %s\n", json_string_value(json_object_get(f, "set")),
               json_string_value(json_object_get(f, "task")),
               json_string_value(json_object_get(f, "question")),
               json_string_value(json_object_get(f, "place")));
    }
    printf("looked for in %lld texts, %s\n", (long long)json_integer_value(json_object_get(overlap, "texts")),
           human_bytes(bytes, json_number_value(json_object_get(overlap, "bytes"))));
}

static Status tell_overlap(const Args *args, const json_t *overlap)
{
    int64_t found = overlap_found(overlap);
    long long unread = json_integer_value(json_object_get(overlap, "unread"));
    if (args_has(args, "output")) {
        char *path = path_join(args_value(args, "output"), "overlap.json");
        Status st = folder_make(args_value(args, "output"));
        if (st == ST_OK)
            st = json_file_write(path, overlap);
        mem_free(path);
        TRY(st);
    }
    if (args_has(args, "json"))
        cmd_print_json(overlap, 6);
    else
        print_overlap(overlap);
    if (found)
        return fail(ST_FORMAT, "%lld tasks for testing stand in what was learned", (long long)found);
    return unread ? fail(ST_FORMAT,
                         "%lld files or records for training could not be read: what they hold is "
                         "not known",
                         unread)
                  : ST_OK;
}

static Status overlap(const Args *args, void *context)
{
    Overlap *o = overlap_new();
    OverlapReading reading = {0};
    Status st =
        args_has(args, "train") ? ST_OK : fail(ST_ARG, "what was learned is missing: give --train PATH");
    (void)context;
    for (size_t i = 0; st == ST_OK && i < args->positional_n; i++)
        st = add_tasks(o, args->positional[i]);
    for (size_t i = 0; st == ST_OK && i < args->given_n; i++)
        if (strcmp(args->given[i].flag->name, "train") == 0)
            st = overlap_read_texts(o, &reading, args->given[i].value, 0);
    if (st == ST_OK) {
        json_t *json = overlap_to_json(o, &reading);
        st = tell_overlap(args, json);
        json_decref(json);
    }
    overlap_free(o);
    return st;
}

static int run_overlap(int argc, char **argv)
{
    const Command c = {
        .usage = "RUN... --train PATH... [flags]",
        .words = "RUN...",
        .about =
            "Whether the tasks of runs of `lemur eval` stand in what a model learned: the whole question, "
            "whatever its\n"
            "capitals, spaces and punctuation; a short one where it stands by itself.  Beside that how many "
            "tasks\n"
            "have their right answer there, and 13 words in a row in common, as tasks of one template "
            "have.  Every\n"
            "text in JSON and JSON lines is searched, packed ones too; of shards and tuning sets their "
            "rows, as text.\n"
            "Fails where a question is found, or something cannot be read.\n"
            "example: lemur study overlap run/mini/tuned-words --train run/mini/corpus --train "
            "run/mini/tuned",
        COMMAND_FLAGS(overlap_flags),
    };
    return cmd_run(&c, argc, argv, overlap, NULL);
}

int cmd_study(int argc, char **argv)
{
    static const Part parts[] = {
        {"errors", "RUN...", "why episodes failed, class by class", run_errors, false},
        {"feedback", "RUN...", "what observations and a second model's words are worth", study_feedback,
         false},
        {"explore", "RUN...", "how agents look before they act", study_explore, false},
        {"harmony", "RUN...", "how much code, how much text", study_harmony, false},
        {"overlap", "RUN... --train PATH...", "whether tasks for testing were learned", run_overlap, false},
        {"keep", "RUN... -o FOLDER", "their successes, as examples to learn from", study_keep, false},
        {"improve", "-m MODEL -o FOLDER", "rounds of playing, keeping, tuning and testing", study_improve,
         false},
    };
    return parts_run(parts, sizeof parts / sizeof parts[0], argc, argv);
}
