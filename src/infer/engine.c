#include "infer/engine.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/thread.h"
#include "infer/engine_state.h"

enum { DEFAULT_QUEUE = 1024, DEFAULT_PREFILL_ROWS = 64 };

/* Waiting and freeing. ----------------------------------------------------------------------------------- */

static void cond_init(pthread_cond_t *c)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(c, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void engine_wait(Engine *e, pthread_cond_t *on, double seconds)
{
    struct timespec until;
    if (seconds < 0 || seconds > 1e9) {
        pthread_cond_wait(on, &e->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    double whole = floor(seconds);
    until.tv_sec += (time_t)whole;
    until.tv_nsec += (long)((seconds - whole) * 1e9);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(on, &e->lock, &until);
}

void engine_let_go(Engine *e)
{
    bool last = --e->holders == 0;
    pthread_mutex_unlock(&e->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&e->lock);
    pthread_cond_destroy(&e->work);
    pthread_cond_destroy(&e->room);
    array_drop(&e->inbox);
    array_drop(&e->cancels);
    mem_free(e);
}

/* A turn: with the lock, requests come in; without it, the pass runs; with it, events go out. ------------ */

static void collect(Engine *e)
{
    for (size_t i = 0; i < e->inbox.n; i++)
        scheduler_add(e->scheduler, e->inbox.at[i]);
    array_clear(&e->inbox);
    for (size_t i = 0; i < e->cancels.n; i++)
        e->cancels.at[i]->sequence->cancelled = true;
    array_clear(&e->cancels);
}

static void forget_cancel(Engine *e, const Request *r)
{
    for (size_t i = 0; i < e->cancels.n; i++)
        if (e->cancels.at[i] == r)
            e->cancels.at[i--] = e->cancels.at[--e->cancels.n];
}

static void count(Engine *e)
{
    const Scheduler *s = e->scheduler;
    e->stats.running = (int64_t)s->running.n;
    e->stats.waiting = (int64_t)(s->waiting.n + e->inbox.n);
    e->stats.pages = pages_total(s->pages);
    e->stats.pages_free = pages_unused(s->pages);
    e->stats.pages_cached = pages_cached(s->pages);
    e->stats.passes = s->counts.passes;
    e->stats.rows = s->counts.rows;
    e->stats.prompt_tokens = s->counts.prompt_tokens;
    e->stats.cached_tokens = s->counts.cached_tokens;
    e->stats.tokens = s->counts.tokens;
    e->stats.preemptions = s->counts.preemptions;
    e->queued = s->fresh + (int64_t)e->inbox.n;
}

static void finish_request(Engine *e, Request *r)
{
    r->result = r->sequence->result;
    r->error = r->sequence->error;
    r->sequence = NULL;
    r->over = true;
    forget_cancel(e, r);
    if (!r->abandoned)
        return;
    events_drop(&r->incoming);
    pthread_cond_destroy(&r->came);
    mem_free(r);
    e->holders--; /* not the last one: whoever runs turns holds the engine, too */
}

static void publish(Engine *e)
{
    const Sequences *spoke = &e->scheduler->spoke;
    for (size_t i = 0; i < spoke->n; i++) {
        Sequence *q = spoke->at[i];
        Request *r = q->owner;
        events_move(&r->incoming, &q->events);
        pthread_cond_signal(&r->came);
        if (r->notify)
            r->notify(r->notify_context);
        if (q->finished)
            finish_request(e, r);
    }
    count(e);
    pthread_cond_broadcast(&e->room);
}

/* Outside the lock: constraints are closed here, and that is others' code. */
static void free_finished(Engine *e)
{
    Sequences *spoke = &e->scheduler->spoke;
    for (size_t i = 0; i < spoke->n; i++)
        if (spoke->at[i]->finished)
            sequence_free(spoke->at[i]);
    array_clear(spoke);
}

void engine_turn(Engine *e)
{
    pthread_mutex_lock(&e->lock);
    collect(e);
    pthread_mutex_unlock(&e->lock);
    scheduler_turn(e->scheduler);
    pthread_mutex_lock(&e->lock);
    publish(e);
    pthread_mutex_unlock(&e->lock);
    free_finished(e);
}

static void *run(void *engine)
{
    Engine *e = engine;
    const Scheduler *s = e->scheduler;
    for (;;) {
        pthread_mutex_lock(&e->lock);
        while (!e->closing && s->running.n + s->waiting.n + e->inbox.n == 0)
            pthread_cond_wait(&e->work, &e->lock);
        bool closing = e->closing;
        pthread_mutex_unlock(&e->lock);
        if (closing)
            return NULL;
        engine_turn(e);
    }
}

/* Opening and closing. ----------------------------------------------------------------------------------- */

static void drop(Engine *e)
{
    scheduler_free(e->scheduler);
    e->scheduler = NULL;
    pthread_mutex_lock(&e->lock);
    engine_let_go(e);
}

static SchedulerLimits limits_of(const EngineSetup *setup, const PassModel *m)
{
    int64_t most = m->max_rows < m->max_logits ? m->max_rows : m->max_logits;
    bool fits = setup->max_sequences > 0 && setup->max_sequences < most;
    return (SchedulerLimits){
        .max_sequences = fits ? setup->max_sequences : most,
        .prefill_rows = setup->prefill_rows > 0 ? setup->prefill_rows : DEFAULT_PREFILL_ROWS,
        .prefix_cache = !setup->no_prefix_cache,
    };
}

Status engine_open_model(Engine **out, const PassModel *m, const Tokenizer *t, const EngineSetup *setup)
{
    int64_t tokens = t ? tokenizer_vocab_size(t) : m->vocab;
    if (m->pages < 1 || m->max_rows < 1 || m->max_logits < 1)
        return fail(
            ST_ARG,
            "an engine needs a decoder with pages, rows and logits, and this one was opened with %lld, "
            "%lld and %lld",
            (long long)m->pages, (long long)m->max_rows, (long long)m->max_logits);
    Engine *e = mem_new(Engine);
    SchedulerLimits limits = limits_of(setup, m);
    Status st = scheduler_new(&e->scheduler, m, &limits);
    if (st != ST_OK) {
        mem_free(e);
        return st;
    }
    e->setup = *setup;
    e->setup.max_queue = setup->max_queue > 0 ? setup->max_queue : DEFAULT_QUEUE;
    e->sequences = (SequenceSetup){.tokenizer = t,
                                   .vocab = m->vocab,
                                   .writable = tokens < m->vocab ? tokens : m->vocab,
                                   .context = scheduler_context(e->scheduler)};
    e->holders = 1;
    pthread_mutex_init(&e->lock, NULL);
    cond_init(&e->work);
    cond_init(&e->room);
    count(e);
    sigset_t before = thread_hold_signals(); /* also from the threads that the engine's computes with */
    bool started = setup->inline_passes || pthread_create(&e->thread, NULL, run, e) == 0;
    thread_release_signals(before);
    if (!started) {
        drop(e);
        return fail(ST_NOMEM, "the engine's thread cannot be started: the system allows no more");
    }
    *out = e;
    return ST_OK;
}

static Status pass_of_decoder(void *d, const DecoderRun *runs, int64_t n, float *logits)
{
    return decoder_pass(d, runs, n, logits);
}

static void copy_page_of_decoder(void *d, int32_t to, int32_t from)
{
    decoder_copy_page(d, to, from);
}

Status engine_open(Engine **out, Decoder *d, const Tokenizer *t, const EngineSetup *setup)
{
    const DecoderSetup *s = decoder_setup(d);
    PassModel m = {
        .context = d, .pass = pass_of_decoder, .copy_page = copy_page_of_decoder,
        .vocab = decoder_hparams(d)->vocab_size, .max_rows = s->max_rows, .max_logits = s->max_logits,
        .pages = s->pages, .positions = s->context,
        .threads = setup->threads > 0 ? setup->threads : cpu_count(),
    };
    if (!setup->inline_passes) /* the engine's own thread computes from now on */
        device_leave(decoder_device(d));
    return engine_open_model(out, &m, t, setup);
}

void engine_close(Engine *e)
{
    if (!e)
        return;
    pthread_mutex_lock(&e->lock);
    e->closing = true;
    pthread_cond_signal(&e->work);
    pthread_cond_broadcast(&e->room);
    pthread_mutex_unlock(&e->lock);
    if (!e->setup.inline_passes)
        pthread_join(e->thread, NULL);
    pthread_mutex_lock(&e->lock);
    collect(e);
    scheduler_cancel_all(e->scheduler);
    publish(e);
    pthread_mutex_unlock(&e->lock);
    free_finished(e);
    drop(e);
}

/* Requests come in. -------------------------------------------------------------------------------------- */

/* With the lock held. */
static Status wait_for_room(Engine *e, bool refuse)
{
    while (!e->closing && e->queued >= e->setup.max_queue) {
        if (refuse)
            return fail(ST_LIMIT, "%lld requests wait already, and that is as many as may: try again later",
                        (long long)e->queued);
        if (e->setup.inline_passes) {
            pthread_mutex_unlock(&e->lock);
            engine_turn(e);
            pthread_mutex_lock(&e->lock);
        } else {
            engine_wait(e, &e->room, -1);
        }
    }
    return e->closing ? fail(ST_CANCELLED, "the engine was closed") : ST_OK;
}

static Request *new_request(Engine *e, Sequence *q, const RequestSpec *spec)
{
    Request *r = mem_new(Request);
    *r =
        (Request){.engine = e, .sequence = q, .notify = spec->notify, .notify_context = spec->notify_context};
    cond_init(&r->came);
    q->owner = r;
    return r;
}

static Status refuse(const RequestSpec *spec, Status st)
{
    if (spec->constraint.state && spec->constraint.close)
        spec->constraint.close(spec->constraint.state);
    return st;
}

Status engine_submit(Engine *e, const RequestSpec *spec, Request **out)
{
    Sequence *q;
    double now = clock_now();
    Status st = sequence_new(&q, spec, &e->sequences);
    if (st != ST_OK)
        return refuse(spec, st);
    q->submitted = now;
    Request *r = new_request(e, q, spec);
    pthread_mutex_lock(&e->lock);
    e->holders++; /* while this waits; then for the request */
    st = wait_for_room(e, spec->refuse_if_full);
    if (st == ST_OK) {
        array_push(&e->inbox, q);
        e->queued++;
        e->stats.requests++;
        e->stats.waiting++;
        pthread_cond_signal(&e->work);
        pthread_mutex_unlock(&e->lock);
        *out = r;
        return ST_OK;
    }
    engine_let_go(e);
    sequence_free(q); /* closes the constraint */
    pthread_cond_destroy(&r->came);
    mem_free(r);
    return st;
}

int64_t engine_context(const Engine *e)
{
    return e->sequences.context;
}

EngineStats engine_stats(Engine *e)
{
    pthread_mutex_lock(&e->lock);
    EngineStats stats = e->stats;
    pthread_mutex_unlock(&e->lock);
    return stats;
}
