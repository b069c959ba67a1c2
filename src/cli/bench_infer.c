/* lemur bench infer: reading a prompt and writing tokens, beside what the machine could do. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "cli/bench.h"
#include "cli/cmd.h"
#include "cli/model_folder.h"
#include "model/decoder.h"
#include "ops/measure.h"
#include "ops/profile.h"
#include "ops/select.h"

typedef struct {
    char *model, *compute, *ops;
    int64_t prompt, gen, parallel, repeat, rows, threads;
    double peak_flops, peak_read;
    bool json, profile;
} InferConfig;

static const char *const compute_names[] = {"auto", "bf16", "f32", NULL};

static const Field infer_fields[] = {
    F_INT(InferConfig, prompt, 512, 1, 1e7, "tokens of the prompt"),
    F_INT(InferConfig, gen, 64, 1, 1e7, "tokens written behind it"),
    F_INT(InferConfig, parallel, 1, 1, 4096,
          "sequences written together; beyond 1: also one alone, and the ratio"),
    F_INT(InferConfig, repeat, 3, 1, 1000, "repetitions; medians count"),
    F_INT(InferConfig, rows, 512, 1, 1e6, "tokens of a prompt that one pass takes"),
    F_CHOICE(InferConfig, compute, "auto", compute_names, "of activations and plain weights"),
    F_INT(InferConfig, threads, 0, 0, 4096, "threads; 0: all this process may use"),
    F_STRING(InferConfig, ops, "",
             "use this table of operations and those below it only (ref, onednn, avx2, ...)"),
    F_FLOAT(InferConfig, peak_flops, 0, 0, 1e20,
            "FLOP/s of bf16 products that count as 100 %; 0: measure them"),
    F_FLOAT(InferConfig, peak_read, 0, 0, 1e20, "bytes/s of reading that count as 100 %; 0: measure them"),
    F_BOOL(InferConfig, profile, false, "print the time of each operation"),
    F_BOOL(InferConfig, json, false, "print the result as JSON"),
};
static const FieldTable infer_table = FIELD_TABLE(infer_fields);

static const Flag flags[] = {{"model", 'm', "PATH", "model folder, or GGUF file"}};

/* Medians over the repetitions, unless it is said. */
typedef struct {
    double read, gemm, peak; /* bytes and FLOPs a second, of bf16 and of the faster of it and f32; reading is
                              * measured around the decoding of each repetition */
    double load_s;           /* from the opening to the first token behind a prompt of one */
    double prefill_s;        /* the whole prompt, with the first token's logits */
    double step_s, group_s;  /* a token of one sequence; one of each of `parallel` sequences */
    double prefill_min, prefill_max, step_min, step_max; /* of the repetitions */
} Figures;

typedef struct {
    InferConfig set;
    const char *path;
    Device *dev;
    Decoder *decoder;
    Figures f;
    DecoderPlan plan;
    int32_t *ids;    /* the prompt, [prompt] */
    int32_t *tables; /* pages of sequence s: tables + s * table_n */
    int64_t table_n, logits_n;
    float *logits;    /* [parallel, V] */
    DecoderRun *runs; /* [parallel] */
    int32_t *next;    /* [parallel] the token that each writes now */
} Bench;

/* Sequences ---------------------------------------------------------------------------------------------- */

static int64_t vocab(const Bench *b)
{
    return decoder_hparams(b->decoder)->vocab_size;
}

static int32_t likeliest(const float *logits, int64_t n)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (logits[i] > logits[best])
            best = i;
    return (int32_t)best;
}

/* The prompt into the pages of the first sequence, in pieces; the logits behind it into b->logits. */
static Status read_prompt(Bench *b)
{
    for (int64_t past = 0; past < b->set.prompt; past += b->set.rows) {
        int64_t left = b->set.prompt - past, n = left < b->set.rows ? left : b->set.rows;
        DecoderRun run = {
            .ids = b->ids + past, .n = n, .past = past, .pages = b->tables, .logits = n == left};
        TRY(decoder_pass(b->decoder, &run, 1, b->logits));
    }
    return isfinite(b->logits[0]) ? ST_OK
                                  : fail(ST_FORMAT, "the model gives no numbers: its weights are damaged");
}

