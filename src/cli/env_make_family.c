#include "cli/env_make_family.h"

#include <stdio.h>

#include "base/array.h"
#include "base/file.h"
#include "cli/cmd.h"
#include "env/family.h"

typedef struct {
    int64_t train, test, seed, draw;
    bool json;
} Job;

static const Field fields[] = {
    F_INT(Job, train, 3000, 1, 1e6, "tasks for training, which the expert solves"),
    F_INT(Job, test, 60, 1, 1e6, "tasks for testing: none of them is among those for training"),
    F_INT(Job, seed, 1, 0, 1e18, "of chance"),
    F_INT(Job, draw, 0, 0, 1e9,
          "which of many draws of tasks for training; those for testing are the same in all"),
    F_BOOL(Job, json, false, "print the result as JSON"),
};
static const FieldTable table = FIELD_TABLE(fields);
static const Flag flags[] = {{"output", 'o', "FOLDER", "where they go"}};

static Status named(const Family **out, const char *name)
{
    Array(const char *) names = {0};
    *out = family_find(name);
    for (size_t i = 0; families[i]; i++)
        array_push(&names, families[i]->name);
    const char *near = nearest_name(name, names.at, names.n);
    Str all = {0};
    for (size_t i = 0; i < names.n; i++)
        str_addf(&all, "%s%s", i ? ", " : "", names.at[i]);
    Status st = *out ? ST_OK
                     : fail(ST_ARG, "there is no family '%.100s'%s%s%s; there are: %s", name,
                            near ? " (did you mean " : "", near ? near : "", near ? "?)" : "", str_c(&all));
    str_drop(&all);
    array_drop(&names);
    return st;
}

static void print(const Family *f, const FamilyCounts *n, const char *folder, bool as_json)
{
    if (as_json) {
        json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "family", f->name, "benchmark", f->benchmark,
                              "train", (json_int_t)n->train, "test", (json_int_t)n->test, "slips",
                              (json_int_t)n->slips, "refused", (json_int_t)n->refused);
        cmd_print_json(o, 0);
        json_decref(o);
        return;
    }
    printf("%s: %lld tasks for training, %lld others for testing; in %lld episodes the expert errs first\n",
           f->name, (long long)n->train, (long long)n->test, (long long)n->slips);
    printf("its episodes: lemur eval -m script:%s/expert.jsonl --tasks %s --data %s/train -o %s/expert\n",
           folder, f->benchmark, folder, folder);
    if (folder_holds(folder, "hints.jsonl"))
        printf("with hints:   lemur eval -m script:%s/expert_hinted.jsonl --feedback-model hints:%s/hints.jsonl --tasks "
               "%s --data %s/train -o %s/hinted\n",
               folder, folder, f->benchmark, folder, folder);
}

static Status run(const Args *args, void *context)
{
    const Job *job = context;
    const char *folder = args_value(args, "output");
    const Family *family;
    FamilyCounts counts;
    if (!folder)
        return fail(ST_ARG, "where to?  -o FOLDER");
    TRY(named(&family, args->positional[0]));
    TRY(cmd_folder_possible(folder));
    FamilySpec spec = {folder, job->train, job->test, (uint64_t)job->seed, (uint64_t)job->draw};
    TRY(family_make(&counts, family, &spec));
    print(family, &counts, folder, job->json);
    return ST_OK;
}

int env_make_family(int argc, char **argv)
{
    Job job = {0};
    const ArgsTable tables[] = {{&table, &job}};
    Str about = {0};
    str_adds(&about,
             "Draws tasks of a family from a seed, for training and others for testing, with what an expert\n"
             "answers to each; FOLDER/train and FOLDER/test are what lemur eval --data reads.  Families:\n");
    for (size_t i = 0; families[i]; i++)
        str_addf(&about, "  %-10s%s (--tasks %s)\n", families[i]->name, families[i]->about,
                 families[i]->benchmark);
    str_adds(&about, "example: lemur env make words -o words --train 3000 --test 60 --seed 1");
    const Command c = {.usage = "FAMILY -o FOLDER [flags]",
                       .words = "FAMILY",
                       .about = str_c(&about),
                       COMMAND_FLAGS(flags),
                       COMMAND_TABLES(tables)};
    int code = cmd_run(&c, argc, argv, run, &job);
    str_drop(&about);
    return code;
}
