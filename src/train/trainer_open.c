/* How a run begins: what it is given is opened and compared, the plan is made, and the place is found where
 * it goes on. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/grow.h"
#include "ops/measure.h"
#include "ops/select.h"
#include "train/budget.h"
#include "train/checkpoint.h"
#include "train/ranks.h"
#include "train/trainer_state.h"

static Status open_data(Trainer *t)
{
    TRY(loader_open(&t->train, t->data, "train", t->c->batch));
    const ShardSet *set = loader_set(t->train);
    if (shards_rows(set) == 0)
        return fail(ST_ARG, "%s has no rows to train on; pack a larger corpus or shorter rows", t->data);
    TRY(loader_open(&t->held_out, t->data, "held_out", t->c->batch));
    if (shards_rows(loader_set(t->held_out)) > 0 &&
        (loader_context(t->held_out) != loader_context(t->train) ||
         shards_tokenizer_hash(loader_set(t->held_out)) != shards_tokenizer_hash(set)))
        return fail(ST_FORMAT, "%s: held-out rows are of another length or tokenizer than those to train on",
                    t->data);
    loss_report_init(&t->evaluation, t->held_out);
    return ST_OK;
}

/* Adapters stand on a model in any file; a model itself is read from a GGUF file, too. */
static Status open_base(Trainer *t)
{
    t->setup = train_config_setup(t->c, loader_context(t->train));
    if (t->c->lora && !t->job->init)
        return fail(
            ST_ARG,
            "adapters are trained over a model, on resume too, and it is missing: put it back where it was, "
            "or give one (lemur tune: -m, lemur train: --init)");
    if (!t->job->init || path_is_folder(t->job->init))
        return ST_OK;
    TRY(model_file_open(&t->base, t->job->init));
    if (t->c->lora)
        t->setup.base = t->base;
    return ST_OK;
}

static bool may_grow(const Trainer *t)
{
    return t->job->init && t->job->grow_vocab;
}

static Status choose_shape(Trainer *t)
{
    int64_t vocab = shards_vocab_size(loader_set(t->train)), T = loader_context(t->train);
    t->h = t->job->hparams;
    TRY(open_base(t));
    if (t->base)
        t->h = *model_file_hparams(t->base);
    else if (t->job->init)
        TRY(hparams_read(&t->h, t->job->init));
    if (t->h.vocab_size == 0)
        t->h.vocab_size = vocab;
    bool padded = t->job->padded_vocab && t->h.vocab_size > vocab, news = t->job->new_ids;
    if (may_grow(t) && t->h.vocab_size < vocab) {
        log_info("grown    from %lld to %lld ids: new rows of the embedding and the head begin as the mean "
                 "of the others",
                 (long long)t->h.vocab_size, (long long)vocab);
        t->h.vocab_size = vocab;
        news = true;
    }
    if (news && t->c->lora) /* rows that nobody knows yet are learned, or the model never says the new ids */
        t->setup.lora.embed = t->setup.lora.head = true;
    if (t->h.vocab_size != vocab && !padded)
        return fail(
            ST_ARG,
            "wrong vocabulary: the model %shas %lld ids and the data in %s was packed with %lld; pack it "
            "again with the model's tokenizer%s",
            t->job->init ? "to start from " : "", (long long)t->h.vocab_size, t->job->data, (long long)vocab,
            t->h.vocab_size > vocab ? ", or pass --padded-vocab if the model's embedding is only padded"
                                    : "");
    if (t->job->init && T > t->h.max_position_embeddings)
        log_warn("rows of %lld tokens are longer than the %lld positions the model was made for",
                 (long long)T, (long long)t->h.max_position_embeddings);
    if (t->h.max_position_embeddings < T)
        t->h.max_position_embeddings = T;
    return hparams_check(&t->h);
}

static Status open_device(Trainer *t)
{
    TRY(ops_open(&t->dev, NULL, (int)t->c->threads));
    TRY(comm_open(&t->comm, t->dev));
    t->first = comm_rank(t->comm) == 0;
    return ST_OK;
}

