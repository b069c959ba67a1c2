/* The course of a run: train, evaluate, save, finish.  How it begins is trainer_open.c's; one step, step.c's;
 * what a checkpoint is, checkpoint.c's; what is logged, trainer_log.c's. */
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "train/checkpoint.h"
#include "train/ranks.h"
#include "train/trainer_state.h"

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

/* What is copied beside the weights may be moved away while the run trains. */
static const char *tokenizer_now(Trainer *t)
{
    bool gone = t->tokenizer && !path_exists(t->tokenizer);
    if (gone && !t->tokenizer_gone) {
        report_wipe(&t->report);
        log_warn("the vocabulary %s is no longer there: put it back, or what is saved from here on is "
                 "without one",
                 t->tokenizer);
    }
    t->tokenizer_gone = gone;
    return gone ? NULL : t->tokenizer;
}

static Status save_now(Trainer *t)
{
    Status st = ST_OK;
    double start = clock_now();
    if (t->first && t->saved_step != t->state.step) {
        TRY(check_weights(t));
        json_t *state = run_state_to_json(&t->state, t->c, &t->facts);
        st =
            checkpoint_write(t->folder.path, t->state.step, t->model, &t->optimizer, state, tokenizer_now(t));
        json_decref(state);
        if (st == ST_OK)
            st = checkpoint_prune(t->folder.path, t->state.step, t->c->keep_checkpoints,
                                  t->state.divergence.since);
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

/* The last one.  The model itself may fit where no checkpoint does, and it is what the run was for; weights
 * that are no numbers (ST_LIMIT) it shall not be. */
static Status save_at_the_end(Trainer *t)
{
    Status st = save_now(t);
    if (st == ST_OK || st == ST_LIMIT || strcmp(t->c->on_save_failure, "stop") == 0)
        return st;
    report_wipe(&t->report);
    log_warn("%s; earlier checkpoints are untouched, and the %s is written without this one", error_text(),
             checkpoint_result(t->c->lora));
    return ST_OK;
}

/* Training ------------------------------------------------------------------------------------ */

static Status interrupted(Trainer *t)
{
    report_wipe(&t->report);
    log_info("stopping after step %lld: saving everything (once more: quits at once)",
             (long long)t->state.step);
    TRY(save_now(t));
    return fail(ST_CANCELLED, "stopped after step %lld of %lld; go on with: lemur %s --resume -o %s",
                (long long)t->state.step, (long long)t->state.total_steps,
                t->job->verb ? t->job->verb : "train", t->folder.path);
}

/* One that is stopped is dropped, and made again when the run goes on. */
static Status evaluate(Trainer *t)
{
    Status st = loss_evaluate(&t->evaluation, t->model, t->held_out, t->comm, t->plan.eval_rows, t->job->stop,
                              t->losses);
    t->state.evaluation_due = st == ST_CANCELLED;
    if (st == ST_CANCELLED)
        return interrupted(t);
    TRY(st);
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

enum { ADVICE_MAX = 512 };

/* From which checkpoint to go on.  One from after the loss rose for good is no help, the newest or not. */
static void advise(const Trainer *t, char out[ADVICE_MAX])
{
    int64_t since = t->state.divergence.since;
    int64_t step = since > 0 ? checkpoint_newest_before(t->folder.path, since) : t->saved_step;
    if (step < 0)
        snprintf(out, ADVICE_MAX, "start anew with --overwrite: %s",
                 since > 0 ? "no checkpoint is from before the loss rose" : "there is no checkpoint yet");
    else if (since > 0)
        snprintf(out, ADVICE_MAX,
                 "go on from before the loss rose (step %lld) with --init %.300s/checkpoints/step-%08lld and "
                 "another -o",
                 (long long)since, t->folder.path, (long long)step);
    else
        snprintf(out, ADVICE_MAX,
                 "go on with --resume --accept-changes from the last good checkpoint, of step %lld",
                 (long long)step);
}

static Status not_finite(Trainer *t, const char *what, double value)
{
    char rows[128], advice[ADVICE_MAX];
    trainer_rows_text(t, t->state.step, rows, sizeof rows);
    advise(t, advice);
    report_wipe(&t->report);
    if (t->job->init && t->state.updates == 0)
        return fail(ST_LIMIT,
                    "the %s of the first step is not finite, before any update: the weights of %s are "
                    "damaged (some are infinite or not a number), or too large for %s products; take another "
                    "copy of the model, or try --compute f32, with --overwrite",
                    what, t->job->init, dtype_name(t->facts.compute));
    return fail(ST_LIMIT,
                "the %s of step %lld is %f. Lower learning_rate (peak %g) or lengthen the warm-up, and %s; "
                "or look at the rows it came from: %s",
                what, (long long)t->state.step + 1, value, t->c->learning_rate, advice, rows);
}

/* A run that diverges with finite losses goes on, since it may come back, but not in silence. */
static void watch_course(Trainer *t, double loss)
{
    Divergence *d = &t->state.divergence;
    bool before = divergence_is(d);
    divergence_add(d, t->state.step + 1, loss, t->h.vocab_size);
    if (divergence_is(d) != before && t->first)
        trainer_log_course(t);
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
    watch_course(t, g->loss_nats);
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
    /* Of all positions, learned or not: but for the head the work is the same. */
    s->tokens_per_s = (double)t->plan.step_tokens / s->seconds;
    s->mfu = plan_step_mfu(&t->plan, s->seconds, g.tokens);
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

static Status train(Trainer *t)
{
    if (t->state.evaluation_due && t->state.step < t->state.total_steps && wants_evaluation(t))
        TRY(evaluate(t));
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

static Status write_results(const Trainer *t)
{
    json_t *results = trainer_log_results(t);
    Status st = run_folder_write(&t->folder, "results.json", results);
    json_decref(results);
    return st;
}

/* All is saved, and nothing is well: the sentence that the run ends with. */
static Status diverged(const Trainer *t)
{
    char advice[ADVICE_MAX];
    const Divergence *d = &t->state.divergence;
    advise(t, advice);
    return fail(ST_LIMIT,
                "the run diverged: loss %.3f at step %lld, best %.3f at step %lld. Lower learning_rate (peak "
                "%g) or lengthen the warm-up, and %s. %s/%s holds the weights of the last step",
                d->mean, (long long)t->state.step, d->best, (long long)d->best_step, t->c->learning_rate,
                advice, t->folder.path, checkpoint_result(t->c->lora));
}

static Status finish(Trainer *t)
{
    if (wants_evaluation(t) && t->evaluated_step != t->state.step) /* killed between its last step and here */
        TRY(evaluate(t));
    if (t->c->save_every >= 0)
        TRY(save_at_the_end(t));
    if (!t->first)
        return divergence_is(&t->state.divergence) ? diverged(t) : ST_OK;
    TRY(checkpoint_export(t->folder.path, t->model, train_config_final_dtype(t->c), tokenizer_now(t)));
    TRY(write_results(t));
    trainer_log_end(t);
    report_wipe(&t->report);
    if (t->plan.eval_rows < t->plan.eval_rows_set)
        log_info("note     held-out losses are of %lld rows, not of %lld: the minutes allow no more",
                 (long long)t->plan.eval_rows, (long long)t->plan.eval_rows_set);
    if (divergence_is(&t->state.divergence))
        return diverged(t);
    const char *what = checkpoint_result(t->c->lora);
    log_info("done     %lld steps; the %s is in %s/%s", (long long)t->state.step, what, t->folder.path, what);
    return ST_OK;
}

/* The whole ----------------------------------------------------------------------------------- */

static Status say_complete(const Trainer *t)
{
    if (divergence_is(&t->state.divergence))
        return diverged(t);
    const char *what = checkpoint_result(t->c->lora);
    if (t->first)
        log_info("the run in %s is complete: %lld steps, the %s is in %s/%s", t->folder.path,
                 (long long)t->state.step, what, t->folder.path, what);
    if (t->first && t->saved_step >= 0)
        log_info("to train it further: lemur %s --resume --accept-changes -o %s --steps N, with N above %lld",
                 t->job->verb ? t->job->verb : "train", t->folder.path, (long long)t->state.step);
    return ST_OK;
}

static Status run(Trainer *t)
{
    TRY(trainer_open(t));
    if (t->job->dry_run)
        return ST_OK;
    if (t->complete)
        return say_complete(t);
    TRY(train(t));
    return finish(t);
}

Status train_run(const TrainConfig *config, const TrainJob *job, TrainResult *result)
{
    check(job->data && (job->output || job->dry_run));
    Trainer *t = mem_new(Trainer);
    *t = (Trainer){.c = config, .job = job, .folder = {.lock = -1}, .data = job->data, .evaluated_step = -1};
    Status st = run(t);
    *result = (TrainResult){
        .steps = t->state.step,
        .tokens = t->state.tokens,
        .seconds = t->state.seconds,
        .loss_nats = t->state.loss_nats,
        .held_out_nats = t->state.held_out_nats,
        .held_out_bits_per_byte = t->state.held_out_bits_per_byte,
        .held_out_rows = t->evaluated_step >= 0 ? t->plan.eval_rows : 0,
        .diverged =
            t->folder.path && t->state.step == t->state.total_steps && divergence_is(&t->state.divergence),
    };
    report_wipe(&t->report);
    trainer_close(t);
    mem_free(t);
    return st;
}
