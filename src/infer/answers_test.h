/* Requests to an engine over fake_model_test.h, and what came of them: for tests. */
#ifndef INFER_ANSWERS_TEST_H
#define INFER_ANSWERS_TEST_H

#include "infer/fake_model_test.h"

/* What came of a request. */
typedef struct {
    Array(RequestEvent) events; /* without text */
    Array(TokenLogprob) tops;
    RequestResult result;
    Status st;
} Answer;

static inline void drop_answer(Answer *a)
{
    array_drop(&a->events);
    array_drop(&a->tops);
}

static inline void keep_event(Answer *a, const RequestEvent *event)
{
    array_push(&a->events, *event);
    for (int64_t i = 0; i < event->top_n; i++)
        array_push(&a->tops, event->top[i]);
}

static inline Answer read_all(Request *r)
{
    Answer a = {0};
    RequestEvent event;
    while (request_next(r, &event, -1))
        keep_event(&a, &event);
    a.st = request_result(r, &a.result);
    request_close(r);
    return a;
}

static inline Request *submit(Engine *e, const RequestSpec *spec)
{
    Request *r = NULL;
    if (engine_submit(e, spec, &r) != ST_OK)
        fail_msg("%s", error_text());
    return r;
}

static inline Answer ask(Engine *e, const RequestSpec *spec)
{
    return read_all(submit(e, spec));
}

/* Bit for bit, as far as the shorter one goes. */
static inline void expect_same_beginning(const Answer *a, const Answer *b)
{
    size_t n = a->events.n < b->events.n ? a->events.n : b->events.n, tops = 0;
    for (size_t i = 0; i < n; i++) {
        const RequestEvent *x = &a->events.at[i], *y = &b->events.at[i];
        if (x->kind == EVENT_END || y->kind == EVENT_END)
            return;
        assert_int_equal(x->kind, y->kind);
        assert_int_equal(x->id, y->id);
        assert_int_equal(x->index, y->index);
        assert_int_equal(x->has_logprob, y->has_logprob);
        assert_memory_equal(&x->logprob, &y->logprob, sizeof x->logprob);
        assert_int_equal(x->rank, y->rank);
        assert_int_equal(x->top_n, y->top_n);
        for (int64_t j = 0; j < x->top_n; j++, tops++) {
            assert_int_equal(a->tops.at[tops].id, b->tops.at[tops].id);
            assert_memory_equal(&a->tops.at[tops].logprob, &b->tops.at[tops].logprob, sizeof(float));
        }
    }
}

static inline void expect_same(const Answer *a, const Answer *b)
{
    assert_int_equal(a->events.n, b->events.n);
    assert_int_equal(a->result.finish, b->result.finish);
    expect_same_beginning(a, b);
}

static const int32_t ends[] = {FAKE_END};

static inline RequestSpec spec_of(const int32_t *ids, int64_t n, int64_t max_tokens)
{
    RequestSpec s = request_spec(ids, n);
    s.max_tokens = max_tokens;
    s.ends = ends;
    s.ends_n = 1;
    return s;
}

static inline void fill_ids(int32_t *ids, int64_t n, uint64_t seed)
{
    for (int64_t i = 0; i < n; i++)
        ids[i] = 3 + (int32_t)(fake_mix(seed, (uint64_t)i) % (FAKE_V - 3));
}

/* By an engine of its own, without a cache: what it must be in any company. */
static inline Answer run_alone(const RequestSpec *spec)
{
    FakeModel f = fake_model(12, 2000, 2000);
    EngineSetup setup = {.inline_passes = true, .no_prefix_cache = true};
    Engine *e = fake_engine(&f, &setup);
    Answer a = ask(e, spec);
    engine_close(e);
    mem_free(f.chain);
    return a;
}

#endif