static void find_facts(Trainer *t)
{
    const ShardSet *set = loader_set(t->train);
    CpuFeatures cpu = cpu_features();
    t->facts = (RunFacts){
        .h = t->h,
        .data_hash = shards_hash(set),
        .tokenizer_hash = shards_tokenizer_hash(set),
        .threads = t->dev->threads,
        .ranks = comm_size(t->comm),
        .context = loader_context(t->train),
        .compute = train_config_compute(t->c),
        .has_base = t->c->lora,
    };
    snprintf(t->facts.processor, sizeof t->facts.processor, "%s", cpu.name);
}

static void find_tokenizer(Trainer *t)
{
    const char *path = t->job->tokenizer ? t->job->tokenizer : shards_tokenizer_path(loader_set(t->train));
    mem_free(t->tokenizer);
    if (!path && t->job->init && path_is_folder(t->job->init))
        path = t->job->init;
    if (path && !path_exists(path)) {
        log_warn("the vocabulary %s is not there: model folders will be without one", path);
        path = NULL;
    }
    t->tokenizer = path ? mem_str(path) : NULL;
}

static Status plan(Trainer *t)
{
    t->plan = plan_make(t->c, &t->h, &t->setup, t->train, t->held_out, comm_size(t->comm));
    double peak = t->c->peak_flops;
    if (peak <= 0)
        peak = measure_gemm(t->dev, t->plan.setup.compute, MEASURE_BRIEFLY);
    TRY(device_sync(t->dev));
    t->plan.peak_flops = peak;
    t->plan.peak_measured = t->c->peak_flops <= 0;
    const char *output = t->job->output ? t->job->output : ".";
    if (t->first)
        plan_print(&t->plan, t->c, t->job->data_place ? t->job->data_place : t->data, output,
                   t->dev->threads);
    size_t held = t->job->output ? (size_t)checkpoint_count(output) * t->plan.checkpoint_bytes : 0;
    return plan_check(&t->plan, t->c, output, t->job->resume || t->job->overwrite ? held : 0);
}

/* The model to start from, or the base under adapters. */
static Status load_init(Trainer *t)
{
    if (t->base)
        return t->job->grow_vocab ? grow_load_file(t->model, t->base) : model_load_file(t->model, t->base);
    return t->job->grow_vocab ? grow_load(t->model, t->job->init) : model_load(t->model, t->job->init);
}

static Status open_model(Trainer *t)
{
    OptimizerSettings set = train_config_optimizer(t->c);
    int64_t N = t->plan.setup.batch * t->plan.setup.context;
    TRY(model_open(&t->model, t->dev, &t->h, &t->plan.setup));
    t->plan.setup.base = t->setup.base = NULL;
    if (t->c->lora) {
        TRY(load_init(t));
        TRY(model_base_hash(t->model, &t->facts.base_hash));
    }
    TRY(optimizer_open(&t->optimizer, t->dev, t->model, &set));
    TRY(clip_open(&t->clip, t->dev));
    t->losses = mem_array(float, N);
    t->step = (Step){
        .dev = t->dev,
        .comm = t->comm,
        .model = t->model,
        .optimizer = &t->optimizer,
        .clip = &t->clip,
        .loader = t->train,
        .order = {.seed = (uint64_t)t->c->seed,
                  .packed = strcmp(t->c->order, "packed") == 0,
                  .micro_steps = t->c->grad_accumulation,
                  .ranks = comm_size(t->comm),
                  .rank = comm_rank(t->comm)},
        .grad_clip = t->c->grad_clip,
        .losses = t->losses,
    };
    return ST_OK;
}

/* Where the run stands ------------------------------------------------------------------------ */

/* The plan's rows, or the fewer that the minutes of this run allowed when they were measured. */
static void limit_evaluation(Trainer *t)
{
    if (t->state.eval_rows > 0 && t->state.eval_rows < t->plan.eval_rows)
        t->plan.eval_rows = t->state.eval_rows;
}

