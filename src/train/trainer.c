/* The course of a run: open, plan, go on from where it stood, train, save.  One step is step.c's; what a
 * checkpoint is, checkpoint.c's; what must be equal on resume, run_state.c's; what is logged,
 * trainer_log.c's. */
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "ops/measure.h"
#include "ops/select.h"
#include "train/checkpoint.h"
#include "train/ranks.h"
#include "train/trainer_state.h"

/* Opening ------------------------------------------------------------------------------------- */

static Status open_data(Trainer *t)
{
    TRY(loader_open(&t->train, t->job->data, "train", t->c->batch));
    const ShardSet *set = loader_set(t->train);
    if (shards_rows(set) == 0)
        return fail(ST_ARG, "%s has no rows to train on; pack a larger corpus or shorter rows", t->job->data);
    TRY(loader_open(&t->held_out, t->job->data, "held_out", t->c->batch));
    if (shards_rows(loader_set(t->held_out)) > 0 &&
        (loader_context(t->held_out) != loader_context(t->train) ||
         shards_tokenizer_hash(loader_set(t->held_out)) != shards_tokenizer_hash(set)))
        return fail(ST_FORMAT, "%s: held-out rows are of another length or tokenizer than those to train on",
                    t->job->data);
    loss_report_init(&t->evaluation, t->held_out);
    return ST_OK;
}

static Status choose_shape(Trainer *t)
{
    int64_t vocab = shards_vocab_size(loader_set(t->train)), T = loader_context(t->train);
    t->h = t->job->hparams;
    if (t->job->init)
        TRY(hparams_read(&t->h, t->job->init));
    if (t->h.vocab_size == 0)
        t->h.vocab_size = vocab;
    bool padded = t->job->padded_vocab && t->h.vocab_size > vocab;
    if (t->h.vocab_size != vocab && !padded)
        return fail(
            ST_ARG,
            "wrong vocabulary: the model %shas %lld ids and the data in %s was packed with %lld; pack it "
            "again with the "
            "model's tokenizer%s",
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
    TRY(device_open_cpu(&t->dev, (int)t->c->threads));
    TRY(ops_attach(t->dev, NULL));
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
    };
    snprintf(t->facts.processor, sizeof t->facts.processor, "%s", cpu.name);
}

static void find_tokenizer(Trainer *t)
{
    const char *path = t->job->tokenizer ? t->job->tokenizer : shards_tokenizer_path(loader_set(t->train));
    if (!path && t->job->init)
        path = t->job->init;
    if (path && !path_exists(path)) {
        log_warn("the vocabulary %s is not there: model folders will be without one", path);
        path = NULL;
    }
    t->tokenizer = path ? mem_str(path) : NULL;
}

static Status plan(Trainer *t)
{
    t->plan = plan_make(t->c, &t->h, t->train, t->held_out, comm_size(t->comm));
    double peak = t->c->peak_flops;
    if (peak <= 0)
        peak = measure_gemm(t->dev, t->plan.setup.compute, MEASURE_BRIEFLY);
    TRY(device_sync(t->dev));
    t->plan.peak_flops = peak;
    const char *output = t->job->output ? t->job->output : ".";
    if (t->first)
        plan_print(&t->plan, t->c, t->job->data, output, t->dev->threads);
    size_t held = t->job->output ? (size_t)checkpoint_count(output) * t->plan.checkpoint_bytes : 0;
    return plan_check(&t->plan, t->c, output, t->job->resume || t->job->overwrite ? held : 0);
}

