#include "cli/study_explore.h"

#include "cli/cmd.h"
#include "cli/study_give.h"
#include "study/explore.h"

static const Flag explore_flags[] = {
    {"games", 0, "FOLDER", "the household's games, played again for their true states; else by the texts"},
    {"output", 'o', "FOLDER", "gets study.json"},
    {"json", 0, NULL, "print study.json instead of tables"},
};

static Status explore(const Args *args, void *context)
{
    json_t *study = NULL;
    ExploreSpec spec = {args->positional, args->positional_n, args_value(args, "games")};
    (void)context;
    TRY(explore_study(&study, &spec));
    return study_give(args, study, explore_print);
}

int study_explore(int argc, char **argv)
{
    const Command c = {
        .usage = "RUN... [flags]",
        .words = "RUN...",
        .about = "How agents look before they act, in worlds with a state (alfworld, alfworld_python,\n"
                 "mint_alfworld, ic_sql, ic_bash, ic_ctf): what is repeated, looked at too long or too\n"
                 "little, seen and left unused.  Each run is held against the first of its world, task\n"
                 "by task, such as Python against commands.\n"
                 "example: lemur eval -m MODEL --tasks alfworld,alfworld_python --data data -o houses\n"
                 "         lemur study explore houses --games data/mint/alfworld/games",
        COMMAND_FLAGS(explore_flags),
    };
    return cmd_run(&c, argc, argv, explore, NULL);
}
