/* lemur bench engine: what the engine's cache and its batches are worth, on made-up ids. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/bench.h"
#include "cli/cmd.h"
#include "cli/model_folder.h"
#include "infer/engine.h"
#include "ops/select.h"

typedef struct {
    char *compute;
    int64_t history, turn, requests, system, own, gen, repeat, threads;
    bool json;
} EngineConfig;

static const char *const compute_names[] = {"auto", "bf16", "f32", NULL};
static const Field engine_fields[] = {
    F_INT(EngineConfig, history, 2000, 1, 1e6, "tokens of a conversation so far"),
    F_INT(EngineConfig, turn, 64, 1, 1e6, "tokens of its next turn"),
    F_INT(EngineConfig, requests, 16, 1, 1e5, "requests that come at once"),
    F_INT(EngineConfig, system, 512, 0, 1e6, "tokens that they all begin with"),
    F_INT(EngineConfig, own, 32, 1, 1e6, "tokens of each one's own behind them"),
    F_INT(EngineConfig, gen, 32, 2, 1e6, "tokens that each writes"),
    F_INT(EngineConfig, repeat, 3, 1, 1000, "repetitions; medians count"),
    F_CHOICE(EngineConfig, compute, "auto", compute_names, "of activations and plain weights"),
    F_INT(EngineConfig, threads, 0, 0, 4096, "threads; 0: all this process may use"),
    F_BOOL(EngineConfig, json, false, "print the result as JSON"),
};
static const FieldTable engine_table = FIELD_TABLE(engine_fields);
static const Flag flags[] = {{"model", 'm', "PATH", "model folder, or GGUF file"}};

enum { PASS_ROWS = 512, PASS_LOGITS = 64 };

/* Seconds, medians over the repetitions. */
typedef struct {
    /* to the first token: new tokens alone; behind a cached history; all anew */
    double turn_alone, turn_cached, turn_again;
    double shared, apart;                       /* all requests, with and without the prefix cache */
    /* a token of one text; the longest, while a long prompt is read beside it */
    double alone_step, longest_step;
    int64_t shared_rows, apart_rows;
} Figures;

typedef struct {
    EngineConfig set;
    Device *dev;
    Decoder *decoder;
    int32_t *ids; /* [history + turn], and as many as a request has */
    int64_t ids_n;
    Figures f;
} Bench;

static void fill(Bench *b, int64_t from, int64_t n, uint64_t seed)
{
    Rng r;
    rng_seed(&r, seed);
    for (int64_t i = from; i < from + n; i++)
        b->ids[i] = (int32_t)rng_below(&r, (uint64_t)decoder_hparams(b->decoder)->vocab_size);
}

static Status open_engine(Bench *b, Engine **e, bool cache)
{
    EngineSetup setup = {.inline_passes = true, .no_prefix_cache = !cache, .threads = (int)b->set.threads};
    return engine_open(e, b->decoder, NULL, &setup);
}

/* One request, to its end; *first: seconds to its first token, *longest: the longest between two. */
static Status time_request(Engine *e, const int32_t *ids, int64_t n, int64_t tokens, double *first)
{
    Request *r;
    RequestEvent event;
    RequestResult result;
    RequestSpec spec = request_spec(ids, n);
    spec.max_tokens = tokens;
    double start = clock_now();
    TRY(engine_submit(e, &spec, &r));
    if (request_next(r, &event, -1))
        *first = clock_now() - start;
    while (request_next(r, &event, -1))
        ;
    Status st = request_result(r, &result);
    request_close(r);
    return st;
}

/* The next turn of a conversation. ----------------------------------------------------------------------- */

static Status time_turn(Bench *b, int64_t i, double *alone, double *cached, double *again)
{
    Engine *e;
    double unused;
    int64_t history = b->set.history, turn = b->set.turn;
    fill(b, 0, history + turn, (uint64_t)i + 1);
    TRY(open_engine(b, &e, true));
    Status st = time_request(e, b->ids + history, turn, 1, alone);
    if (st == ST_OK)
        st = time_request(e, b->ids, history, 1, &unused);
    if (st == ST_OK)
        st = time_request(e, b->ids, history + turn, 1, cached);
    engine_close(e);
    TRY(st);
    TRY(open_engine(b, &e, false));
    st = time_request(e, b->ids, history + turn, 1, again);
    engine_close(e);
    return st;
}

