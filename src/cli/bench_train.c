/* lemur bench train: a whole training step (forward, backward, clipping, AdamW) on made-up ids, and what it
 * costs. */
#include <math.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/cpu.h"
#include "base/rng.h"
#include "base/str.h"
#include "cli/bench.h"
#include "cli/cmd.h"
#include "model/model.h"
#include "ops/measure.h"
#include "ops/profile.h"
#include "ops/select.h"
#include "train/clip.h"
#include "train/optimizer.h"

typedef struct {
    char *preset, *compute, *recompute, *ops;
    int64_t batch, context, steps, warm_up, threads, loss_rows;
    double peak_flops, lora_dropout;
    int64_t lora_rank;
    char *lora_targets;
    bool json, profile, lora;
} BenchConfig;

static const char *const compute_names[] = {"auto", "bf16", "f32", NULL};
static const char *const recompute_names[] = {"none", "layer", NULL};

static const Field bench_fields[] = {
    F_STRING(BenchConfig, preset, "60m", "shape: 5m, 15m, 60m, 110m, 1b, 7b, 70b"),
    F_INT(BenchConfig, batch, 0, 0, 1e6, "sequences a step; 0: the preset's"),
    F_INT(BenchConfig, context, 0, 0, 1e7, "positions of a sequence; 0: the preset's"),
    F_INT(BenchConfig, steps, 10, 1, 1e6, "timed steps"),
    F_INT(BenchConfig, warm_up, 2, 1, 1e6, "steps before the clock starts"),
    F_CHOICE(BenchConfig, compute, "auto", compute_names, "type of matrix products"),
    F_CHOICE(BenchConfig, recompute, "none", recompute_names,
             "activations to compute again in the backward pass"),
    F_INT(BenchConfig, loss_rows, 0, 0, 1e9, "rows of logits that exist at a time; 0: the model's choice"),
    F_INT(BenchConfig, threads, 0, 0, 4096, "threads; 0: all this process may use"),
    F_STRING(BenchConfig, ops, "",
             "use this table of operations and those below it only (ref, onednn, avx2, ...)"),
    F_FLOAT(BenchConfig, peak_flops, 0, 0, 1e20,
            "FLOP/s that count as 100 % MFU; 0: measure a bf16 product first"),
    F_BOOL(BenchConfig, lora, false,
           "train adapters over frozen weights; see above for what counts as FLOPs"),
    F_INT(BenchConfig, lora_rank, 16, 1, 65536, "rank of the adapters"),
    F_STRING(BenchConfig, lora_targets, "all",
             "matrices with adapters: q,k,v,o,gate,up,down, attention, mlp, all"),
    F_FLOAT(BenchConfig, lora_dropout, 0, 0, 0.999, "share of an adapter's inputs that it does not see"),
    F_BOOL(BenchConfig, profile, false, "print the time of each operation"),
    F_BOOL(BenchConfig, json, false, "print the result as JSON"),
};
static const FieldTable bench_table = FIELD_TABLE(bench_fields);

typedef struct {
    BenchConfig set;
    HParams h;
    ModelSetup setup;
    ModelPlan plan;
    Device *dev;
    Model *model;
    Optimizer optimizer;
    Clip clip;
    int32_t *ids, *targets;
    double *seconds; /* of each timed step */
    double peak, in_steps;
} Bench;

/* Batch and context of the shapes that docs/speed.md compares. */
static void default_shape(const char *preset, int64_t *batch, int64_t *context)
{
    static const struct {
        const char *name;
        int64_t batch, context;
    } shapes[] = {{"5m", 16, 256}, {"15m", 8, 256}, {"60m", 4, 512}, {"110m", 2, 1024}};
    *batch = 1;
    *context = 512;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (strcmp(shapes[i].name, preset) == 0) {
            *batch = shapes[i].batch;
            *context = shapes[i].context;
        }
    }
}

