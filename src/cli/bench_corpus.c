/* lemur bench corpus: megabytes of input a second and core, for building a corpus and for packing it. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/bench.h"
#include "cli/cmd.h"
#include "corpus/corpus_build.h"
#include "corpus/corpus_reader.h"
#include "corpus/pack.h"
#include "corpus/stop.h"

typedef struct {
    double input_bytes, text_bytes;               /* into build, into pack */
    double build_s, reread_s, pack_s, tokenise_s; /* of processor time     */
    double build_wall_s, pack_wall_s;
} Timing;

static double input_bytes(const json_t *manifest)
{
    double sum = 0;
    json_t *s;
    size_t i;
    json_array_foreach(json_object_get(manifest, "sources"), i, s) sum +=
        json_number_value(json_object_get(json_object_get(s, "input"), "bytes"));
    return sum;
}

static Status time_build(Timing *t, const char *recipe_path, const char *folder, int threads)
{
    CorpusRecipe recipe = {0};
    json_t *manifest = NULL;
    Status st = corpus_recipe_read(&recipe, recipe_path);
    double cpu = clock_cpu(), wall = clock_now();
    if (st == ST_OK)
        st = corpus_build(&recipe, folder, threads, &manifest);
    t->build_s = clock_cpu() - cpu;
    t->build_wall_s = clock_now() - wall;
    t->input_bytes = input_bytes(manifest);
    json_decref(manifest);
    corpus_recipe_drop(&recipe);
    return st;
}

/* Reads what was built: the speed of compressed JSON lines, and with a vocabulary what tokenising alone
 * takes. */
static Status time_read(Timing *t, const char *folder, const Tokenizer *tok)
{
    static const char *const splits[] = {"train", "held_out"};
    Document d;
    Ids ids = {0};
    Status st = ST_OK;
    double start = clock_cpu();
    t->text_bytes = t->tokenise_s = 0;
    for (int i = 0; st == ST_OK && i < 2; i++) {
        CorpusReader *r;
        st = corpus_reader_open(&r, folder, &(CorpusQuery){.split = splits[i]});
        if (st != ST_OK)
            break;
        while ((st = corpus_reader_next(r, &d)) == ST_OK && d.id.at) {
            double before = clock_cpu();
            t->text_bytes += (double)d.text.n;
            array_clear(&ids);
            if (tok && (st = tokenizer_encode(tok, &ids, d.text.at, d.text.n, 0)) != ST_OK)
                break;
            t->tokenise_s += tok ? clock_cpu() - before : 0;
        }
        corpus_reader_close(r);
    }
    t->reread_s = clock_cpu() - start - t->tokenise_s;
    array_drop(&ids);
    return st;
}

static Status time_pack(Timing *t, const char *corpus, const char *vocabulary, const char *folder,
                        int threads)
{
    Tokenizer *tok;
    PackConfig config = {0};
    TRY(tokenizer_open(&tok, vocabulary));
    config_defaults(&pack_table, &config);
    config.context = 512;
    double cpu = clock_cpu(), wall = clock_now();
    Status st = pack(corpus, tok, &config, folder, threads, NULL);
    t->pack_s = clock_cpu() - cpu;
    t->pack_wall_s = clock_now() - wall;
    if (st == ST_OK)
        st = time_read(t, corpus, tok);
    config_drop(&pack_table, &config);
    tokenizer_close(tok);
    return st;
}

static void print(const Timing *t, int threads, bool packed, bool as_json)
{
    double build = t->input_bytes / t->build_s, reread = t->text_bytes / t->reread_s;
    double besides = packed ? t->text_bytes / (t->pack_s - t->tokenise_s) : 0,
           tokenise = packed ? t->text_bytes / t->tokenise_s : 0;
    if (as_json) {
        json_t *o =
            json_pack("{s:i, s:f, s:f, s:f, s:f, s:I}", "threads", threads, "input_bytes", t->input_bytes,
                      "build_bytes_per_s_core", build, "build_bytes_per_s", t->input_bytes / t->build_wall_s,
                      "jsonl_bytes_per_s_core", reread, "peak_bytes", (json_int_t)memory_peak());
        if (packed) {
            json_object_set_new(o, "pack_bytes_per_s_core", json_real(besides));
            json_object_set_new(o, "pack_bytes_per_s", json_real(t->text_bytes / t->pack_wall_s));
            json_object_set_new(o, "tokenise_bytes_per_s_core", json_real(tokenise));
        }
        cmd_print_json(o, 6);
        json_decref(o);
        return;
    }
    printf("build       %7.1f MB/s a core  %7.1f MB/s by the clock, %d threads: read, clean, deduplicate, "
           "compress\n",
           build / 1e6, t->input_bytes / t->build_wall_s / 1e6, threads);
    printf("read jsonl  %7.1f MB/s a core\n", reread / 1e6);
    if (packed) {
        printf("pack        %7.1f MB/s a core besides tokenising, %7.1f MB/s by the clock with it\n",
               besides / 1e6, t->text_bytes / t->pack_wall_s / 1e6);
        printf("tokenise    %7.1f MB/s a core\n", tokenise / 1e6);
    }
    printf("peak memory %7.1f MB for %.1f MB of input\n", (double)memory_peak() / 1e6, t->input_bytes / 1e6);
}

static Status measure(const Args *args, const char *folder, int threads)
{
    Timing t = {0};
    const char *vocabulary = args_value(args, "tokenizer");
    char *corpus = path_join(folder, "corpus"), *packed = path_join(folder, "packed");
    Status st =
        time_build(&t, args->positional_n ? args->positional[0] : "recipes/machine.yaml", corpus, threads);
    if (st == ST_OK)
        st = vocabulary ? time_pack(&t, corpus, vocabulary, packed, threads) : time_read(&t, corpus, NULL);
    if (st == ST_OK)
        print(&t, threads, vocabulary != NULL, args_has(args, "json"));
    mem_free(corpus);
    mem_free(packed);
    return st;
}

static Status run(const Args *args, void *context)
{
    (void)context;
    int threads;
    char folder[] = "/tmp/lemur-bench-XXXXXX";
    TRY(cmd_threads(&threads, args, 1));
    if (!mkdtemp(folder))
        return fail_errno(ST_IO, "cannot make a folder in /tmp");
    stop_on_signals();
    Status st = measure(args, folder, threads);
    Error why = error_take();
    if (folder_remove(folder) != ST_OK)
        log_warn("%s", error_text());
    return st == ST_OK ? ST_OK : error_put(&why);
}

int bench_corpus(int argc, char **argv)
{
    static const Flag flags[] = {
        {"tokenizer", 0, "PATH", "also time packing with this vocabulary"},
        {"threads", 't', "N", "processors to use (1; 0: all)"},
        {"json", 0, NULL, "one JSON object"},
    };
    const Command c = {
        .usage = "[RECIPE.yaml] [flags]",
        .words = "[RECIPE.yaml]",
        .about = "Builds the corpus of a recipe (recipes/machine.yaml) in a temporary folder, packs it where a\n"
                 "vocabulary is given, and prints how fast that was.\n"
                 "example: lemur bench corpus recipes/machine.yaml --threads 2",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, run, NULL);
}
