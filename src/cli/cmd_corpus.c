/* lemur corpus build | show | sample | cat */
#include <unistd.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "cli/cmd.h"
#include "cli/parts.h"
#include "cli/show.h"
#include "corpus/corpus_build.h"
#include "corpus/corpus_reader.h"
#include "corpus/ledger.h"
#include "corpus/stop.h"

static Status build(const Args *args, void *context)
{
    (void)context;
    const char *folder = args_value(args, "output");
    int threads;
    CorpusRecipe recipe = {0};
    json_t *manifest = NULL;
    TRY(cmd_threads(&threads, args, cpu_count()));
    if (!folder)
        return fail(ST_ARG, "say where the corpus goes: -o FOLDER");
    TRY(cmd_output_folder(folder, "lemur-corpus"));
    Status st = corpus_recipe_read(&recipe, args->positional[0]);
    stop_on_signals();
    if (st == ST_OK)
        st = corpus_build(&recipe, folder, threads, &manifest);
    if (st == ST_OK)
        cmd_print_manifest(manifest, args_has(args, "json"), ledger_corpus_text);
    json_decref(manifest);
    corpus_recipe_drop(&recipe);
    return st;
}

static int run_build(int argc, char **argv)
{
    static const Flag flags[] = {
        {"output", 'o', "FOLDER", "where the corpus goes"},
        {"threads", 't', "N", "processors to use (0: all)"},
        {"json", 0, NULL, "print the manifest instead of the ledger"},
    };
    const Command c = {
        .usage = "RECIPE.yaml -o FOLDER [flags]",
        .words = "RECIPE.yaml",
        .about = "Reads the sources of a recipe, cleans them, drops repetitions, holds a part out, and\n"
                 "writes FOLDER/{train,held_out}/SOURCE.jsonl.zst and FOLDER/manifest.json, the ledger of\n"
                 "all of it.\n"
                 "example: lemur corpus build recipes/machine.yaml -o corpus",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, build, NULL);
}

static Status show(const Args *args, void *context)
{
    (void)context;
    json_t *manifest;
    TRY(corpus_manifest(&manifest, args->positional[0]));
    cmd_print_manifest(manifest, args_has(args, "json"), ledger_corpus_text);
    json_decref(manifest);
    return ST_OK;
}

static int run_show(int argc, char **argv)
{
    static const Flag flags[] = {{"json", 0, NULL, "print the manifest itself"}};
    const Command c = {
        .usage = "FOLDER [--json]",
        .words = "FOLDER",
        .about = "Prints the ledger of a corpus: what was read, what was dropped and why, what is left.\n"
                 "example: lemur corpus show corpus",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, show, NULL);
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
    bool guard = isatty(STDOUT_FILENO) == 1;
    TRY(cmd_number(&n, args, "number", 1, 10000));
    TRY(cmd_number(&seed, args, "seed", 0, INT64_MAX));
    Kept *kept = mem_array(Kept, n);
    Status st = sample(r, kept, n, (uint64_t)seed);
    for (int64_t i = 0; i < n; i++) {
        if (st == ST_OK && kept[i].id.n) {
            printf("---- ");
            show_text(stdout, str_span(&kept[i].id), guard);
            printf("\n");
            show_text(stdout, str_span(&kept[i].text), guard);
            printf("\n");
        }
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

/* `context` says whether all of it. */
static Status read_texts(const Args *args, void *context)
{
    const bool *all = context;
    CorpusReader *r;
    CorpusQuery q = {args_value(args, "split"), args_value(args, "kind"), args_value(args, "source")};
    TRY(corpus_reader_open(&r, args->positional[0], &q));
    Status st = *all ? print_all(r) : print_sample(r, args);
    corpus_reader_close(r);
    return st;
}

static int run_read(int argc, char **argv, bool all, const char *about)
{
    const Command c = {.usage = "FOLDER [flags]",
                       .words = "FOLDER",
                       .about = about,
                       .flags = read_flags,
                       .flags_n = all ? READ_FLAGS_ALL : sizeof read_flags / sizeof read_flags[0]};
    return cmd_run(&c, argc, argv, read_texts, &all);
}

static int run_sample(int argc, char **argv)
{
    return run_read(argc, argv, false, "Prints a few documents of a corpus, drawn by seed.\n"
                    "example: lemur corpus sample corpus --kind code -n 5");
}

static int run_cat(int argc, char **argv)
{
    return run_read(argc, argv, true, "Writes the texts of a corpus to stdout, one behind the other.\n"
                    "example: lemur corpus cat corpus --split held_out --kind text | wc -c");
}

int cmd_corpus(int argc, char **argv)
{
    static const Part parts[] = {
        {"build", "RECIPE.yaml -o FOLDER", "documents of a recipe's sources, cleaned", run_build, false},
        {"show", "FOLDER", "its ledger", run_show, false},
        {"sample", "FOLDER", "a few of its documents", run_sample, false},
        {"cat", "FOLDER", "all their text", run_cat, false},
    };
    return parts_run(parts, sizeof parts / sizeof parts[0], argc, argv);
}
