#include "train/train_config.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"
#include "ops/select.h"
#include "train/spike.h"

static const char *const optimizer_names[] = {"adamw", "muon", NULL};
static const char *const order_names[] = {"packed", "shuffled", NULL};
static const char *const failure_names[] = {"continue", "stop", NULL};
static const char *const compute_names[] = {"auto", "bf16", "f32", NULL};
static const char *const recompute_names[] = {"none", "layer", NULL};
static const char *const final_names[] = {"bf16", "f16", "f32", NULL};

/* Defaults of AdamW, clipping and decay: Touvron et al. 2023, arXiv:2307.09288, section 2.2 (beta2 0.95,
 * decay 0.1, clip 1, cosine to a tenth). */
static const Field train_fields[] = {
    F_INT(TrainConfig, batch, 8, 1, 1 << 20,
          "sequences of a micro-step: the memory of activations grows with it"),
    F_INT(TrainConfig, grad_accumulation, 1, 1, 1 << 20, "micro-steps whose gradients make one step"),
    F_INT(TrainConfig, steps, 0, 0, 1e12, "length of the run in steps"),
    F_INT(TrainConfig, tokens, 0, 0, 1e18, "... or in tokens"),
    F_FLOAT(TrainConfig, epochs, 0, 0, 1e9, "... or in passes over the data; all four 0: one pass"),
    F_FLOAT(TrainConfig, minutes, 0, 0, 1e9,
            "... or in minutes, turned into steps by a measurement at the start"),
    F_FLOAT(TrainConfig, learning_rate, 6e-4, 0, 10, "peak learning rate"),
    F_FLOAT(TrainConfig, min_lr_ratio, 0.1, 0, 1, "learning rate at the end, as a share of the peak"),
    F_CHOICE(TrainConfig, schedule, "cosine", schedule_names, "how the learning rate goes from peak to end"),
    F_INT(TrainConfig, warmup_steps, -1, -1, 1e12, "steps of linear warm-up; -1: by warmup_ratio"),
    F_FLOAT(TrainConfig, warmup_ratio, 0.02, 0, 1, "share of the run that is warm-up"),
    F_FLOAT(TrainConfig, decay_ratio, 0.2, 0, 1, "share of the run that is decay, with schedule wsd"),
    F_CHOICE(TrainConfig, optimizer, "adamw", optimizer_names,
             "adamw, or muon for the matrices of layers and adamw for the rest"),
    F_FLOAT(TrainConfig, weight_decay, 0.1, 0, 10, "of matrices; norm weights are not decayed"),
    F_FLOAT(TrainConfig, beta1, 0.9, 0, 0.999999, "AdamW's memory of gradients"),
    F_FLOAT(TrainConfig, beta2, 0.95, 0, 0.99999997, /* as a float it is below 1 */
            "AdamW's memory of their squares"),
    F_FLOAT(TrainConfig, eps, 1e-8, 1e-30, 1, "AdamW's guard against division by zero"),
    F_FLOAT(TrainConfig, muon_momentum, 0.95, 0, 0.999999, "Muon's memory of gradients"),
    F_FLOAT(TrainConfig, grad_clip, 1.0, 0, 1e9, "longest gradient; 0: no clipping"),
    F_INT(TrainConfig, seed, 42, 0, 9007199254740991.0, "of the first weights and of the order of rows"),
    F_CHOICE(TrainConfig, order, "packed", order_names,
             "first epoch: rows as they were packed, or shuffled; later ones: shuffled"),
    F_INT(TrainConfig, eval_every, 250, -1, 1e12,
          "steps between evaluations on held-out rows; 0: at the end; -1: never"),
    F_INT(TrainConfig, eval_rows, 64, 0, 1e12, "held-out rows of an evaluation, spread evenly; 0: all"),
    F_INT(TrainConfig, save_every, 500, -1, 1e12,
          "steps between checkpoints; 0: at the end and when stopped; -1: never"),
    F_INT(TrainConfig, keep_checkpoints, 2, 0, 1e9, "newest checkpoints to keep; 0: all"),
    F_CHOICE(TrainConfig, on_save_failure, "continue", failure_names,
             "what to do when a checkpoint cannot be written"),
    F_CHOICE(TrainConfig, compute, "auto", compute_names,
             "type of matrix products; auto: bf16 where it is fast"),
    F_CHOICE(TrainConfig, recompute, "none", recompute_names,
             "activations to compute again in the backward pass: less memory, a third more work"),
    F_INT(TrainConfig, loss_rows, 0, 0, 1e9, "rows of logits that exist at a time; 0: a good default"),
    F_INT(TrainConfig, threads, 0, 0, 4096, "threads; 0: all this process may use"),
    F_INT(TrainConfig, log_every, 0, 0, 1e12, "steps between lines of progress; 0: one every few seconds"),
    F_INT(TrainConfig, spike_window, 128, SPIKE_LEAST, SPIKE_WINDOW_MAX,
          "steps that a loss spike is judged against"),
    F_FLOAT(TrainConfig, spike_threshold, 6, 0, 1e9,
            "deviations from their mean that make a spike; 0: never"),
    F_BOOL(TrainConfig, spike_skip, false,
           "skip the update of a spike, and of a gradient that is not finite"),
    F_CHOICE(TrainConfig, final_dtype, "bf16", final_names, "type of the weights in the model folder"),
    F_FLOAT(TrainConfig, peak_flops, 0, 0, 1e20,
            "FLOP/s that count as 100 % MFU; 0: measure a product at the start"),
    F_BOOL(TrainConfig, lora, false, "train low-rank adapters over the frozen model, instead of the model"),
    F_INT(TrainConfig, lora_rank, 16, 1, 65536, "rank of the adapters"),
    F_FLOAT(TrainConfig, lora_alpha, 0, 0, 1e9, "adapters count alpha / rank times; 0: twice the rank"),
    F_FLOAT(TrainConfig, lora_dropout, 0, 0, 0.999,
            "share of an adapter's inputs that it does not see while training"),
    F_STRING(TrainConfig, lora_targets, "all",
             "matrices with adapters: q,k,v,o,gate,up,down, attention, mlp, all"),
    F_STRING(TrainConfig, lora_save, "",
             "trained whole beside the adapters: embed, head (PEFT's modules_to_save)"),
    F_BOOL(TrainConfig, lora_rslora, false, "adapters count alpha / sqrt(rank) times"),
};
const FieldTable train_table = FIELD_TABLE(train_fields);

