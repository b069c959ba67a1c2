/* lemur report: runs on one page. */
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cmd.h"
#include "study/report.h"

static const Flag flags[] = {
    {"output", 'o', "PATH",
     "a page, NAME.html, or a folder for report.html and report.json; the first FOLDER"},
    {"check", 0, NULL, "fail where scores do not follow from transcripts, or a task for testing was learned"},
};

static Status write_file(const char *path, const Str *page)
{
    char size[32];
    TRY(file_make_folder(path));
    TRY(file_replace(path, page->at, page->n));
    log_info("%s: %s", path, human_bytes(size, (double)page->n));
    return ST_OK;
}

/* The page, and what it found for programs. */
static Status write_folder(const char *folder, const Str *page, const json_t *summary)
{
    char *html = path_join(folder, "report.html"), *json = path_join(folder, "report.json");
    Status st = folder_make(folder);
    if (st == ST_OK && summary)
        st = json_file_write(json, summary);
    if (st == ST_OK)
        st = write_file(html, page);
    mem_free(html);
    mem_free(json);
    return st;
}

/* FOLDER of NAME=FOLDER where a page is not told its place. */
static const char *first_folder(const Args *args)
{
    const char *equals = strchr(args->positional[0], '=');
    return equals && !path_exists(args->positional[0]) ? equals + 1 : args->positional[0];
}

static Status run(const Args *args, void *context)
{
    Report r = {0};
    Str page = {0};
    Status st = ST_OK;
    const char *out = args_has(args, "output") ? args_value(args, "output") : first_folder(args);
    (void)context;
    for (size_t i = 0; st == ST_OK && i < args->positional_n; i++)
        st = report_add(&r, args->positional[i]);
    if (st == ST_OK) {
        report_write(&page, &r);
        st = span_ends(span(out), ".html") ? write_file(out, &page) : write_folder(out, &page, r.summary);
    }
    if (st == ST_OK && r.wrong && args_has(args, "check"))
        st = fail(ST_FORMAT, "%lld of the page's checks failed", (long long)r.wrong);
    str_drop(&page);
    report_drop(&r);
    return st;
}

int cmd_report(int argc, char **argv)
{
    const Command c = {
        .usage = "[NAME=]FOLDER... [flags]",
        .words = "FOLDER...",
        .about = "One HTML page, without anything from outside, on runs of `lemur run` or on single corpora, shards,\n"
                 "trainings and scores: ledgers, loss curves, bits per byte beside xz, scores with intervals and\n"
                 "the paper's beside them, models against each other, success against steps, what feedback\n"
                 "gains, what is learned and episodes to unfold, the recipe.  Of several folders it compares\n"
                 "what is of a kind.  Scores are computed once more from the transcripts, and tasks for testing\n"
                 "are looked for in what was learned; --check fails where that finds anything.  NAME is what the\n"
                 "page calls the folder.  report.json has scores and checks, without times.\n"
                 "example: lemur report run/mini\n"
                 "example: lemur report first=run/a/scores.words.agent second=run/b/scores.words.agent -o both.html",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, run, NULL);
}
