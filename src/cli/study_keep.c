#include "cli/study_keep.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "cli/cmd.h"
#include "study/keep.h"

static const Flag flags[] = {
    {"output", 'o', "FOLDER", "where kept.jsonl and keep.json go"},
    {"apart", 0, "RUN", "leave out tasks that this run was asked; may be given more than once"},
    {"most", 0, "N", "episodes of one task, at most (2)"},
    {"json", 0, NULL, "print the counts as JSON"},
};

static void print(const KeepCounts *c, const char *folder, bool as_json)
{
    if (as_json) {
        json_t *o = keep_json(c);
        cmd_print_json(o, 0);
        json_decref(o);
        return;
    }
    printf("%s: %lld episodes kept of %lld successes in %lld episodes; %lld of %lld tasks were solved\n",
           folder, (long long)c->kept, (long long)c->successes, (long long)c->episodes, (long long)c->solved,
           (long long)c->tasks);
    printf("left out: %lld doubles, %lld above the most of a task, %lld of tasks that are kept apart, %lld "
           "unfit\n",
           (long long)c->doubles, (long long)c->surplus, (long long)c->apart, (long long)c->unfit);
    printf("an error is repaired in %lld of them; %lld wrong turns are read and not learned\n",
           (long long)c->repaired, (long long)c->muted);
}

static Status run(const Args *args, void *context)
{
    Array(const char *) apart = {0};
    KeepCounts counts;
    KeepSpec spec = {.runs = args->positional,
                     .runs_n = args->positional_n,
                     .most = 2,
                     .folder = args_value(args, "output")};
    (void)context;
    if (!spec.folder)
        return fail(ST_ARG, "where to?  -o FOLDER");
    TRY(cmd_number(&spec.most, args, "most", 1, 1000000));
    TRY(cmd_folder_possible(spec.folder));
    size_t place = 0;
    for (const char *other; (other = args_next(args, "apart", &place));)
        array_push(&apart, other);
    spec.apart = apart.at;
    spec.apart_n = apart.n;
    Status st = keep_successes(&counts, &spec);
    array_drop(&apart);
    if (st == ST_OK)
        print(&counts, spec.folder, args_has(args, "json"));
    return st;
}

int study_keep(int argc, char **argv)
{
    const Command c = {
        .usage = "RUN... -o FOLDER [flags]",
        .words = "RUN...",
        .about = "Episodes of runs of `lemur eval` that their world called a success, as examples for\n"
                 "lemur tune: each once by its actions, a few of a task, those first in which an error\n"
                 "was repaired.  Wrong turns that were repaired are read and not learned.\n"
                 "example: lemur study keep run/a run/b --apart run/test -o kept\n"
                 "         lemur tune -m MODEL -d kept/kept.jsonl -o RUN",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, run, NULL);
}
