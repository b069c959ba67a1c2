#include "cli/study_harmony.h"

#include <stdio.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "cli/study_give.h"
#include "study/harmony.h"

static const Flag flags[] = {
    {"output", 'o', "FOLDER", "study.json and study.md go there"},
    {"weights", 0, "TEXT",
     "what \"best\" counts: code, text, episodes, agent and families' names with their "
     "weights (code=1,text=1,agent=1)"},
    {"json", 0, NULL, "print study.json instead of the table"},
};

static Status write_markdown(const char *folder, const Harmony *h)
{
    Str words = {0};
    char *path = path_join(folder, "study.md");
    harmony_markdown(&words, h);
    Status st = file_replace(path, words.at, words.n);
    mem_free(path);
    str_drop(&words);
    return st;
}

static Status show(const Args *args, const Harmony *h)
{
    Str text = {0};
    json_t *json = harmony_json(h);
    Status st = study_save(args, json, "study.json");
    if (st == ST_OK && args_has(args, "output"))
        st = write_markdown(args_value(args, "output"), h);
    harmony_text(&text, h);
    if (st == ST_OK && args_has(args, "json"))
        cmd_print_json(json, 6);
    else if (st == ST_OK)
        fputs(str_c(&text), stdout);
    json_decref(json);
    str_drop(&text);
    return st;
}

static Status run(const Args *args, void *context)
{
    Harmony h;
    (void)context;
    if (args_has(args, "output"))
        TRY(cmd_folder_possible(args_value(args, "output")));
    Status st = harmony_read(&h, args->positional, args->positional_n);
    if (st == ST_OK)
        st = harmony_weigh(&h, args_value(args, "weights"));
    if (st == ST_OK) {
        harmony_solve(&h);
        st = show(args, &h);
    }
    harmony_drop(&h);
    return st;
}

int study_harmony(int argc, char **argv)
{
    const Command c = {
        .usage = "RUN... [flags]",
        .words = "RUN...",
        .about = "How much code, how much text?  Of models trained on different mixtures, several seeds\n"
                 "each, and tuned alike: losses on held-out code and text, scores of each family of\n"
                 "tasks, with intervals; the Pareto front, and the mixture that is best for stated\n"
                 "weights.  RUN is a run of `lemur run recipes/harmony.yaml`, or the folders of packed\n"
                 "rows, trainings and scores that belong together.\n"
                 "example: lemur study harmony run/harmony --weights code=2,text=1,agent=2",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, run, NULL);
}