/* Many requests behind one beginning. -------------------------------------------------------------------- */

static Status submit_all(Bench *b, Engine *e, Request **requests)
{
    for (int64_t i = 0; i < b->set.requests; i++) {
        fill(b, b->set.system, b->set.own, (uint64_t)i + 1000);
        RequestSpec spec = request_spec(b->ids, b->set.system + b->set.own);
        spec.max_tokens = b->set.gen;
        TRY(engine_submit(e, &spec, &requests[i]));
    }
    return ST_OK;
}

static Status time_crowd(Bench *b, bool cache, double *seconds, int64_t *rows)
{
    Engine *e;
    RequestEvent event;
    RequestResult result;
    Request **requests = mem_array(Request *, b->set.requests);
    fill(b, 0, b->set.system, 7);
    Status st = open_engine(b, &e, cache);
    if (st != ST_OK) {
        mem_free(requests);
        return st;
    }
    double start = clock_now();
    st = submit_all(b, e, requests);
    for (int64_t i = 0; i < b->set.requests && st == ST_OK; i++) {
        while (request_next(requests[i], &event, -1))
            ;
        st = request_result(requests[i], &result);
    }
    *seconds = clock_now() - start;
    *rows = engine_stats(e).rows;
    for (int64_t i = 0; i < b->set.requests; i++)
        request_close(requests[i]);
    engine_close(e);
    mem_free(requests);
    return st;
}

/* A text while a long prompt is read beside it. ---------------------------------------------------------- */

static Status time_gaps(Bench *b, double *alone, double *longest)
{
    Engine *e;
    Request *writer, *reader;
    RequestEvent event;
    fill(b, 0, b->set.history, 9);
    RequestSpec writes = request_spec(b->ids, 1), reads = request_spec(b->ids, b->set.history);
    writes.max_tokens = INT32_MAX;
    reads.max_tokens = 1;
    TRY(open_engine(b, &e, true));
    Status st = engine_submit(e, &writes, &writer);
    if (st != ST_OK) {
        engine_close(e);
        return st;
    }
    request_next(writer, &event, -1);
    double start = clock_now();
    for (int64_t i = 0; i < b->set.gen; i++)
        request_next(writer, &event, -1);
    *alone = (clock_now() - start) / (double)b->set.gen;
    *longest = 0;
    st = engine_submit(e, &reads, &reader);
    for (bool over = false; st == ST_OK && !over;) {
        start = clock_now();
        over = !request_next(writer, &event, -1) || event.kind == EVENT_END;
        double gap = clock_now() - start;
        *longest = gap > *longest ? gap : *longest;
        RequestEvent answer;
        over |= request_next(reader, &answer, 0);
    }
    if (st == ST_OK)
        request_close(reader);
    request_close(writer);
    engine_close(e);
    return st;
}

/* All of it. --------------------------------------------------------------------------------------------- */

static Status measure_all(Bench *b)
{
    int64_t n = b->set.repeat;
    double *times = mem_array(double, 7 * n);
    Status st = ST_OK;
    for (int64_t i = 0; i < n && st == ST_OK; i++) {
        double *t = times + i;
        st = time_turn(b, i, &t[0], &t[n], &t[2 * n]);
        if (st == ST_OK)
            st = time_crowd(b, true, &t[3 * n], &b->f.shared_rows);
        if (st == ST_OK)
            st = time_crowd(b, false, &t[4 * n], &b->f.apart_rows);
        if (st == ST_OK)
            st = time_gaps(b, &t[5 * n], &t[6 * n]);
    }
    double *results[] = {&b->f.turn_alone, &b->f.turn_cached, &b->f.turn_again, &b->f.shared, &b->f.apart,
                         &b->f.alone_step, &b->f.longest_step};
    for (int i = 0; i < 7 && st == ST_OK; i++)
        *results[i] = bench_median(times + i * n, n);
    mem_free(times);
    return st;
}

