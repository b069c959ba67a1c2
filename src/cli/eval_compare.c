#include "cli/eval_compare.h"

#include "cli/cmd.h"
#include "eval/compare.h"

static Status run(const Args *args, void *context)
{
    json_t *comparison;
    (void)context;
    TRY(compare_runs(&comparison, args->positional[0], args->positional[1], args_value(args, "metric"),
                     args_has(args, "parts")));
    if (args_has(args, "json"))
        cmd_print_json(comparison, 0);
    else
        compare_print(stdout, comparison);
    json_decref(comparison);
    return ST_OK;
}

int eval_compare(int argc, char **argv)
{
    static const Flag flags[] = {
        {"compare", 0, NULL, "compare two runs"},
        {"metric", 0, "NAME",
         "compare this one, as the run's table has it, and not each benchmark's main one"},
        {"parts", 0, NULL, "by part as well (subjects, kinds of question)"},
        {"json", 'j', NULL, "one JSON object, for programs"}};
    const Command c = {
        .usage = "--compare A B [--metric NAME] [--parts] [--json]",
        .words = "A B",
        .about =
            "Compares two runs, each a folder that lemur eval wrote with -o, question by question: both\n"
            "scores, their difference with a 95 % bootstrap interval, and a paired test (McNemar's for\n"
            "right and wrong, flipped signs for other scores; Holm's correction over benchmarks).\n"
            "Questions that one run alone answered are left out and counted; prompts, data and settings\n"
            "that differ are told.\n"
            "example: lemur eval --compare run/base run/tuned",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, run, NULL);
}