/* The other sequences get copies of the first one's pages: memory of their own, as if each had read it. */
static void copy_prompt(Bench *b)
{
    for (int64_t s = 1; s < b->set.parallel; s++) {
        for (int64_t p = 0; p < kv_pages_for(b->set.prompt); p++)
            decoder_copy_page(b->decoder, b->tables[s * b->table_n + p], b->tables[p]);
        memcpy(b->logits + s * vocab(b), b->logits, (size_t)vocab(b) * sizeof *b->logits);
    }
}

/* One token more of each of n sequences. */
static Status write_tokens(Bench *b, int64_t n, int64_t past)
{
    for (int64_t s = 0; s < n; s++) {
        b->next[s] = likeliest(b->logits + s * vocab(b), vocab(b));
        b->runs[s] = (DecoderRun){
            .ids = b->next + s, .n = 1, .past = past, .pages = b->tables + s * b->table_n, .logits = 1};
    }
    return decoder_pass(b->decoder, b->runs, n, b->logits);
}

/* Seconds a step, all of `gen` steps behind the prompt. */
static Status time_steps(Bench *b, int64_t n, double *step_s)
{
    double start = clock_now();
    for (int64_t i = 0; i < b->set.gen; i++)
        TRY(write_tokens(b, n, b->set.prompt + i));
    *step_s = (clock_now() - start) / (double)b->set.gen;
    return ST_OK;
}

/* Opening ------------------------------------------------------------------------------------------------ */

static Status open_decoder(Bench *b, const char *path)
{
    ModelFile *file;
    int64_t sequence = b->set.prompt + b->set.gen, pages = kv_pages_for(sequence);
    DecoderSetup setup = {.max_rows = b->set.rows > b->set.parallel ? b->set.rows : b->set.parallel,
                          .max_logits = b->set.parallel,
                          .pages = pages * b->set.parallel,
                          .context = sequence,
                          .compute = ops_compute_packed(b->set.compute)};
    b->table_n = pages;
    TRY(model_file_open(&file, path));
    b->plan = decoder_plan(file, &setup);
    Status st = decoder_open(&b->decoder, b->dev, file, &setup);
    model_file_close(file);
    return st;
}

static void make_arrays(Bench *b)
{
    int64_t n = b->set.parallel;
    Rng rng;
    rng_seed(&rng, 1);
    b->ids = mem_array(int32_t, b->set.prompt);
    for (int64_t i = 0; i < b->set.prompt; i++)
        b->ids[i] = (int32_t)rng_below(&rng, (uint64_t)vocab(b));
    b->tables = mem_array(int32_t, n * b->table_n);
    for (int64_t i = 0; i < n * b->table_n; i++)
        b->tables[i] = (int32_t)i;
    b->logits = mem_array(float, n *vocab(b));
    b->runs = mem_array(DecoderRun, n);
    b->next = mem_array(int32_t, n);
}

static Status bench_open(Bench *b)
{
    char *path;
    TRY(ops_open(&b->dev, *b->set.ops ? b->set.ops : NULL, (int)b->set.threads));
    b->f.gemm = b->set.peak_flops > 0 ? b->set.peak_flops : measure_gemm(b->dev, DTYPE_BF16, MEASURE_WELL);
    b->f.peak = b->f.gemm;
    if (b->set.peak_flops == 0 && ops_compute("auto") == DTYPE_F32) /* bf16 is not fast here */
        b->f.peak = fmax(b->f.gemm, measure_gemm(b->dev, DTYPE_F32, MEASURE_WELL));
    if (b->set.profile)
        TRY(profile_attach(b->dev));
    TRY(model_path_find(&path, b->path));
    double start = clock_now();
    Status st = open_decoder(b, path);
    mem_free(path);
    TRY(st);
    make_arrays(b);
    DecoderRun first = {.ids = b->ids, .n = 1, .pages = b->tables, .logits = 1};
    TRY(decoder_pass(b->decoder, &first, 1, b->logits));
    b->f.load_s = clock_now() - start;
    return ST_OK;
}