static Status open_model(Trainer *t)
{
    AdamW set = {t->c->beta1, t->c->beta2, t->c->eps, t->c->weight_decay};
    int64_t N = t->plan.setup.batch * t->plan.setup.context;
    TRY(model_open(&t->model, t->dev, &t->h, &t->plan.setup));
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

/* Evaluations in a run of n steps. */
static double evaluations(const TrainConfig *c, double n)
{
    return c->eval_every < 0 ? 0 : c->eval_every == 0 ? 1 : 1 + n / (double)c->eval_every;
}

/* Fixes how many more steps fit into the minutes that are left. */
static Status measure_length(Trainer *t)
{
    double step, batch, start = clock_now();
    TRY(step_measure(&t->step, &step, &batch));
    double evaluation = batch * ceil((double)t->plan.eval_rows / (double)t->c->batch);
    double left = t->c->minutes * 60 - (clock_now() - start) - evaluation;
    double per_step = step + (t->c->eval_every > 0 ? evaluation / (double)t->c->eval_every : 0);
    double steps = fmax(1, floor(left / per_step));
    TRY(ranks_follow_first(t->comm, &steps));
    t->state.total_steps = t->state.step + (int64_t)steps;
    if (t->first)
        log_info("length   %.0f steps of %.0f ms, and %.0f evaluations", steps, step * 1e3,
                 evaluations(t->c, steps));
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
    if (t->job->init)
        TRY(model_load(t->model, t->job->init));
    else
        model_init(t->model, (uint64_t)t->c->seed);
    return device_sync(t->dev);
}

/* A run that was killed before its first checkpoint has only its config.json: settings and length as they
 * were fixed. */
static Status start_again(Trainer *t, bool *length_changed)
{
    json_t *config = t->folder.config, *total = json_object_get(config, "total_steps");
    if (!config)
        return ST_OK;
    TRY(run_state_compare(config, t->c, &t->facts, t->job->accept_changes, length_changed));
    if (json_is_integer(total) && json_integer_value(total) > 0 && !*length_changed)
        t->state.total_steps = json_integer_value(total);
    return ST_OK;
}

static Status go_on(Trainer *t, const char *folder, const json_t *state, bool *length_changed)
{
    TRY(run_state_compare(state, t->c, &t->facts, t->job->accept_changes, length_changed));
    TRY(run_state_from_json(&t->state, t->c, state));
    TRY(checkpoint_load(folder, t->model, &t->optimizer));
    t->optimizer.steps = t->state.updates;
    t->saved_step = t->state.step;
    if (*length_changed)
        t->state.total_steps = 0;
    if (t->first)
        log_info("resumed  %s", folder);
    return ST_OK;
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
        if (t->job->resume && t->first)
            log_info("resumed  no checkpoint in %s yet: from the beginning", t->folder.path);
    }
    st = ST_OK;
    if (t->state.total_steps == 0 && t->plan.steps > 0)
        t->state.total_steps = t->plan.steps;
    else if (t->state.total_steps == 0)
        st = folder ? fail(ST_ARG, "minutes cannot be changed on resume; give steps, tokens or epochs")
                    : measure_length(t);
done:
    json_decref(state);
    mem_free(folder);
    return st;
}

/* The resolved settings, so that the folder says by itself how it came to be, and resume needs no flags. */
static Status write_config(Trainer *t)
{
    RunState start;
    if (!t->first)
        return ST_OK;
    run_state_init(&start, t->c);
    json_t *all = run_state_to_json(&start, t->c, &t->facts), *config = json_object();
    static const char *const kept[] = {"version", "settings", "facts", "model", "processor"};
    json_object_set_new(config, "data", json_string(t->job->data));
    json_object_set_new(config, "init", t->job->init ? json_string(t->job->init) : json_null());
    json_object_set_new(config, "tokenizer", t->tokenizer ? json_string(t->tokenizer) : json_null());
    json_object_set_new(config, "padded_vocab", json_boolean(t->job->padded_vocab));
    json_object_set_new(config, "total_steps", json_integer(t->state.total_steps));
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        json_object_set(config, kept[i], json_object_get(all, kept[i]));
    Status st = run_folder_write(&t->folder, "config.json", config);
    json_decref(config);
    json_decref(all);
    return st;
}

/* Saving -------------------------------------------------------------------------------------- */

/* A checkpoint of weights that are none would be found first on resume, and push sound ones out. */
static Status check_weights(Trainer *t)
{
    double norm;
    Tensor weights = model_weights(t->model);
    TRY(clip_norm(&t->clip, &weights, 1, &norm));
    return isfinite(norm) ? ST_OK
                          : fail(ST_LIMIT,
                                 "the weights of step %lld are not all finite: the run has gone astray, and "
                                 "they are not saved",
                                 (long long)t->state.step);
}

static Status save_now(Trainer *t)
{
    Status st = ST_OK;
    double start = clock_now();
    if (t->first && t->saved_step != t->state.step) {
        TRY(check_weights(t));
        json_t *state = run_state_to_json(&t->state, t->c, &t->facts);
        st = checkpoint_write(t->folder.path, t->state.step, t->model, &t->optimizer, state, t->tokenizer);
        json_decref(state);
        if (st == ST_OK)
            st = checkpoint_prune(t->folder.path, t->state.step, t->c->keep_checkpoints);
        if (st == ST_OK)
            trainer_log_saved(t, clock_now() - start);
    }
    TRY(st);
    t->saved_step = t->state.step;
    return comm_barrier(t->comm);
}

/* A save in the middle of a run.  What was saved before is still there, so the run may go on. */
static Status save_on_the_way(Trainer *t)
{
    Status st = save_now(t);
    if (st == ST_OK || strcmp(t->c->on_save_failure, "stop") == 0)
        return st;
    report_wipe(&t->report);
    if (st == ST_LIMIT) { /* check_weights: the next loss, if not this, ends the run */
        log_warn("%s", error_text());
        return ST_OK;
    }
    log_warn("%s; earlier checkpoints are untouched and the run goes on; make room, then `touch %s/save`",
             error_text(), t->folder.path);
    return ST_OK;
}