static Status open_all(Bench *b, const char *path)
{
    ModelFile *file;
    int64_t each = b->set.system + b->set.own + b->set.gen, turn = b->set.history + b->set.turn;
    int64_t longest = each > turn ? each : turn;
    int64_t together = b->set.requests < PASS_LOGITS ? b->set.requests : PASS_LOGITS;
    DecoderSetup setup = {.max_rows = PASS_ROWS,
                          .max_logits = PASS_LOGITS,
                          .compute = ops_compute_packed(b->set.compute),
                          .context = 2 * longest,
                          .pages = kv_pages_for(each + 1) * together + 2 * kv_pages_for(2 * longest)};
    b->ids = mem_array(int32_t, longest);
    TRY(ops_open(&b->dev, NULL, (int)b->set.threads));
    TRY(model_file_open(&file, path));
    Status st = decoder_open(&b->decoder, b->dev, file, &setup);
    model_file_close(file);
    return st;
}

static void print_json(const Bench *b)
{
    const Figures *f = &b->f;
    double tokens = (double)(b->set.requests * b->set.gen);
    json_t *o =
        json_pack("{s:f s:f s:f s:f s:f s:f s:I s:I s:f s:f}", "turn_alone_s", f->turn_alone, "turn_cached_s",
                  f->turn_cached, "turn_ratio", f->turn_cached / f->turn_alone, "turn_uncached_s",
                  f->turn_again, "shared_tokens_per_s", tokens / f->shared, "unshared_tokens_per_s",
                  tokens / f->apart, "shared_rows", (json_int_t)f->shared_rows, "unshared_rows",
                  (json_int_t)f->apart_rows, "step_s", f->alone_step, "longest_step_s", f->longest_step);
    cmd_print_json(o, 6);
    json_decref(o);
}

static void print_table(const Bench *b)
{
    const Figures *f = &b->f;
    const EngineConfig *c = &b->set;
    double tokens = (double)(c->requests * c->gen);
    printf("first token, %lld tokens alone                        %8.1f ms\n", (long long)c->turn,
           1e3 * f->turn_alone);
    printf("first token, the same behind %lld tokens in the cache %8.1f ms, %.2f times\n",
           (long long)c->history, 1e3 * f->turn_cached, f->turn_cached / f->turn_alone);
    printf("first token, without the cache                       %8.1f ms\n", 1e3 * f->turn_again);
    printf("%lld requests of %lld + %lld tokens, %lld written by each: with the cache %.1f tok/s (%lld "
           "rows), without %.1f "
           "(%lld rows)\n",
           (long long)c->requests, (long long)c->system, (long long)c->own, (long long)c->gen,
           tokens / f->shared, (long long)f->shared_rows, tokens / f->apart, (long long)f->apart_rows);
    printf("a token of one text alone %.1f ms; the longest while %lld tokens are read beside it %.1f ms\n",
           1e3 * f->alone_step, (long long)c->history, 1e3 * f->longest_step);
}

static Status run(const Args *args, void *context)
{
    Bench *b = context;
    char *path;
    if (!args_value(args, "model"))
        return fail(ST_ARG, "which model? name its folder or GGUF file with -m PATH");
    TRY(model_path_find(&path, args_value(args, "model")));
    Status st = open_all(b, path);
    mem_free(path);
    if (st == ST_OK)
        st = measure_all(b);
    if (st == ST_OK && b->set.json)
        print_json(b);
    else if (st == ST_OK)
        print_table(b);
    decoder_close(b->decoder);
    if (b->dev)
        device_close(b->dev);
    mem_free(b->ids);
    return st;
}

int bench_engine(int argc, char **argv)
{
    Bench b = {0};
    const ArgsTable tables[] = {{&engine_table, &b.set}};
    const Command command = {
        .usage = "-m PATH [flags]",
        .about = "Times what conversations, crowds and long prompts cost an engine (docs/engine.md), on "
                 "made-up ids.\n"
                 "Run it when nothing else runs.\n"
                 "example: lemur bench engine -m model.gguf --json",
        COMMAND_FLAGS(flags),
        COMMAND_TABLES(tables),
    };
    return cmd_run(&command, argc, argv, run, &b);
}