static void bench_close(Bench *b)
{
    decoder_close(b->decoder);
    device_close(b->dev);
    mem_free(b->ids);
    mem_free(b->tables);
    mem_free(b->logits);
    mem_free(b->runs);
    mem_free(b->next);
}

/* Measuring ---------------------------------------------------------------------------------------------- */

typedef struct {
    double *prefill, *step, *group, *read; /* [repeat] */
} Times;

static Status measure_once(Bench *b, Times *t, int64_t i)
{
    double start = clock_now();
    TRY(read_prompt(b));
    t->prefill[i] = clock_now() - start;
    copy_prompt(b);
    if (b->set.parallel > 1)
        TRY(time_steps(b, b->set.parallel, &t->group[i]));
    /* A shared machine changes its mind about memory within seconds: the yardstick is of the same moment. */
    double given = b->set.peak_read, before = given > 0 ? given : measure_read(b->dev, MEASURE_BRIEFLY);
    TRY(time_steps(b, 1, &t->step[i]));
    t->read[i] = (before + (given > 0 ? given : measure_read(b->dev, MEASURE_BRIEFLY))) / 2;
    return ST_OK;
}

static void summarise(Bench *b, Times *t)
{
    int64_t n = b->set.repeat;
    Figures *f = &b->f;
    f->read = bench_median(t->read, n);
    f->prefill_s = bench_median(t->prefill, n);
    f->prefill_min = t->prefill[0];
    f->prefill_max = t->prefill[n - 1];
    f->step_s = bench_median(t->step, n);
    f->step_min = t->step[0];
    f->step_max = t->step[n - 1];
    f->group_s = bench_median(t->group, n);
}

static Status measure_all(Bench *b)
{
    int64_t n = b->set.repeat;
    double *memory = mem_array(double, 4 * n);
    Times t = {memory, memory + n, memory + 2 * n, memory + 3 * n};
    Status st = read_prompt(b); /* the first touches memory, and working memory grows */
    if (st == ST_OK && b->set.profile)
        profile_reset(b->dev);
    for (int64_t i = 0; st == ST_OK && i < n; i++)
        st = measure_once(b, &t, i);
    if (st == ST_OK) {
        summarise(b, &t);
        st = device_sync(b->dev);
    }
    mem_free(memory);
    return st;
}

/* Printing ----------------------------------------------------------------------------------------------- */

static double rate(double n, double seconds)
{
    return seconds > 0 ? n / seconds : 0;
}

/* Of the reading bandwidth, what the weights alone take that one token needs. */
static double bandwidth_fraction(const Bench *b)
{
    return rate((double)decoder_token_bytes(b->decoder), b->f.step_s) / b->f.read;
}

/* Prefill's products: every packed weight once a token.  The head sees one token of a prompt, attention is
 * not counted. */
static double prefill_flops(const Bench *b)
{
    const HParams *h = decoder_hparams(b->decoder);
    double inside = (double)hparams_param_count(h) -
                    (double)(h->vocab_size * h->hidden_size) * (h->tie_word_embeddings ? 1 : 2);
    return 2 * inside * (double)b->set.prompt;
}

