#include "infer/request.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "infer/constrain.h"
#include "infer/engine_state.h"

RequestSpec request_spec(const int32_t *prompt, int64_t n)
{
    return (RequestSpec){
        .prompt = prompt, .prompt_n = n, .max_tokens = INT64_MAX, .sampler = sampler_greedy()};
}

const char *finish_name(Finish f)
{
    static const char *const names[] = {"length",     "context",  "token",     "string",
                                        "constraint", "deadline", "cancelled", "failed"};
    return names[f];
}

/* With the lock held; whether something is there to be read. */
static bool wait_for_events(Request *r, double seconds)
{
    Engine *e = r->engine;
    double until = clock_now() + seconds;
    while (!events_waiting(&r->incoming) && !r->over) {
        double now = clock_now();
        if (seconds >= 0 && now >= until)
            return false;
        if (e->setup.inline_passes) {
            pthread_mutex_unlock(&e->lock);
            engine_turn(e);
            pthread_mutex_lock(&e->lock);
        } else {
            engine_wait(e, &r->came, seconds < 0 ? -1 : until - now);
        }
    }
    return events_waiting(&r->incoming);
}

bool request_next(Request *r, RequestEvent *out, double seconds)
{
    if (!events_waiting(&r->reading)) {
        if (r->end_read)
            return false;
        events_clear(&r->reading);
        pthread_mutex_lock(&r->engine->lock);
        bool there = wait_for_events(r, seconds);
        if (there)
            events_move(&r->reading, &r->incoming);
        pthread_mutex_unlock(&r->engine->lock);
        if (!there)
            return false;
    }
    bool read = events_read(&r->reading, out);
    r->end_read |= read && out->kind == EVENT_END;
    return read;
}

Status request_result(const Request *r, RequestResult *out)
{
    pthread_mutex_lock(&r->engine->lock);
    bool over = r->over;
    *out = r->result;
    pthread_mutex_unlock(&r->engine->lock);
    check(over);
    return out->finish == FINISH_FAILED ? error_put(&r->error) : ST_OK;
}

/* With the lock held. */
static void cancel(Request *r)
{
    Engine *e = r->engine;
    for (size_t i = 0; i < e->cancels.n; i++)
        if (e->cancels.at[i] == r)
            return;
    array_push(&e->cancels, r);
    pthread_cond_signal(&e->work);
}

void request_cancel(Request *r)
{
    pthread_mutex_lock(&r->engine->lock);
    if (!r->over)
        cancel(r);
    pthread_mutex_unlock(&r->engine->lock);
}

void request_close(Request *r)
{
    if (!r)
        return;
    Engine *e = r->engine;
    events_drop(&r->reading);
    pthread_mutex_lock(&e->lock);
    r->notify = NULL;
    if (!r->over) {
        r->abandoned = true; /* whoever finishes it frees it */
        cancel(r);
        pthread_mutex_unlock(&e->lock);
        return;
    }
    events_drop(&r->incoming);
    pthread_cond_destroy(&r->came);
    mem_free(r);
    engine_let_go(e);
}

/* constrain.h's functions with another type of pointer. -------------------------------------------------- */

static Status mask_constraint(void *state, uint64_t *mask)
{
    return constrain_mask(state, mask);
}

static Status advance_constraint(void *state, int32_t id)
{
    return constrain_advance(state, id);
}

static bool constraint_is_done(const void *state)
{
    return constrain_done(state);
}

static bool constraint_is_whole(const void *state)
{
    return constrain_may_end(state);
}

static void close_constraint(void *state)
{
    constrain_free(state);
}

TokenConstraint request_constraint(Constraint *c)
{
    return (TokenConstraint){.state = constrain_start(c),
                             .mask = mask_constraint,
                             .advance = advance_constraint,
                             .done = constraint_is_done,
                             .whole = constraint_is_whole,
                             .close = close_constraint};
}