static void say_length(const Trainer *t, double step_seconds)
{
    int64_t steps = t->state.total_steps - t->state.step;
    int64_t evaluations = t->plan.eval_rows > 0 ? budget_times(steps, t->c->eval_every) : 0;
    log_info("length   %lld steps of %.0f ms, and %lld evaluations of %lld rows%s", (long long)steps,
             step_seconds * 1e3, (long long)evaluations, (long long)t->plan.eval_rows,
             t->plan.eval_rows < t->plan.eval_rows_set
                 ? ": fewer than eval_rows asks for, so that they take a third of the time at most"
                 : "");
}

/* Fixes how many more steps, and how many rows an evaluation, fit into the minutes that are left. */
static Status measure_length(Trainer *t)
{
    const double long_enough = 2;
    double step, batch, start = clock_now(), all = t->c->minutes * 60;
    TRY(step_measure(&t->step, fmin(long_enough, all / 10), &step, &batch));
    BudgetNeeds needs = {
        .seconds = all - (clock_now() - start),
        .step_seconds = step,
        .batch_seconds = batch,
        .round_rows = t->c->batch * comm_size(t->comm),
        .eval_every = t->c->eval_every,
        .eval_rows = t->plan.eval_rows,
    };
    Budget fit = budget_fit(&needs);
    double steps = (double)fit.steps, rows = (double)fit.eval_rows;
    TRY(ranks_follow_first(t->comm, &steps));
    TRY(ranks_follow_first(t->comm, &rows));
    t->state.total_steps = t->state.step + (int64_t)steps;
    t->state.eval_rows = (int64_t)rows < t->plan.eval_rows ? (int64_t)rows : 0;
    limit_evaluation(t);
    if (t->first)
        say_length(t, step);
    return ST_OK;
}

static Status start_afresh(Trainer *t)
{
    const char *began = json_string_value(json_object_get(t->folder.config, "init"));
    run_state_init(&t->state, t->c);
    if (began && !t->job->init)
        return fail(
            ST_ARG,
            "the run began from the model %s, which is needed again because there is no checkpoint yet",
            began);
    if (t->c->lora)
        model_init_adapters(t->model, (uint64_t)t->c->seed);
    else if (t->job->init)
        TRY(load_init(t));
    else
        model_init(t->model, (uint64_t)t->c->seed);
    return device_sync(t->dev);
}

/* A run that was killed before its first checkpoint has only its config.json: settings and length as they
 * were fixed. */
static Status start_again(Trainer *t, bool *length_changed)
{
    json_t *config = t->folder.config, *total = json_object_get(config, "total_steps");
    json_t *rows = json_object_get(config, "eval_rows");
    if (!config)
        return ST_OK;
    TRY(run_state_compare(config, t->c, &t->facts, t->job->accept_changes, length_changed));
    if (json_is_integer(total) && json_integer_value(total) > 0 && !*length_changed) {
        t->state.total_steps = json_integer_value(total);
        t->state.eval_rows = json_integer_value(rows);
    }
    return ST_OK;
}

/* Changes that were accepted once stand in config.json before any checkpoint has them. */
static bool accepts(const Trainer *t)
{
    return t->job->accept_changes || (t->folder.config && run_state_same(t->folder.config, t->c, &t->facts));
}

static Status go_on(Trainer *t, const char *folder, const json_t *state, bool *length_changed)
{
    TRY(run_state_compare(state, t->c, &t->facts, accepts(t), length_changed));
    TRY(run_state_from_json(&t->state, t->c, state));
    TRY(checkpoint_load(folder, t->model, &t->optimizer));
    TRY(run_state_keep_place(&t->state, state, t->plan.step_tokens / t->plan.context));
    t->step.order.shift = t->state.row_shift;
    t->optimizer.steps = t->state.updates;
    t->saved_step = t->state.step;
    if (*length_changed)
        t->state.total_steps = t->state.eval_rows = 0;
    if (t->first)
        log_info("resumed  %s", folder);
    return ST_OK;
}

