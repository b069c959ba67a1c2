#include "train/plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "train/budget.h"
#include "train/checkpoint.h"

/* Share of the peak that a run is assumed to reach until it has been measured. */
static const double likely_mfu = 0.6;
/* A few dozen conversations share a few rows, which a step takes at once: it is said where that comes to no
 * more. */
static const int64_t few_steps = 20;

static size_t kept_checkpoints(const TrainConfig *c, int64_t steps)
{
    int64_t made = steps > 0 ? budget_times(steps, c->save_every) : c->save_every >= 0;
    if (c->keep_checkpoints > 0 && made > c->keep_checkpoints)
        made = c->keep_checkpoints + 1; /* a new one is whole before the oldest goes */
    return (size_t)made;
}

/* Muon's products, its working memory, and the second moments that it does without. */
static void plan_muon(TrainPlan *plan, const HParams *h)
{
    Params p;
    int64_t first, end;
    params_init(&p, h);
    muon_span(&p, &first, &end);
    size_t spared = (size_t)(end - first) * sizeof(float), work = muon_bytes(&p, plan->setup.compute);
    plan->flops_per_update = muon_flops(&p, plan->setup.compute);
    plan->model.optimizer += work - spared;
    plan->model.total += work - spared;
    plan->checkpoint_bytes -= spared;
    params_drop(&p);
}

TrainPlan plan_of(const TrainConfig *c, const HParams *h, const ModelSetup *setup, const PlanData *data,
                  int ranks)
{
    bool adapters = lora_on(&setup->lora);
    int64_t T = data->context, N = c->batch * T;
    TrainPlan p = {
        .h = *h,
        .setup = *setup,
        .ranks = ranks,
        .parameters = hparams_param_count(h),
        .context = T,
        .step_tokens = N * c->grad_accumulation * ranks,
        .rows = data->rows,
        .held_out_rows = data->held_out_rows,
        .learned = data->learned,
        .held_out_learned = data->held_out_learned,
        .trained = adapters ? lora_param_count(h, &setup->lora) : hparams_param_count(h),
        .flops_per_token = adapters ? lora_train_flops(h, &setup->lora, T) : hparams_train_flops(h, T),
        .learned_flops_per_token = adapters ? lora_learned_flops(h, &setup->lora) : hparams_learned_flops(h),
        .host_bytes =
            (size_t)N * (4 * 4 * 2 + 4), /* ids, targets, positions, starts of two loaders; losses */
    };
    p.model = model_plan(h, &p.setup);
    p.checkpoint_bytes = checkpoint_bytes(p.trained);
    if (train_config_optimizer(c).muon)
        plan_muon(&p, h);
    p.epoch_tokens = p.rows * T;
    p.steps = train_config_steps(c, p.step_tokens, p.epoch_tokens, 0);
    p.eval_rows = c->eval_rows > 0 && c->eval_rows < p.held_out_rows ? c->eval_rows : p.held_out_rows;
    p.eval_rows_set = p.eval_rows;
    p.memory_bytes = p.model.total + p.host_bytes;
    size_t final = (size_t)p.trained * dtype_size(adapters ? DTYPE_F32 : train_config_final_dtype(c));
    p.disk_bytes = kept_checkpoints(c, p.steps) * p.checkpoint_bytes + final;
    return p;
}

TrainPlan plan_make(const TrainConfig *c, const HParams *h, const ModelSetup *setup, const Loader *train,
                    const Loader *held_out, int ranks)
{
    PlanData data = {
        .context = loader_context(train),
        .rows = shards_rows(loader_set(train)),
        .held_out_rows = held_out ? shards_rows(loader_set(held_out)) : 0,
        .learned = shards_learned(loader_set(train)),
        .held_out_learned = held_out ? shards_learned(loader_set(held_out)) : 1,
    };
    return plan_of(c, h, setup, &data, ranks);
}

/* Of `tokens` positions, so many of which are learned; forward and backward. */
static double work_of(const TrainPlan *p, double tokens, double learned)
{
    return tokens * (p->flops_per_token - p->learned_flops_per_token) + learned * p->learned_flops_per_token;
}

static double train_work(const TrainPlan *p)
{
    double tokens = (double)p->steps * (double)p->step_tokens;
    return work_of(p, tokens, tokens * p->learned);
}

double plan_seconds(const TrainPlan *p, const TrainConfig *c)
{
    if (p->steps < 0)
        return c->minutes * 60;
    double read = (double)(budget_times(p->steps, c->eval_every) * p->eval_rows * p->context);
    double again = p->setup.recompute == RECOMPUTE_LAYER ? 4.0 / 3 : 1;
    double forward = work_of(p, read, read * p->held_out_learned) / 3;
    double updates =
        (double)p->steps * p->flops_per_update * (double)p->ranks; /* every rank makes all of it */
    return (again * train_work(p) + forward + updates) / (likely_mfu * p->peak_flops * (double)p->ranks);
}