static Status bench_plan(Bench *b)
{
    int64_t batch, context;
    TRY(hparams_preset(&b->h, b->set.preset));
    default_shape(b->set.preset, &batch, &context);
    b->setup = (ModelSetup){
        .batch = b->set.batch ? b->set.batch : batch,
        .context = b->set.context ? b->set.context : context,
        .compute = ops_compute(b->set.compute),
        .training = true,
        .recompute = strcmp(b->set.recompute, "layer") == 0 ? RECOMPUTE_LAYER : RECOMPUTE_NONE,
        .loss_rows = b->set.loss_rows,
    };
    if (b->set.lora) {
        bool targets[LORA_TARGETS];
        TRY(lora_targets(targets, b->set.lora_targets));
        b->setup.lora = lora_setup(b->set.lora_rank, 2 * (double)b->set.lora_rank);
        b->setup.lora.dropout = b->set.lora_dropout;
        for (int t = 0; t < LORA_TARGETS; t++)
            b->setup.lora.rank[t] = targets[t] ? b->set.lora_rank : 0;
        TRY(lora_check(&b->setup.lora, &b->h));
    }
    if (b->h.max_position_embeddings < b->setup.context)
        b->h.max_position_embeddings = b->setup.context;
    TRY(hparams_check(&b->h));
    b->plan = model_plan(&b->h, &b->setup);
    int64_t available = memory_available();
    char need[32], have[32];
    if (available >= 0 && b->plan.total > (size_t)available)
        return fail(
            ST_LIMIT,
            "the step needs %s and %s are free; lower --batch or --context, or take --recompute layer",
            human_bytes(need, (double)b->plan.total), human_bytes(have, (double)available));
    return ST_OK;
}

static Status bench_open(Bench *b)
{
    static const OptimizerSettings adamw_set = {.beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.1};
    TRY(ops_open(&b->dev, *b->set.ops ? b->set.ops : NULL, (int)b->set.threads));
    b->peak = b->set.peak_flops;
    if (b->peak <= 0)
        b->peak = measure_gemm(b->dev, b->setup.compute, MEASURE_BRIEFLY);
    if (b->set.profile)
        TRY(profile_attach(b->dev));
    TRY(model_open(&b->model, b->dev, &b->h, &b->setup));
    model_init(b->model, 1);
    TRY(clip_open(&b->clip, b->dev));
    TRY(optimizer_open(&b->optimizer, b->dev, b->model, &adamw_set));
    int64_t rows = b->setup.batch * b->setup.context;
    Rng rng;
    rng_seed(&rng, 1);
    b->ids = mem_array(int32_t, rows + 1);
    b->targets = mem_array(int32_t, rows);
    b->seconds = mem_array(double, b->set.steps);
    for (int64_t i = 0; i <= rows; i++)
        b->ids[i] = (int32_t)rng_below(&rng, (uint64_t)b->h.vocab_size);
    memcpy(b->targets, b->ids + 1, (size_t)rows * sizeof *b->targets);
    return ST_OK;
}

static void bench_close(Bench *b)
{
    optimizer_close(&b->optimizer);
    clip_close(&b->clip);
    model_close(b->model);
    device_close(b->dev);
    mem_free(b->ids);
    mem_free(b->targets);
    mem_free(b->seconds);
}

static Status one_step(Bench *b)
{
    double norm;
    Batch batch = {.ids = b->ids, .targets = b->targets};
    model_step(b->model, &batch, 1.0f / (float)(b->setup.batch * b->setup.context), false);
    Tensor gradients = model_gradients(b->model);
    TRY(clip_norm(&b->clip, &gradients, 1, &norm));
    if (!isfinite(norm))
        return fail(ST_DEVICE, "the gradient is not finite: an operation is wrong");
    optimizer_step(&b->optimizer, 1e-4, clip_factor(norm, 1));
    return device_sync(b->dev);
}

static Status bench_run(Bench *b)
{
    for (int64_t i = 0; i < b->set.warm_up; i++)
        TRY(one_step(b));
    if (b->set.profile)
        profile_reset(b->dev);
    for (int64_t i = 0; i < b->set.steps; i++) {
        double start = clock_now();
        TRY(one_step(b));
        b->seconds[i] = clock_now() - start;
        b->in_steps += b->seconds[i];
    }
    return ST_OK;
}