/* The plan's steps; fewer or more where the run has seen part of its rows in steps of another size. */
static int64_t planned_steps(const Trainer *t)
{
    const TrainPlan *p = &t->plan;
    int64_t more = t->state.row_shift * p->context;
    int64_t steps = train_config_steps(t->c, p->step_tokens, p->epoch_tokens, more);
    if (steps != p->steps && t->first)
        log_info("length   %lld steps more, to step %lld: the steps before were of another size",
                 (long long)(steps - t->state.step), (long long)steps);
    return steps;
}

static Status find_place(Trainer *t)
{
    Status st;
    char *folder = NULL;
    json_t *state = NULL;
    bool length_changed = false;
    t->saved_step = -1;
    if (t->folder.holds_run)
        TRY_TO(done, checkpoint_find(&folder, &state, t->folder.path));
    if (folder) {
        TRY_TO(done, go_on(t, folder, state, &length_changed));
    } else {
        TRY_TO(done, start_afresh(t));
        if (t->folder.holds_run)
            TRY_TO(done, start_again(t, &length_changed));
    }
    st = ST_OK;
    limit_evaluation(t);
    if (t->state.total_steps == 0 && t->plan.steps > 0)
        t->state.total_steps = planned_steps(t);
    else if (t->state.total_steps == 0)
        st = folder ? fail(ST_ARG, "minutes cannot be changed on resume; give steps, tokens or epochs")
                    : measure_length(t);
    if (st == ST_OK && t->state.step > t->state.total_steps)
        st = fail(
            ST_ARG,
            "%s stands at step %lld, beyond the %lld steps that it is to have; give it that many at least, "
            "or start anew with --overwrite",
            t->folder.path, (long long)t->state.step, (long long)t->state.total_steps);
done:
    json_decref(state);
    mem_free(folder);
    return st;
}