/* Training ------------------------------------------------------------------------------------ */

static Status evaluate(Trainer *t)
{
    TRY(loss_evaluate(&t->evaluation, t->model, t->held_out, t->comm, t->plan.eval_rows, t->losses));
    t->state.held_out_nats = loss_per_token(&t->evaluation.all);
    t->state.held_out_bits_per_byte = loss_bits_per_byte(&t->evaluation.all);
    t->evaluated_step = t->state.step;
    if (!t->first)
        return ST_OK;
    trainer_log_evaluation(t);
    const TrainHooks *hooks = &t->job->hooks;
    if (hooks->on_eval) {
        report_wipe(&t->report);
        hooks->on_eval(hooks->context, t->model, t->state.step, &t->evaluation, loader_set(t->held_out));
    }
    return ST_OK;
}

static Status not_finite(Trainer *t, const char *what, double value)
{
    char rows[128], last[128] = "there is no checkpoint yet";
    trainer_rows_text(t, t->state.step, rows, sizeof rows);
    if (t->saved_step >= 0)
        snprintf(last, sizeof last, "the last good checkpoint is of step %lld, and untouched",
                 (long long)t->saved_step);
    report_wipe(&t->report);
    if (t->job->init && t->state.updates == 0)
        return fail(ST_LIMIT,
                    "the %s of the first step is not finite, before any update: the weights of %s are damaged "
                    "(some are infinite or not a number), or too large for %s products; take another copy of "
                    "the model, or try --compute f32, with --overwrite",
                    what, t->job->init, dtype_name(t->facts.compute));
    return fail(ST_LIMIT,
                "the %s of step %lld is %f; %s. Lower learning_rate (peak %g) or lengthen the warm-up and go "
                "on with --resume "
                "--accept-changes, or look at the rows it came from: %s",
                what, (long long)t->state.step + 1, value, last, t->c->learning_rate, rows);
}

enum { SKIPS_IN_A_ROW = 8 };

/* Whether this step's gradients are used.  ST_LIMIT: the run has gone astray. */
static Status judge(Trainer *t, const StepGradients *g, TrainStep *s)
{
    if (!isfinite(g->loss_nats))
        return not_finite(t, "loss", g->loss_nats);
    if (!isfinite(g->grad_norm)) {
        if (!t->c->spike_skip || t->state.skipped_in_a_row >= SKIPS_IN_A_ROW)
            return not_finite(t, "gradient", g->grad_norm);
        s->skipped = true;
        return ST_OK;
    }
    s->loss_z = spike_add(&t->state.loss_window, g->loss_nats);
    s->norm_z = spike_add(&t->state.norm_window, g->grad_norm);
    bool spike = t->c->spike_threshold > 0 && fmax(s->loss_z, s->norm_z) > t->c->spike_threshold;
    /* A level that has changed for good is no spike: after a few skips it is learned from. */
    s->skipped = spike && t->c->spike_skip && t->state.skipped_in_a_row < SKIPS_IN_A_ROW;
    if (spike && t->first)
        trainer_log_spike(t, s);
    return ST_OK;
}

static Status train_step(Trainer *t, TrainStep *s)
{
    StepGradients g;
    double start = clock_now();
    *s = (TrainStep){.step = t->state.step + 1, .total_steps = t->state.total_steps};
    s->lr = schedule_lr(&t->schedule, t->state.step);
    TRY(step_gradients(&t->step, t->state.step, &g));
    s->loss_nats = g.loss_nats;
    s->grad_norm = g.grad_norm;
    TRY(judge(t, &g, s));
    if (!s->skipped)
        step_update(&t->step, &g, s->lr);
    TRY(device_sync(t->dev));
    t->state.step++;
    t->state.tokens += g.tokens;
    t->state.updates = t->optimizer.steps;
    t->state.skipped_in_a_row = s->skipped ? t->state.skipped_in_a_row + 1 : 0;
    t->state.loss_nats = g.loss_nats;
    s->tokens = t->state.tokens;
    s->seconds = clock_now() - start;
    t->state.seconds += s->seconds;
    s->tokens_per_s = (double)g.tokens / s->seconds;
    s->mfu = t->plan.peak_flops > 0
                 ? s->tokens_per_s * t->plan.flops_per_token / (t->plan.peak_flops * (double)t->plan.ranks)
                 : (double)NAN;
    return ST_OK;
}

static bool due(int64_t every, int64_t step)
{
    return every > 0 && step % every == 0;
}

static bool wants_evaluation(const Trainer *t)
{
    bool last = t->state.step == t->state.total_steps;
    return t->c->eval_every >= 0 && t->plan.eval_rows > 0 && (last || due(t->c->eval_every, t->state.step));
}

