#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "train/trainer_state.h"

/* Numbers are worth less than the run. */
static void told(Trainer *t, Status st)
{
    if (st == ST_OK || t->log_failed)
        return;
    t->log_failed = true;
    report_wipe(&t->report);
    log_warn("%s; the run goes on without a complete log", error_text());
}

Status trainer_log_open(Trainer *t)
{
    report_init(&t->report, t->c->log_every);
    if (!t->first)
        return ST_OK;
    bool resumed = t->folder.holds_run;
    char *path = path_join(t->folder.path, "log.jsonl");
    Status st = runlog_open(&t->log, path, resumed ? t->state.step : -1);
    mem_free(path);
    if (st == ST_OK)
        st = events_open(&t->events, t->folder.path, resumed ? t->state.step + 1 : 0);
    if (st == ST_OK && resumed) {
        runlog_begin(&t->log, t->state.step);
        runlog_text(&t->log, "event", "resume");
        runlog_int(&t->log, "unix_s", (int64_t)clock_unix());
        told(t, runlog_end(&t->log));
    }
    return st;
}

void trainer_log_close(Trainer *t)
{
    runlog_close(&t->log);
    events_close(&t->events);
}

static void scalar(Trainer *t, const char *tag, double value)
{
    if (isfinite(value))
        told(t, events_scalar(&t->events, t->state.step, tag, value));
}

void trainer_log_step(Trainer *t, const TrainStep *s)
{
    RunLog *l = &t->log;
    runlog_begin(l, s->step);
    runlog_real(l, "loss_nats", s->loss_nats);
    runlog_real(l, "lr", s->lr);
    runlog_real(l, "grad_norm", s->grad_norm);
    runlog_int(l, "tokens", s->tokens);
    runlog_real(l, "epoch",
                ((double)s->step * (double)t->plan.step_tokens +
                 (double)t->state.row_shift * (double)t->plan.context) /
                    (double)t->plan.epoch_tokens);
    runlog_real(l, "tokens_per_s", s->tokens_per_s);
    runlog_real(l, "step_ms", s->seconds * 1e3);
    runlog_real(l, "mfu", s->mfu);
    if (s->skipped)
        runlog_int(l, "skipped", 1);
    told(t, runlog_end(l));
    scalar(t, "train/loss_nats", s->loss_nats);
    scalar(t, "train/lr", s->lr);
    scalar(t, "train/grad_norm", s->grad_norm);
    scalar(t, "train/tokens_per_s", s->tokens_per_s);
    scalar(t, "train/mfu", s->mfu);
    if (clock_now() - t->events_flushed > 2 || s->step == s->total_steps) {
        told(t, events_flush(&t->events));
        t->events_flushed = clock_now();
    }
    report_step(&t->report, s);
}

static void add_losses(RunLog *l, const LossSum *s)
{
    runlog_real(l, "loss_nats", loss_per_token(s));
    runlog_real(l, "bits_per_byte", loss_bits_per_byte(s));
    runlog_int(l, "tokens", s->tokens);
    if (s->has_bytes)
        runlog_int(l, "bytes", s->bytes);
}

static const char *const kind_names[] = {"code", "text"};

static void scalars_of(Trainer *t, const char *group, const char *name, const LossSum *s)
{
    char tag[128];
    snprintf(tag, sizeof tag, "held_out/%s%.60s/loss_nats", group, name);
    scalar(t, tag, loss_per_token(s));
    snprintf(tag, sizeof tag, "held_out/%s%.60s/bits_per_byte", group, name);
    scalar(t, tag, loss_bits_per_byte(s));
}

void trainer_log_evaluation(Trainer *t)
{
    RunLog *l = &t->log;
    const LossReport *e = &t->evaluation;
    const ShardSource *sources = shards_sources(loader_set(t->held_out));
    runlog_begin(l, t->state.step);
    runlog_text(l, "event", "eval");
    runlog_real(l, "held_out_loss_nats", loss_per_token(&e->all));
    runlog_real(l, "held_out_bits_per_byte", loss_bits_per_byte(&e->all));
    runlog_int(l, "held_out_tokens", e->all.tokens);
    runlog_int(l, "held_out_rows", t->plan.eval_rows);
    runlog_real(l, "seconds", e->seconds);
    runlog_push(l, "kinds");
    for (int k = 0; k < 2; k++) {
        if (e->kind[k].tokens == 0)
            continue;
        runlog_push(l, kind_names[k]);
        add_losses(l, &e->kind[k]);
        runlog_pop(l);
        scalars_of(t, "", kind_names[k], &e->kind[k]);
    }
    runlog_pop(l);
    runlog_push(l, "sources");
    for (int32_t i = 0; i < e->sources_n; i++) {
        if (e->source[i].tokens == 0)
            continue;
        runlog_push(l, sources[i].name);
        add_losses(l, &e->source[i]);
        runlog_pop(l);
        scalars_of(t, "source/", sources[i].name, &e->source[i]);
    }
    runlog_pop(l);
    told(t, runlog_end(l));
    scalar(t, "held_out/loss_nats", loss_per_token(&e->all));
    scalar(t, "held_out/bits_per_byte", loss_bits_per_byte(&e->all));
    told(t, events_flush(&t->events));
    report_eval(&t->report, t->state.step, e, sources);
}

static json_t *losses_json(const LossSum *s)
{
    json_t *j = json_pack("{s:o, s:I}", "loss_nats", run_state_real(loss_per_token(s)), "tokens",
                          (json_int_t)s->tokens);
    double bits = loss_bits_per_byte(s);
    if (isfinite(bits)) {
        json_object_set_new(j, "bits_per_byte", json_real(bits));
        json_object_set_new(j, "bytes", json_integer(s->bytes));
    }
    return j;
}