double plan_step_mfu(TrainPlan *p, double seconds, int64_t learned)
{
    double work = work_of(p, (double)p->step_tokens, (double)learned);
    double reached = work / (seconds * (double)p->ranks);
    if (p->peak_measured && reached > p->peak_flops)
        p->peak_flops = reached;
    return p->peak_flops > 0 ? reached / p->peak_flops : (double)NAN;
}

static void print_adapters(const TrainPlan *p)
{
    char n[32];
    const LoraSetup *s = &p->setup.lora;
    Str text = {0};
    for (int t = 0; t < LORA_TARGETS; t++)
        if (s->rank[t] > 0)
            str_addf(&text, "%s %s", text.n ? "," : "", lora_target_name(PARAM_Q + (ParamKind)t));
    int64_t rank = 0;
    double scale = 0;
    for (int t = LORA_TARGETS; t-- > 0;)
        if (s->rank[t] > 0) {
            rank = s->rank[t];
            scale = lora_scale(s, PARAM_Q + (ParamKind)t);
        }
    log_info("adapters %s parameters (%.2f %%): rank %lld, times %g, of%s%s%s; dropout %g",
             human_count(n, (double)p->trained), 100 * (double)p->trained / (double)p->parameters,
             (long long)rank, scale, str_c(&text), s->embed ? "; embed_tokens whole" : "",
             s->head ? "; lm_head whole" : "", s->dropout);
    str_drop(&text);
}

static void print_model(const TrainPlan *p, int threads)
{
    char n[32];
    const HParams *h = &p->h;
    log_info("model    %s parameters: %lld layers, width %lld, feed-forward %lld, %lld heads (%lld for "
             "keys), vocabulary %lld%s",
             human_count(n, (double)p->parameters), (long long)h->num_hidden_layers,
             (long long)h->hidden_size, (long long)h->intermediate_size, (long long)h->num_attention_heads,
             (long long)h->num_key_value_heads, (long long)h->vocab_size,
             h->tie_word_embeddings ? ", tied" : "");
    if (lora_on(&p->setup.lora))
        print_adapters(p);
    log_info("compute  %s products, %d threads%s%s", dtype_name(p->setup.compute), threads,
             p->setup.recompute == RECOMPUTE_LAYER ? ", layers recomputed" : "",
             p->ranks > 1 ? ", several ranks" : "");
}

static void print_data(const TrainPlan *p, const char *data)
{
    char tokens[32], share[48] = "";
    if (p->learned < 1)
        snprintf(share, sizeof share, ", of which %.1f%% are learned", 100 * p->learned);
    log_info("data     %s: %lld rows x %lld = %s tokens%s; %lld held-out rows, %lld an evaluation", data,
             (long long)p->rows, (long long)p->context, human_count(tokens, (double)p->epoch_tokens), share,
             (long long)p->held_out_rows, (long long)p->eval_rows);
}

static void print_work(const TrainPlan *p, const TrainConfig *c)
{
    char tokens[32], flops[32], time[32], step[32];
    log_info("step     %lld sequences x %lld micro-steps%s x %lld = %s tokens", (long long)c->batch,
             (long long)c->grad_accumulation, p->ranks > 1 ? " x ranks" : "", (long long)p->context,
             human_count(step, (double)p->step_tokens));
    if (p->steps < 0) {
        log_info("length   %s, which a measurement turns into steps%s", human_time(time, c->minutes * 60),
                 c->eval_every >= 0 && p->eval_rows > 0 ? "; evaluations get a third of it at most" : "");
        return;
    }
    double all = (double)p->steps * (double)p->step_tokens;
    log_info("length   %lld steps = %s tokens = %.2f epochs, %sFLOP", (long long)p->steps,
             human_count(tokens, all), all / (double)p->epoch_tokens, human_count(flops, train_work(p)));
    if (c->steps == 0 && c->tokens == 0 && p->steps < few_steps)
        log_warn("so few steps teach little; more come of more --epochs%s",
                 c->batch > 1 ? ", and of a smaller --batch" : "");
    if (p->peak_flops > 0)
        log_info("time     about %s, at %.0f%% of the %.0f GFLOP/s that products reach here",
                 human_time(time, plan_seconds(p, c)), 100 * likely_mfu, p->peak_flops * 1e-9);
    else
        log_info("time     known after the first steps");
}

