/* lemur bench tokenizer: how fast text becomes ids. */
#include "base/clock.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/thread.h"
#include "cli/bench.h"
#include "cli/cmd.h"
#include "tokenizer/tokenizer.h"

enum { DOCUMENT_BYTES = 64 << 10, RUNS_MIN = 5, RUNS_MAX = 101 };

typedef struct {
    int64_t threads;
    double seconds;
    bool json;
} TokenizerBenchConfig;

static const Field bench_fields[] = {
    F_INT(TokenizerBenchConfig, threads, 1, 1, 1024, "threads, each encoding documents of its own"),
    F_FLOAT(TokenizerBenchConfig, seconds, 1, 0.01, 600,
            "measure at least this long, and at least five runs"),
    F_BOOL(TokenizerBenchConfig, json, false, "print the result as JSON"),
};
static const FieldTable bench_table = FIELD_TABLE(bench_fields);

typedef struct {
    TokenizerScratch *scratch;
    Ids ids;
    int64_t tokens;
    Error error;
} Worker;

typedef struct {
    const Tokenizer *tok;
    Array(Span) documents;
    Worker *workers;
    int threads;
    int64_t bytes, tokens;
} Work;

/* The file as documents of 64 kB and more, cut behind line ends: the same ones whatever the number of
 * threads. */
static void cut(Work *w, const char *text, size_t n)
{
    for (size_t at = 0, end; at < n; at = end) {
        end = n - at > DOCUMENT_BYTES ? at + DOCUMENT_BYTES : n;
        while (end < n && text[end - 1] != '\n')
            end++;
        Span d = {text + at, end - at};
        array_push(&w->documents, d);
    }
    w->bytes = (int64_t)n;
}

static void encode_document(void *context, int64_t task, int thread)
{
    Work *w = context;
    Worker *me = &w->workers[thread];
    Span d = w->documents.at[task];
    array_clear(&me->ids);
    if (tokenizer_encode_with(w->tok, me->scratch, &me->ids, d.at, d.n, 0) != ST_OK)
        me->error = error_take();
    me->tokens += (int64_t)me->ids.n;
}

/* Seconds of one run over all documents. */
static Status one_run(Work *w, double *seconds)
{
    for (int i = 0; i < w->threads; i++)
        w->workers[i].tokens = 0;
    double start = clock_now();
    thread_each((int64_t)w->documents.n, w->threads, encode_document, w);
    *seconds = clock_now() - start;
    w->tokens = 0;
    for (int i = 0; i < w->threads; i++) {
        if (w->workers[i].error.status != ST_OK)
            return error_put(&w->workers[i].error);
        w->tokens += w->workers[i].tokens;
    }
    return ST_OK;
}

static Status measure(Work *w, const TokenizerBenchConfig *set, double *runs, int *n)
{
    double spent = 0, warm_up;
    TRY(one_run(w, &warm_up));
    for (*n = 0; *n < RUNS_MAX && (*n < RUNS_MIN || spent < set->seconds); spent += runs[(*n)++])
        TRY(one_run(w, &runs[*n]));
    return ST_OK;
}

static void print(const Work *w, double *runs, int n, bool json)
{
    double bytes = (double)w->bytes, median = bench_median(runs, n);
    if (json) {
        json_t *o = json_pack("{s:f, s:i, s:f, s:f, s:f, s:I, s:I, s:I, s:i}", "bytes_per_s", bytes / median,
                              "threads", w->threads, "bytes_per_s_min", bytes / runs[n - 1],
                              "bytes_per_s_max", bytes / runs[0], "tokens_per_s", (double)w->tokens / median,
                              "bytes", (json_int_t)w->bytes, "tokens", (json_int_t)w->tokens, "documents",
                              (json_int_t)w->documents.n, "runs", n);
        cmd_print_json(o, 6);
        json_decref(o);
        return;
    }
    printf("%.1f MB/s on %d thread%s (median of %d runs; %.1f to %.1f)\n", bytes / median * 1e-6, w->threads,
           w->threads == 1 ? "" : "s", n, bytes / runs[n - 1] * 1e-6, bytes / runs[0] * 1e-6);
    printf("%.1f MB in %zu documents, %lld tokens, %.3f bytes a token\n", bytes * 1e-6, w->documents.n,
           (long long)w->tokens, bytes / (double)(w->tokens ? w->tokens : 1));
}

static Status run(const Args *args, void *context)
{
    const TokenizerBenchConfig *set = context;
    const char *vocab = args_value(args, "vocab"), *path = args->positional[0];
    Status st;
    Tokenizer *tok = NULL;
    FileMap map = {0};
    double runs[RUNS_MAX];
    int n = 0;
    Work w = {.threads = (int)set->threads, .workers = mem_array(Worker, set->threads)};
    if (!vocab) {
        st = fail(ST_ARG, "say which vocabulary: --vocab FILE_OR_FOLDER");
        goto done;
    }
    TRY_TO(done, tokenizer_open(&tok, vocab));
    TRY_TO(done, file_map(&map, path));
    if (map.n == 0) {
        st = fail(ST_ARG, "%s is empty; give a text of some megabytes", path);
        goto done;
    }
    cut(&w, (const char *)map.at, map.n);
    w.tok = tok;
    for (int i = 0; i < w.threads; i++)
        w.workers[i].scratch = tokenizer_scratch_take(tok);
    TRY_TO(done, measure(&w, set, runs, &n));
    print(&w, runs, n, set->json);
done:
    for (int i = 0; i < w.threads; i++) {
        tokenizer_scratch_give(w.workers[i].scratch);
        array_drop(&w.workers[i].ids);
    }
    mem_free(w.workers);
    array_drop(&w.documents);
    file_unmap(&map);
    tokenizer_close(tok);
    return st;
}

int bench_tokenizer(int argc, char **argv)
{
    static const Flag flags[] = {
        {"vocab", 'v', "PATH", "tokenizer.json, tokenizer.model, or a folder that holds one"}};
    TokenizerBenchConfig set = {0};
    const ArgsTable tables[] = {{&bench_table, &set}};
    const Command command = {
        .usage = "--vocab PATH FILE [flags]",
        .about = "Encodes FILE again and again and prints the median speed.  The file is cut into documents "
                 "of 64 kB and more\n"
                 "at line ends, whatever the number of threads; every thread has a scratch of its own.\n"
                 "example: lemur bench tokenizer --vocab tokenizer.model --threads 2 book.txt",
        COMMAND_FLAGS(flags),
        COMMAND_TABLES(tables),
        .words = "FILE",
    };
    return cmd_run(&command, argc, argv, run, &set);
}