/* "embed,head", by our names and by PEFT's. */
static Status read_whole(LoraSetup *s, const char *text)
{
    for (Span word; list_next(&word, &text);)
        if (span_is(word, "embed") || span_is(word, "embed_tokens"))
            s->embed = true;
        else if (span_is(word, "head") || span_is(word, "lm_head"))
            s->head = true;
        else if (word.n)
            return fail(ST_ARG,
                        "lora_save: '%.*s' cannot be trained whole beside adapters; embed and head can",
                        word.n < 80 ? (int)word.n : 80, word.at);
    return ST_OK;
}

static Status lora_of(LoraSetup *out, const TrainConfig *c)
{
    bool targets[LORA_TARGETS];
    double alpha = c->lora_alpha > 0 ? c->lora_alpha : 2 * (double)c->lora_rank;
    *out = (LoraSetup){0};
    if (!c->lora)
        return ST_OK;
    LoraSetup s = lora_setup(c->lora_rank, alpha);
    Status st = lora_targets(targets, c->lora_targets);
    if (st != ST_OK)
        return fail_in(st, "lora_targets");
    for (int t = 0; t < LORA_TARGETS; t++)
        s.rank[t] = targets[t] ? s.rank[t] : 0;
    s.dropout = c->lora_dropout;
    s.rslora = c->lora_rslora;
    TRY(read_whole(&s, c->lora_save));
    *out = s;
    return ST_OK;
}