static void print_memory(const TrainPlan *p)
{
    char all[32], w[32], g[32], o[32], a[32], l[32], have[32];
    const ModelPlan *m = &p->model;
    int64_t available = memory_available();
    log_info("memory   %s: weights %s, gradients %s, optimizer %s, activations %s, logits and scratch %s; "
             "available %s",
             human_bytes(all, (double)p->memory_bytes), human_bytes(w, (double)(m->master + m->copy)),
             human_bytes(g, (double)m->gradients), human_bytes(o, (double)m->optimizer),
             human_bytes(a, (double)m->activations), human_bytes(l, (double)(m->loss + m->scratch)),
             available < 0 ? "unknown" : human_bytes(have, (double)available));
}

/* Free bytes where `path` is or will be made; -1 unknown. */
static int64_t free_at(const char *path)
{
    char *at = mem_str(path);
    int64_t bytes = disk_free(at);
    for (char *slash; bytes < 0 && (slash = strrchr(at, '/')) && slash != at;) {
        *slash = 0;
        bytes = disk_free(at);
    }
    mem_free(at);
    return bytes >= 0 ? bytes : disk_free(path[0] == '/' ? "/" : ".");
}

static void print_disk(const TrainPlan *p, const TrainConfig *c, const char *output)
{
    char all[32], one[32], have[32];
    int64_t available = free_at(output);
    log_info("disk     %s in %s: checkpoints of %s (%s), and the %s; free %s",
             human_bytes(all, (double)p->disk_bytes), output, human_bytes(one, (double)p->checkpoint_bytes),
             c->save_every < 0         ? "none"
             : c->keep_checkpoints > 0 ? "the newest are kept"
                                       : "all are kept",
             checkpoint_result(lora_on(&p->setup.lora)),
             available < 0 ? "unknown" : human_bytes(have, (double)available));
}

void plan_print(const TrainPlan *p, const TrainConfig *c, const char *data, const char *output, int threads)
{
    print_model(p, threads);
    print_data(p, data);
    print_work(p, c);
    print_memory(p);
    print_disk(p, c, output);
}

static json_t *count_or_null(double n, bool known)
{
    return known ? json_integer((json_int_t)n) : json_null();
}

json_t *plan_json(const TrainPlan *p, const TrainConfig *c, const char *output)
{
    bool known = p->steps >= 0;
    double tokens = (double)p->steps * (double)p->step_tokens;
    int64_t memory = memory_available(), disk = free_at(output);
    json_t *j = json_object();
    json_object_set_new(j, "parameters", json_integer(p->parameters));
    json_object_set_new(j, "trained_parameters", json_integer(p->trained));
    json_object_set_new(j, "context", json_integer(p->context));
    json_object_set_new(j, "rows", json_integer(p->rows));
    json_object_set_new(j, "held_out_rows", json_integer(p->held_out_rows));
    json_object_set_new(j, "learned_share", json_real(p->learned));
    json_object_set_new(j, "step_tokens", json_integer(p->step_tokens));
    json_object_set_new(j, "steps", count_or_null((double)p->steps, known));
    json_object_set_new(j, "tokens", count_or_null(tokens, known));
    json_object_set_new(j, "epochs", known ? json_real(tokens / (double)p->epoch_tokens) : json_null());
    json_object_set_new(j, "flops", known ? json_real(train_work(p)) : json_null());
    json_object_set_new(j, "seconds",
                        !known || p->peak_flops > 0 ? json_real(plan_seconds(p, c)) : json_null());
    json_object_set_new(j, "memory_bytes", json_integer((json_int_t)p->memory_bytes));
    json_object_set_new(j, "memory_available_bytes", count_or_null((double)memory, memory >= 0));
    json_object_set_new(j, "checkpoint_bytes", json_integer((json_int_t)p->checkpoint_bytes));
    json_object_set_new(j, "disk_bytes", json_integer((json_int_t)p->disk_bytes));
    json_object_set_new(j, "disk_free_bytes", count_or_null((double)disk, disk >= 0));
    return j;
}

Status plan_check(const TrainPlan *p, const TrainConfig *c, const char *output, size_t held_bytes)
{
    char need[32], have[32];
    int64_t memory = memory_available(), disk = free_at(output);
    if (memory >= 0 && p->memory_bytes > (size_t)memory)
        return fail(ST_LIMIT,
                    "the run needs %s of memory and %s are available; lower batch (now %lld; raise "
                    "grad_accumulation to keep the step as it is)%s, or take a smaller model or context",
                    human_bytes(need, (double)p->memory_bytes), human_bytes(have, (double)memory),
                    (long long)c->batch,
                    p->setup.recompute == RECOMPUTE_LAYER ? "" : ", or set recompute to layer");
    if (disk >= 0 && p->disk_bytes > (size_t)disk + held_bytes)
        return fail(ST_LIMIT,
                    "the run will write %s to %s and %s are free there; lower keep_checkpoints (now %lld), "
                    "or choose another folder with -o",
                    human_bytes(need, (double)p->disk_bytes), output, human_bytes(have, (double)disk),
                    (long long)c->keep_checkpoints);
    return ST_OK;
}