static void print_json(Bench *b)
{
    const Figures *f = &b->f;
    double prompt = (double)b->set.prompt, parallel = (double)b->set.parallel;
    json_t *j = json_pack(
        "{s:f, s:f, s:f, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f,"
        " s:I, s:I, s:I, s:I, s:I, s:I, s:i}",
        "prefill_tokens_per_s", rate(prompt, f->prefill_s), "decode_tokens_per_s", rate(1, f->step_s),
        "read_bytes_per_s", f->read, "weight_bytes_per_token", (json_int_t)decoder_token_bytes(b->decoder),
        "decode_bandwidth_fraction", bandwidth_fraction(b), "gemm_bf16_flops_per_s", f->gemm,
        "gemm_flops_per_s", f->peak, "load_seconds", f->load_s, "prefill_flops_per_s",
        rate(prefill_flops(b), f->prefill_s), "prefill_tokens_per_s_min", rate(prompt, f->prefill_max),
        "prefill_tokens_per_s_max", rate(prompt, f->prefill_min), "decode_tokens_per_s_min",
        rate(1, f->step_max), "decode_tokens_per_s_max", rate(1, f->step_min), "prompt_seconds", f->prefill_s,
        "prompt", (json_int_t)b->set.prompt, "gen", (json_int_t)b->set.gen, "parallel",
        (json_int_t)b->set.parallel, "repeat", (json_int_t)b->set.repeat, "planned_bytes",
        (json_int_t)b->plan.total, "peak_bytes", (json_int_t)memory_peak(), "threads", b->dev->threads);
    if (b->set.parallel > 1) {
        json_object_set_new(j, "parallel_tokens_per_s", json_real(rate(parallel, f->group_s)));
        json_object_set_new(j, "parallel_ratio", json_real(parallel * f->step_s / f->group_s));
    }
    if (b->set.profile)
        json_object_set_new(j, "operations", profile_to_json(b->dev, profile_seconds(b->dev), b->set.repeat));
    cmd_print_json(j, 6);
    json_decref(j);
}

static void print_table(Bench *b)
{
    const Figures *f = &b->f;
    char count[32], weights[32], total[32], peak[32];
    double n = (double)b->set.prompt, parallel = (double)b->set.parallel;
    const char *products = f->peak > f->gemm ? "f32" : "bf16";
    printf("model       %s parameters, %s of weights a token, %d threads\n",
           human_count(count, (double)hparams_param_count(decoder_hparams(b->decoder))),
           human_bytes(weights, (double)decoder_token_bytes(b->decoder)), b->dev->threads);
    printf("machine     reads %.1f GB/s, %s products %.0f GFLOP/s\n", f->read * 1e-9, products,
           f->peak * 1e-9);
    printf("load        %.2f s to the first token; %s planned, %s at most\n", f->load_s,
           human_bytes(total, (double)b->plan.total), human_bytes(peak, (double)memory_peak()));
    printf("prefill     %8.1f tok/s (%.1f to %.1f), %lld tokens in %.3f s: %.0f GFLOP/s, %.1f%% of %s "
           "products\n",
           rate(n, f->prefill_s), rate(n, f->prefill_max), rate(n, f->prefill_min), (long long)b->set.prompt,
           f->prefill_s, rate(prefill_flops(b), f->prefill_s) * 1e-9,
           100 * rate(prefill_flops(b), f->prefill_s) / f->peak, products);
    printf("decode      %8.1f tok/s (%.1f to %.1f): %.1f%% of the bandwidth\n", rate(1, f->step_s),
           rate(1, f->step_max), rate(1, f->step_min), 100 * bandwidth_fraction(b));
    if (b->set.parallel > 1)
        printf("together    %8.1f tok/s, %lld sequences: %.2f times one\n", rate(parallel, f->group_s),
               (long long)b->set.parallel, parallel * f->step_s / f->group_s);
    if (b->set.profile) {
        putchar('\n');
        profile_print(b->dev, profile_seconds(b->dev), b->set.repeat, stdout);
    }
}

static Status run(const Args *args, void *context)
{
    Bench *b = context;
    b->path = args_value(args, "model");
    if (!b->path)
        return fail(ST_ARG, "which model? name its folder or GGUF file with -m PATH");
    Status st = bench_open(b);
    if (st == ST_OK)
        st = measure_all(b);
    if (st == ST_OK && b->set.json)
        print_json(b);
    else if (st == ST_OK)
        print_table(b);
    bench_close(b);
    return st;
}

int bench_infer(int argc, char **argv)
{
    Bench b = {0};
    const ArgsTable tables[] = {{&infer_table, &b.set}};
    const Command command = {
        .usage = "-m PATH [flags]",
        .about =
            "Times reading a prompt and writing tokens behind it, on made-up ids, beside the memory's speed\n"
            "and that of matrix products, which are measured first.  Run it when nothing else runs.\n"
            "example: lemur bench infer -m model.gguf --prompt 512 --gen 64 --parallel 8 --json",
        COMMAND_FLAGS(flags),
        COMMAND_TABLES(tables),
    };
    return cmd_run(&command, argc, argv, run, &b);
}