static void bench_print(Bench *b)
{
    int64_t n = b->set.steps, tokens = b->setup.batch * b->setup.context;
    double step = bench_median(b->seconds, n);
    double each = b->set.lora ? lora_train_flops(&b->h, &b->setup.lora, b->setup.context)
                              : hparams_train_flops(&b->h, b->setup.context);
    double flops = each * (double)tokens / step;
    double peak_bytes = (double)memory_peak();
    if (b->set.json) {
        json_t *j = json_pack(
            "{s:s, s:s, s:I, s:I, s:I, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I}", "preset",
            b->set.preset, "compute", dtype_name(b->setup.compute), "batch", (json_int_t)b->setup.batch,
            "context", (json_int_t)b->setup.context, "parameters", (json_int_t)hparams_param_count(&b->h),
            "threads", b->dev->threads, "step_ms", step * 1e3, "step_ms_min", b->seconds[0] * 1e3,
            "step_ms_max", b->seconds[n - 1] * 1e3, "tokens_per_s", (double)tokens / step,
            "model_flops_per_s", flops, "gemm_flops_per_s", b->peak, "mfu", flops / b->peak, "planned_bytes",
            (json_int_t)b->plan.total, "peak_bytes", (json_int_t)peak_bytes, "device_peak_bytes",
            (json_int_t)b->dev->peak_bytes);
        if (b->set.lora)
            json_object_set_new(j, "lora_rank", json_integer(b->set.lora_rank));
        if (b->set.profile)
            json_object_set_new(j, "operations", profile_to_json(b->dev, b->in_steps, n));
        cmd_print_json(j, 6);
        json_decref(j);
        return;
    }
    char count[32], planned[32], peak[32];
    printf("%s: %s parameters, %s, %lld x %lld tokens a step, %d threads\n", b->set.preset,
           human_count(count, (double)hparams_param_count(&b->h)), dtype_name(b->setup.compute),
           (long long)b->setup.batch, (long long)b->setup.context, b->dev->threads);
    printf("step %.1f ms (median of %lld; %.1f to %.1f)   %.0f tok/s   %.1f GFLOP/s   MFU %.1f%% of %.1f "
           "GFLOP/s\n",
           step * 1e3, (long long)n, b->seconds[0] * 1e3, b->seconds[n - 1] * 1e3, (double)tokens / step,
           flops * 1e-9, 100 * flops / b->peak, b->peak * 1e-9);
    printf("memory %s planned, %s at most\n", human_bytes(planned, (double)b->plan.total),
           human_bytes(peak, peak_bytes));
    if (b->set.profile) {
        putchar('\n');
        profile_print(b->dev, b->in_steps, n, stdout);
    }
}

static Status run(const Args *args, void *context)
{
    (void)args;
    Bench *b = context;
    Status st = bench_plan(b);
    if (st == ST_OK)
        st = bench_open(b);
    if (st == ST_OK)
        st = bench_run(b);
    if (st == ST_OK)
        bench_print(b);
    bench_close(b);
    return st;
}

int bench_train(int argc, char **argv)
{
    Bench b = {0};
    const ArgsTable tables[] = {{&bench_table, &b.set}};
    const Command command = {
        .usage = "[flags]",
        .about = "Times whole training steps (forward, backward, clipping, AdamW) on made-up ids.\n"
                 "FLOPs that count, a token: 6 (parameters - input embedding) + 6 L T C.  "
                 "With --lora: 4 for each number of\n"
                 "the frozen matrices and the head (forward, and the gradient of what goes in), "
                 "6 for each of the adapters,\n"
                 "and 6 L T C.\n"
                 "example: lemur bench train --preset 110m --lora --profile",
        COMMAND_TABLES(tables),
    };
    return cmd_run(&command, argc, argv, run, &b);
}
