/* lemur report: runs on one page. */
#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "study/report.h"

static const Flag flags[] = {
    {"output", 'o', "FILE", "the page; report.html in the first folder where it is not given"},
};

static Status run(const Args *args, void *context)
{
    Report r = {0};
    Str page = {0};
    Status st = ST_OK;
    (void)context;
    for (size_t i = 0; st == ST_OK && i < args->positional_n; i++)
        st = report_add(&r, args->positional[i]);
    char *otherwise = path_join(args->positional[0], "report.html");
    const char *out = args_has(args, "output") ? args_value(args, "output") : otherwise;
    if (st == ST_OK)
        st = file_make_folder(out);
    if (st == ST_OK) {
        report_write(&page, &r);
        st = file_replace(out, page.at, page.n);
    }
    char size[32];
    if (st == ST_OK)
        log_info("%s: %s", out, human_bytes(size, (double)page.n));
    mem_free(otherwise);
    str_drop(&page);
    report_drop(&r);
    return st;
}

int cmd_report(int argc, char **argv)
{
    const Command c = {
        .usage = "FOLDER... [flags]",
        .words = "FOLDER...",
        .about = "One HTML page, without anything from outside, on runs of `lemur run` or on single corpora, "
                 "shards, trainings\n"
                 "and scores: ledgers, loss curves, scores with intervals and the paper's beside them, "
                 "success against\n"
                 "steps, episodes to unfold, the recipe.  Of several folders it compares what is of a kind.\n"
                 "example: lemur report run/mini",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, run, NULL);
}
