/* lemur corpus build | show | sample | cat */
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "cli/cmd.h"
#include "corpus/corpus_build.h"
#include "corpus/corpus_reader.h"
#include "corpus/ledger.h"
#include "corpus/stop.h"

static int run_build(int argc, char **argv)
{
    static const Flag flags[] = {
        {"output", 'o', "FOLDER", "where the corpus goes"},
        {"threads", 't', "N", "processors to use (all)"},
        {"json", 0, NULL, "print the manifest instead of the ledger"},
    };
    const Command c = {
        .usage = "RECIPE.yaml -o FOLDER [flags]",
        .about =
            "Reads the sources of a recipe, cleans them, drops repetitions, holds a part out, and writes\n"
            "FOLDER/{train,held_out}/SOURCE.jsonl.zst and FOLDER/manifest.json, the ledger of all of it.",
        COMMAND_FLAGS(flags),
        .positional_min = 1,
        .positional_max = 1};
    Args args;
    int code;
    if (!cmd_parse(&c, &args, argc, argv, &code))
        return code;
    int threads;
    Status st = cmd_threads(&threads, &args, cpu_count());
    const char *folder = args_value(&args, "output");
    CorpusRecipe recipe = {0};
    json_t *manifest = NULL;
    if (st == ST_OK && !folder)
        st = fail(ST_ARG, "say where the corpus goes: -o FOLDER");
    if (st == ST_OK)
        st = cmd_output_folder(folder, "lemur-corpus");
    if (st == ST_OK)
        st = corpus_recipe_read(&recipe, args.positional[0]);
    stop_on_signals();
    if (st == ST_OK)
        st = corpus_build(&recipe, folder, threads, &manifest);
    if (st == ST_OK)
        cmd_print_manifest(manifest, args_has(&args, "json"), ledger_corpus_text);
    json_decref(manifest);
    corpus_recipe_drop(&recipe);
    args_drop(&args);
    return cmd_exit(st);
}

static int run_show(int argc, char **argv)
{
    static const Flag flags[] = {{"json", 0, NULL, "print the manifest itself"}};
    const Command c = {
        .usage = "FOLDER [--json]",
        .about = "Prints the ledger of a corpus: what was read, what was dropped and why, what is left.",
        COMMAND_FLAGS(flags),
        .positional_min = 1,
        .positional_max = 1};
    Args args;
    int code;
    if (!cmd_parse(&c, &args, argc, argv, &code))
        return code;
    json_t *manifest = NULL;
    Status st = corpus_manifest(&manifest, args.positional[0]);
    if (st == ST_OK)
        cmd_print_manifest(manifest, args_has(&args, "json"), ledger_corpus_text);
    json_decref(manifest);
    args_drop(&args);
    return cmd_exit(st);
}

static const Flag read_flags[] = {
    {"split", 0, "NAME", "train (default), held_out or rejected"},
    {"kind", 0, "KIND", "code or text (both)"},
    {"source", 0, "NAME", "one source (all)"},
    {"number", 'n', "N", "how many documents (3)"},
    {"seed", 0, "N", "which ones (1)"},
};
enum { READ_FLAGS_ALL = 3 }; /* those that `cat` takes, too */

typedef struct {
    Str text, id;
} Kept;

/* Keeps each document seen so far with the same chance (reservoir sampling, Vitter 1985, algorithm R). */
static Status sample(CorpusReader *r, Kept *kept, int64_t n, uint64_t seed)
{
    Rng rng;
    Document d;
    rng_seed(&rng, seed);
    for (int64_t seen = 0;; seen++) {
        TRY(corpus_reader_next(r, &d));
        if (!d.id.at)
            return ST_OK;
        int64_t at = seen < n ? seen : (int64_t)rng_below(&rng, (uint64_t)seen + 1);
        if (at >= n)
            continue;
        str_clear(&kept[at].text);
        str_clear(&kept[at].id);
        str_add(&kept[at].text, d.text.at, d.text.n);
        str_addf(&kept[at].id, "%s %.*s", corpus_reader_source(r), (int)d.id.n, d.id.at);
    }
}

static Status print_sample(CorpusReader *r, const Args *args)
{
    int64_t n = 3, seed = 1;
    if (args_value(args, "number"))
        TRY(parse_int(&n, args_value(args, "number")));
    if (args_value(args, "seed"))
        TRY(parse_int(&seed, args_value(args, "seed")));
    if (n < 1 || n > 10000)
        return fail(ST_ARG, "-n must be from 1 to 10000");
    Kept *kept = mem_array(Kept, n);
    Status st = sample(r, kept, n, (uint64_t)seed);
    for (int64_t i = 0; i < n; i++) {
        if (st == ST_OK && kept[i].id.n)
            printf("---- %s\n%s\n", str_c(&kept[i].id), str_c(&kept[i].text));
        str_drop(&kept[i].text);
        str_drop(&kept[i].id);
    }
    mem_free(kept);
    return st;
}

static Status print_all(CorpusReader *r)
{
    Document d;
    for (;;) {
        TRY(corpus_reader_next(r, &d));
        if (!d.id.at)
            return ST_OK;
        if (fwrite(d.text.at, 1, d.text.n, stdout) != d.text.n)
            return fail_errno(ST_IO, "cannot write the text");
    }
}

static int run_read(int argc, char **argv)
{
    bool all = strcmp(argv[0], "corpus cat") == 0;
    const Command c = {.usage = "FOLDER [flags]",
                       .about = all ? "Writes the texts of a corpus to stdout, one behind the other."
                                    : "Prints a few documents of a corpus, drawn by seed.",
                       .flags = read_flags,
                       .flags_n = all ? READ_FLAGS_ALL : sizeof read_flags / sizeof read_flags[0],
                       .positional_min = 1,
                       .positional_max = 1};
    Args args;
    int code;
    if (!cmd_parse(&c, &args, argc, argv, &code))
        return code;
    CorpusReader *r = NULL;
    CorpusQuery q = {args_value(&args, "split"), args_value(&args, "kind"), args_value(&args, "source")};
    Status st = corpus_reader_open(&r, args.positional[0], &q);
    if (st == ST_OK)
        st = all ? print_all(r) : print_sample(r, &args);
    corpus_reader_close(r);
    args_drop(&args);
    return cmd_exit(st);
}

int cmd_corpus(int argc, char **argv)
{
    static char names[4][16] = {"corpus build", "corpus show", "corpus sample", "corpus cat"};
    static int (*const run[4])(int, char **) = {run_build, run_show, run_read, run_read};
    static const char *const words[] = {"build", "show", "sample", "cat"};
    const char *word = argc > 1 ? argv[1] : "";
    for (int i = 0; i < 4; i++)
        if (strcmp(word, words[i]) == 0) {
            argv[1] = names[i];
            return run[i](argc - 1, argv + 1);
        }
    bool help = strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
    if (!help)
        cmd_unknown_part("corpus", word, words, 4);
    fputs("usage: lemur corpus build RECIPE.yaml -o FOLDER   documents of a recipe's sources, cleaned\n"
          "       lemur corpus show FOLDER                  its ledger\n"
          "       lemur corpus sample FOLDER                a few of its documents\n"
          "       lemur corpus cat FOLDER                   all their text\n",
          help ? stdout : stderr);
    return help ? EXIT_DONE : EXIT_USAGE;
}