static Status interrupted(Trainer *t)
{
    report_wipe(&t->report);
    log_info("stopping after step %lld: saving everything (once more: quits at once)",
             (long long)t->state.step);
    TRY(save_now(t));
    return fail(ST_CANCELLED, "stopped after step %lld of %lld; go on with: lemur train --resume -o %s",
                (long long)t->state.step, (long long)t->state.total_steps, t->folder.path);
}

static Status train(Trainer *t)
{
    while (t->state.step < t->state.total_steps) {
        TrainStep s;
        TRY(train_step(t, &s));
        if (t->first) {
            trainer_log_step(t, &s);
            if (t->job->hooks.on_step)
                t->job->hooks.on_step(t->job->hooks.context, &s);
        }
        if (wants_evaluation(t))
            TRY(evaluate(t));
        RankWishes wish = {.stop = t->job->stop && *t->job->stop,
                           .save = t->first && run_folder_save_asked(&t->folder)};
        TRY(ranks_agree(t->comm, &wish));
        if (wish.stop && t->state.step < t->state.total_steps)
            return interrupted(t);
        if (wish.save || (due(t->c->save_every, t->state.step) && t->state.step < t->state.total_steps))
            TRY(save_on_the_way(t));
    }
    return ST_OK;
}

static Status write_results(Trainer *t)
{
    json_t *r = json_object();
    json_object_set_new(r, "steps", json_integer(t->state.step));
    json_object_set_new(r, "tokens", json_integer(t->state.tokens));
    json_object_set_new(r, "seconds", json_real(t->state.seconds));
    json_object_set_new(r, "parameters", json_integer(t->plan.parameters));
    json_object_set_new(r, "loss_nats", json_real(isfinite(t->state.loss_nats) ? t->state.loss_nats : 0));
    json_object_set_new(r, "peak_bytes", json_integer(memory_peak()));
    json_object_set_new(r, "planned_bytes", json_integer((json_int_t)t->plan.memory_bytes));
    if (t->evaluation.all.tokens > 0)
        json_object_set_new(r, "held_out", trainer_log_losses(t));
    Status st = run_folder_write(&t->folder, "results.json", r);
    json_decref(r);
    return st;
}

static Status finish(Trainer *t)
{
    if (wants_evaluation(t) && t->evaluated_step != t->state.step) /* killed between its last step and here */
        TRY(evaluate(t));
    if (t->c->save_every >= 0)
        TRY(save_now(t));
    if (!t->first)
        return ST_OK;
    TRY(checkpoint_export(t->folder.path, t->model, train_config_final_dtype(t->c), t->tokenizer));
    TRY(write_results(t));
    report_wipe(&t->report);
    log_info("done     %lld steps; the model is in %s/model", (long long)t->state.step, t->folder.path);
    return ST_OK;
}

/* The whole ----------------------------------------------------------------------------------- */

static void trainer_close(Trainer *t)
{
    trainer_log_close(t);
    optimizer_close(&t->optimizer);
    clip_close(&t->clip);
    model_close(t->model);
    comm_close(t->comm);
    device_close(t->dev);
    loader_close(t->train);
    loader_close(t->held_out);
    loss_report_drop(&t->evaluation);
    run_folder_close(&t->folder);
    mem_free(t->losses);
    mem_free(t->tokenizer);
}

static Status run(Trainer *t)
{
    TRY(train_config_check(t->c));
    TRY(open_data(t));
    TRY(choose_shape(t));
    TRY(open_device(t));
    find_facts(t);
    if (!t->job->dry_run)
        TRY(run_folder_open(&t->folder, t->job->output, t->job->resume, t->job->overwrite));
    TRY(plan(t));
    if (t->job->dry_run)
        return ST_OK;
    find_tokenizer(t);
    TRY(open_model(t));
    TRY(find_place(t));
    t->schedule = train_config_schedule(t->c, t->state.total_steps);
    TRY(run_folder_clear(&t->folder));
    TRY(write_config(t));
    TRY(trainer_log_open(t));
    TRY(train(t));
    return finish(t);
}

Status train_run(const TrainConfig *config, const TrainJob *job, TrainResult *result)
{
    check(job->data && (job->output || job->dry_run));
    Trainer *t = mem_new(Trainer);
    *t = (Trainer){.c = config, .job = job, .folder = {.lock = -1}, .evaluated_step = -1};
    Status st = run(t);
    *result = (TrainResult){
        .steps = t->state.step,
        .tokens = t->state.tokens,
        .seconds = t->state.seconds,
        .loss_nats = t->state.loss_nats,
        .held_out_nats = t->state.held_out_nats,
        .held_out_bits_per_byte = t->state.held_out_bits_per_byte,
    };
    report_wipe(&t->report);
    trainer_close(t);
    mem_free(t);
    return st;
}