/* The last evaluation. */
static json_t *held_out_json(const Trainer *t)
{
    const LossReport *e = &t->evaluation;
    const ShardSource *sources = shards_sources(loader_set(t->held_out));
    json_t *all = losses_json(&e->all), *kinds = json_object(), *by_source = json_object();
    for (int k = 0; k < 2; k++)
        if (e->kind[k].tokens > 0)
            json_object_set_new(kinds, kind_names[k], losses_json(&e->kind[k]));
    for (int32_t i = 0; i < e->sources_n; i++)
        if (e->source[i].tokens > 0)
            json_object_set_new(by_source, sources[i].name, losses_json(&e->source[i]));
    json_object_set_new(all, "rows", json_integer(t->plan.eval_rows));
    if (t->plan.eval_rows < t->plan.eval_rows_set)
        json_object_set_new(all, "rows_set", json_integer(t->plan.eval_rows_set));
    json_object_set_new(all, "kinds", kinds);
    json_object_set_new(all, "sources", by_source);
    return all;
}

json_t *trainer_log_results(const Trainer *t)
{
    bool diverged = divergence_is(&t->state.divergence);
    json_t *r = json_object();
    json_object_set_new(r, "status", json_string(diverged ? "diverged" : "done"));
    json_object_set_new(r, "steps", json_integer(t->state.step));
    json_object_set_new(r, "tokens", json_integer(t->state.tokens));
    json_object_set_new(r, "seconds", json_real(t->state.seconds));
    json_object_set_new(r, "parameters", json_integer(t->plan.parameters));
    json_object_set_new(r, "loss_nats", run_state_real(t->state.loss_nats));
    json_object_set_new(r, "peak_bytes", json_integer(memory_peak()));
    json_object_set_new(r, "planned_bytes", json_integer((json_int_t)t->plan.memory_bytes));
    if (diverged)
        json_object_set_new(r, "divergence", divergence_to_json(&t->state.divergence));
    if (t->evaluation.all.tokens > 0)
        json_object_set_new(r, "held_out", held_out_json(t));
    return r;
}

void trainer_rows_text(const Trainer *t, int64_t step, char *out, size_t size)
{
    const LoaderOrder *o = &t->step.order;
    int64_t n = o->micro_steps * t->c->batch;
    size_t used = 0;
    out[0] = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = loader_row_at(t->train, o, step, i / t->c->batch, i % t->c->batch);
        int wrote = snprintf(out + used, size - used, "%s%lld", i ? " " : "", (long long)row);
        if (wrote < 0 || (size_t)wrote + 5 > size - used) {
            snprintf(out + used, size - used, " ...");
            return;
        }
        used += (size_t)wrote;
    }
}

void trainer_log_spike(Trainer *t, const TrainStep *s)
{
    char rows[128];
    RunLog *l = &t->log;
    trainer_rows_text(t, t->state.step, rows, sizeof rows);
    report_wipe(&t->report);
    log_warn("step %lld stands out: loss %.3f (z %.1f), gradient norm %.2f (z %.1f)%s; its rows in %s: %s",
             (long long)s->step, s->loss_nats, s->loss_z, s->grad_norm, s->norm_z,
             s->skipped ? "; its update is skipped" : "", t->data, rows);
    runlog_begin(l, s->step);
    runlog_text(l, "event", "spike");
    runlog_real(l, "loss_z", s->loss_z);
    runlog_real(l, "norm_z", s->norm_z);
    runlog_text(l, "rows", rows);
    told(t, runlog_end(l));
}

static void add_course(RunLog *l, const Divergence *d)
{
    runlog_real(l, "loss_mean_nats", d->mean);
    runlog_real(l, "best_loss_mean_nats", d->best);
    runlog_int(l, "best_step", d->best_step);
    if (d->since)
        runlog_int(l, "since_step", d->since);
}

void trainer_log_course(Trainer *t)
{
    RunLog *l = &t->log;
    const Divergence *d = &t->state.divergence;
    int64_t step = t->state.step + 1;
    report_wipe(&t->report);
    if (divergence_is(d))
        log_warn("the run diverges: loss %.3f at step %lld, best %.3f at step %lld, far above it since step "
                 "%lld; unless it comes back, stop it and lower learning_rate",
                 d->mean, (long long)step, d->best, (long long)d->best_step, (long long)d->since);
    else
        log_info("step %lld: the loss has come back to %.3f", (long long)step, d->mean);
    runlog_begin(l, step);
    runlog_text(l, "event", divergence_is(d) ? "diverging" : "recovered");
    add_course(l, d);
    told(t, runlog_end(l));
}

void trainer_log_end(Trainer *t)
{
    RunLog *l = &t->log;
    bool diverged = divergence_is(&t->state.divergence);
    runlog_begin(l, t->state.step);
    runlog_text(l, "event", "end");
    runlog_text(l, "status", diverged ? "diverged" : "done");
    if (diverged)
        add_course(l, &t->state.divergence);
    told(t, runlog_end(l));
    told(t, runlog_sync(l));
}

void trainer_log_saved(Trainer *t, double seconds)
{
    RunLog *l = &t->log;
    runlog_begin(l, t->state.step);
    runlog_text(l, "event", "checkpoint");
    runlog_real(l, "seconds", seconds);
    told(t, runlog_end(l));
    told(t, runlog_sync(l));
    told(t, events_flush(&t->events));
}
