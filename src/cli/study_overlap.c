#include "cli/study_overlap.h"

#include <stdio.h>
#include <string.h>

#include "base/columns.h"
#include "base/file.h"
#include "cli/cmd.h"
#include "cli/study_give.h"
#include "study/overlap_read.h"

static const Flag flags[] = {
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

static int64_t tasks_in(const json_t *overlap)
{
    const json_t *sets = json_object_get(overlap, "sets"), *set;
    int64_t n = 0;
    size_t i;
    json_array_foreach(sets, i, set) n += json_integer_value(json_object_get(set, "tasks"));
    return n;
}

static Status tell_overlap(const Args *args, const json_t *overlap)
{
    if (tasks_in(overlap) == 0)
        return fail(ST_ARG, "the runs' samples_*.jsonl hold no task to look for");
    int64_t found = overlap_found(overlap);
    long long unread = json_integer_value(json_object_get(overlap, "unread"));
    TRY(study_save(args, overlap, "overlap.json"));
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
    size_t place = 0;
    for (const char *path; st == ST_OK && (path = args_next(args, "train", &place));)
        st = overlap_read_texts(o, &reading, path, 0);
    if (st == ST_OK) {
        json_t *json = overlap_to_json(o, &reading);
        st = tell_overlap(args, json);
        json_decref(json);
    }
    overlap_free(o);
    return st;
}

int study_overlap(int argc, char **argv)
{
    const Command c = {
        .usage = "RUN... --train PATH... [flags]",
        .words = "RUN...",
        .about = "Whether the tasks of runs of `lemur eval` stand in what a model learned: the whole\n"
                 "question, whatever its capitals, spaces and punctuation; a short one where it stands\n"
                 "by itself.  Beside that how many tasks have their right answer there, and 13 words in\n"
                 "a row in common, as tasks of one template have.  Every text in JSON and JSON lines is\n"
                 "searched, packed ones too; of shards and tuning sets their rows, as text.  Fails where\n"
                 "a question is found, or something cannot be read.\n"
                 "example: lemur study overlap run/mini/scores.words.agent --train run/mini/agent",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, overlap, NULL);
}