/* Whether anything about adapters is other than by default. */
static bool sets_adapters(const TrainConfig *c)
{
    TrainConfig plain = {0};
    config_defaults(&train_table, &plain);
    bool sets = c->lora_rank != plain.lora_rank || c->lora_alpha != plain.lora_alpha ||
                c->lora_dropout != plain.lora_dropout || strcmp(c->lora_targets, plain.lora_targets) != 0 ||
                strcmp(c->lora_save, plain.lora_save) != 0 || c->lora_rslora != plain.lora_rslora;
    config_drop(&train_table, &plain);
    return sets;
}

Status train_config_check(const TrainConfig *c)
{
    int given = (c->steps > 0) + (c->tokens > 0) + (c->epochs > 0) + (c->minutes > 0);
    if (given > 1)
        return fail(ST_ARG, "steps, tokens, epochs and minutes each say how long to train; give one of them");
    if (c->spike_skip && c->spike_threshold <= 0)
        return fail(ST_ARG, "spike_skip needs a spike_threshold above 0");
    if (c->lora && strcmp(c->optimizer, "muon") == 0)
        return fail(ST_ARG,
                    "muon moves whole matrices, and with --lora none is trained: adapters take adamw");
    if (!c->lora && sets_adapters(c))
        return fail(ST_ARG,
                    "a setting of adapters (lora_rank, lora_alpha, lora_dropout, lora_targets, lora_save or "
                    "lora_rslora) is given, and they are not asked for: pass --lora, too, or leave it out");
    LoraSetup lora;
    return lora_of(&lora, c);
}

bool train_config_is_harmless(const char *field)
{
    static const char *const harmless[] = {
        "eval_every",      "eval_rows", "save_every",  "keep_checkpoints",
        "on_save_failure", "log_every", "final_dtype", "peak_flops",
    };
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        if (strcmp(field, harmless[i]) == 0)
            return true;
    return false;
}

int64_t train_config_steps(const TrainConfig *c, int64_t step_tokens, int64_t epoch_tokens, int64_t more)
{
    double tokens;
    if (c->steps > 0)
        return c->steps;
    if (c->minutes > 0)
        return -1;
    if (c->tokens > 0)
        tokens = (double)c->tokens;
    else
        tokens = (c->epochs > 0 ? c->epochs : 1) * (double)epoch_tokens;
    double steps = floor((tokens - (double)more) / (double)step_tokens);
    return steps < 1 ? 1 : (int64_t)steps;
}

Schedule train_config_schedule(const TrainConfig *c, int64_t steps)
{
    Schedule s = {
        .peak = c->learning_rate,
        .min_ratio = c->min_lr_ratio,
        .total = steps,
        .warmup = c->warmup_steps >= 0 ? c->warmup_steps : (int64_t)(c->warmup_ratio * (double)steps),
        .decay = (int64_t)(c->decay_ratio * (double)steps),
    };
    for (int k = 0; k < SCHEDULE_COUNT; k++)
        if (strcmp(c->schedule, schedule_names[k]) == 0)
            s.kind = (ScheduleKind)k;
    return s;
}

OptimizerSettings train_config_optimizer(const TrainConfig *c)
{
    return (OptimizerSettings){.beta1 = c->beta1,
                               .beta2 = c->beta2,
                               .eps = c->eps,
                               .weight_decay = c->weight_decay,
                               .muon = strcmp(c->optimizer, "muon") == 0,
                               .muon_momentum = c->muon_momentum};
}

DType train_config_compute(const TrainConfig *c)
{
    return ops_compute(c->compute);
}

DType train_config_final_dtype(const TrainConfig *c)
{
    return strcmp(c->final_dtype, "bf16") == 0  ? DTYPE_BF16
           : strcmp(c->final_dtype, "f16") == 0 ? DTYPE_F16
                                                : DTYPE_F32;
}

ModelSetup train_config_setup(const TrainConfig *c, int64_t context)
{
    LoraSetup lora;
    check(lora_of(&lora, c) == ST_OK);
    return (ModelSetup){
        .lora = lora,
        .batch = c->batch,
        .context = context,
        .compute = train_config_compute(c),
        .training = true,
        .recompute = strcmp(c->recompute, "layer") == 0 ? RECOMPUTE_LAYER : RECOMPUTE_NONE,
        .loss_rows = c->loss_rows,
    };
}
