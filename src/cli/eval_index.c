#include "cli/eval_index.h"

#include "base/file.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "corpus/stop.h"
#include "env/wikipedia_index.h"

static const Flag flags[] = {
    {"index", 0, "DUMP", "articles as JSONL, {\"title\",\"text\"} a line; .gz .zst .xz as well"},
    {"output", 'o', "FILE", "where the index goes"},
    {"bad-lines", 0, "N", "lines that are no article to pass over before it is refused (0)"},
    {"overwrite", 0, NULL, "replace FILE"},
    {"json", 0, NULL, "print what was built as JSON"},
};

static bool stopped(void *context)
{
    (void)context;
    return stop_asked();
}

static void print_built(const WikipediaBuilt *b, const char *file, bool as_json)
{
    char text[32], size[32], time[32];
    if (as_json) {
        json_t *all = json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:f}", "index", file, "articles",
                                (json_int_t)b->articles, "left_out", (json_int_t)b->left_out, "bad_lines",
                                (json_int_t)b->bad_lines, "text_bytes", (json_int_t)b->text_bytes,
                                "file_bytes", (json_int_t)b->file_bytes, "seconds", b->seconds);
        cmd_print_json(all, 6);
        json_decref(all);
        return;
    }
    printf("%s: %lld articles, %s of text in %s; %lld left out, %lld bad lines; %s, %.1f MB/s\n", file,
           (long long)b->articles, human_bytes(text, (double)b->text_bytes),
           human_bytes(size, (double)b->file_bytes), (long long)b->left_out, (long long)b->bad_lines,
           human_time(time, b->seconds), (double)b->text_bytes / 1e6 / b->seconds);
}

static Status run(const Args *args, void *context)
{
    (void)context;
    const char *dump = args_value(args, "index"), *file = args_value(args, "output");
    WikipediaBuild build = {.stopped = stopped};
    WikipediaBuilt built;
    if (!dump)
        return fail(ST_ARG, "say which articles: --index DUMP.jsonl");
    if (!file)
        return fail(ST_ARG, "say where the index goes: -o FILE");
    if (path_is_folder(file))
        return fail(ST_ARG, "%s is a folder; name a file", file);
    if (path_exists(file) && !args_has(args, "overwrite"))
        return fail(ST_ARG, "%s is there already; --overwrite replaces it", file);
    TRY(cmd_number(&build.bad_lines, args, "bad-lines", 0, INT64_MAX));
    stop_on_signals();
    TRY(wikipedia_index_build(&built, dump, file, &build));
    print_built(&built, file, args_has(args, "json"));
    return ST_OK;
}

int eval_index(int argc, char **argv)
{
    const Command c = {
        .usage = "--index DUMP -o FILE",
        .about = "Builds the index that wikipedia_search answers from without a network: from a dump of\n"
                 "an encyclopaedia, an article a line.",
        COMMAND_FLAGS(flags)};
    return cmd_run(&c, argc, argv, run, NULL);
}
