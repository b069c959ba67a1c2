#include "cli/study_feedback.h"

#include "cli/cmd.h"
#include "cli/study_give.h"
#include "study/gain.h"

static const Flag feedback_flags[] = {
    {"untuned", 0, "NAMES",
     "benchmarks, with commas between, that the models were never tuned on: marked, and pooled"},
    {"output", 'o', "FOLDER", "gets study.json"},
    {"json", 0, NULL, "print study.json instead of tables"},
};

static Status feedback(const Args *args, void *context)
{
    json_t *study = NULL;
    GainSpec spec = {args->positional, args->positional_n, args_value(args, "untuned")};
    (void)context;
    TRY(gain_study(&study, &spec));
    return study_give(args, study, gain_print);
}

int study_feedback(int argc, char **argv)
{
    const Command c = {
        .usage = "RUN... [flags]",
        .words = "RUN...",
        .about = "What feedback is worth: runs of `lemur eval` of the same model and tasks, with\n"
                 "observations, with a second model's words, with both and with neither; success in\n"
                 "each, and what each kind of feedback gains, task by task, by family of tasks and\n"
                 "number of turns.  Which of the four a run is, its settings tell.\n"
                 "example: lemur eval -m MODEL --tasks mint --no-observations -o neither\n"
                 "         lemur eval -m MODEL --tasks mint -o observations\n"
                 "         lemur study feedback neither observations --untuned mint_mmlu",
        COMMAND_FLAGS(feedback_flags),
    };
    return cmd_run(&c, argc, argv, feedback, NULL);
}