static double real_in(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

/* The end of a run that kept no checkpoint, as its results tell it. */
static Status take_results(RunState *s, const json_t *results)
{
    const json_t *held_out = json_object_get(results, "held_out");
    s->step = s->total_steps;
    s->tokens = json_integer_value(json_object_get(results, "tokens"));
    s->seconds = real_in(results, "seconds");
    s->loss_nats = real_in(results, "loss_nats");
    s->held_out_nats = real_in(held_out, "loss_nats");
    s->held_out_bits_per_byte = real_in(held_out, "bits_per_byte");
    return divergence_from_json(&s->divergence, json_object_get(results, "divergence"));
}

/* Sets `complete`: the run that is resumed has come to its end, and all that it was to leave is there.
 * Another type for the model's weights, or a result that was deleted, is something to do still.  How it ended
 * its results tell where no checkpoint does. */
static void find_end(Trainer *t)
{
    const json_t *settings = json_object_get(t->folder.config, "settings");
    const char *dtype = json_string_value(json_object_get(settings, "final_dtype"));
    char *results = path_join(t->folder.path, "results.json");
    char *model = path_join(t->folder.path, checkpoint_result(t->c->lora));
    json_t *found = NULL;
    t->complete =
        path_exists(results) && path_exists(model) && dtype && strcmp(dtype, t->c->final_dtype) == 0 &&
        json_file_read(&found, results) == ST_OK &&
        json_integer_value(json_object_get(found, "steps")) == t->state.total_steps &&
        (t->saved_step < 0 ? take_results(&t->state, found) == ST_OK : t->state.step == t->state.total_steps);
    json_decref(found);
    mem_free(model);
    mem_free(results);
}

/* The resolved settings, so that the folder says by itself how it came to be, and resume needs no flags. */
static Status write_config(Trainer *t)
{
    RunState start;
    if (!t->first)
        return ST_OK;
    TRY(run_folder_unlink(&t->folder, "results.json")); /* of a run that goes on beyond its end */
    run_state_init(&start, t->c);
    json_t *all = run_state_to_json(&start, t->c, &t->facts), *config = json_object();
    static const char *const kept[] = {"version", "settings", "facts", "model", "processor"};
    json_object_set_new(config, "data", json_string(t->data));
    json_object_set_new(config, "init", t->job->init ? json_string(t->job->init) : json_null());
    json_object_set_new(config, "tokenizer", t->tokenizer ? json_string(t->tokenizer) : json_null());
    json_object_set_new(config, "padded_vocab", json_boolean(t->job->padded_vocab));
    if (t->job->grow_vocab)
        json_object_set_new(config, "grow_vocab", json_true());
    if (t->job->new_ids)
        json_object_set_new(config, "new_ids", json_true());
    json_object_set_new(config, "total_steps", json_integer(t->state.total_steps));
    json_object_set_new(config, "eval_rows", json_integer(t->state.eval_rows));
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        json_object_set(config, kept[i], json_object_get(all, kept[i]));
    Status st = run_folder_write(&t->folder, "config.json", config);
    json_decref(config);
    json_decref(all);
    return st;
}

/* Opens the run's folder, or takes the caller's. */
static Status open_folder(Trainer *t)
{
    if (!t->job->folder)
        return run_folder_open(&t->folder, t->job->output, t->job->resume, t->job->overwrite);
    t->folder = *t->job->folder;
    return ST_OK;
}

/* A run that stands on what it deletes would be the last to see it. */
static Status check_spared(const Trainer *t)
{
    TRY(run_folder_spares(&t->folder, "the model to start from", t->job->init));
    TRY(run_folder_spares(&t->folder, "the data", t->data));
    return run_folder_spares(&t->folder, "the vocabulary", t->tokenizer);
}

/* The rows that were prepared beside those of the run before take their place, and are read from there. */
static Status move_data(Trainer *t)
{
    if (!t->job->data_place)
        return ST_OK;
    if (t->first)
        TRY(shards_move(t->data, t->job->data_place));
    TRY(comm_barrier(t->comm));
    t->data = t->job->data_place;
    loader_close(t->train);
    loader_close(t->held_out);
    loss_report_drop(&t->evaluation);
    t->train = t->held_out = t->step.loader = NULL;
    TRY(open_data(t));
    t->step.loader = t->train;
    find_tokenizer(t);
    return ST_OK;
}

/* The whole ----------------------------------------------------------------------------------- */

Status trainer_open(Trainer *t)
{
    TRY(train_config_check(t->c));
    TRY(open_data(t));
    TRY(choose_shape(t));
    TRY(open_device(t));
    find_facts(t);
    if (!t->job->dry_run)
        TRY(open_folder(t));
    TRY(plan(t));
    if (t->job->dry_run && t->job->plan)
        *t->job->plan = plan_json(&t->plan, t->c, t->job->output ? t->job->output : ".");
    if (t->job->dry_run)
        return ST_OK;
    find_tokenizer(t);
    TRY(check_spared(t));
    TRY(open_model(t));
    TRY(find_place(t));
    find_end(t);
    if (t->complete)
        return ST_OK;
    if (t->job->resume && t->saved_step < 0 && t->first)
        log_info("resumed  no checkpoint in %s yet: from the beginning", t->folder.path);
    t->schedule = train_config_schedule(t->c, t->state.total_steps);
    TRY(run_folder_clear(&t->folder));
    TRY(move_data(t));
    TRY(write_config(t));
    return trainer_log_open(t);
}

void trainer_close(Trainer *t)
{
    trainer_log_close(t);
    optimizer_close(&t->optimizer);
    clip_close(&t->clip);
    model_close(t->model);
    comm_close(t->comm);
    device_close(t->dev);
    model_file_close(t->base);
    loader_close(t->train);
    loader_close(t->held_out);
    loss_report_drop(&t->evaluation);
    if (!t->job->folder)
        run_folder_close(&t->folder);
    mem_free(t->losses);
    mem_free(t->tokenizer);
}
