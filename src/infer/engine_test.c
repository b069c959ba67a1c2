#include "infer/engine.h"

#include <pthread.h>
#include <stdlib.h>

#include "infer/answers_test.h"

static void tokens_come_in_order(void **state)
{
    (void)state;
    FakeModel f = fake_model(20, 32, 4);
    EngineSetup setup = {0};
    Engine *e = fake_engine(&f, &setup);
    int32_t ids[100];
    fill_ids(ids, 100, 1);
    RequestSpec spec = spec_of(ids, 100, 30);
    spec.ends_n = 0;
    spec.logprobs = true;
    spec.top_logprobs = 3;
    Answer a = ask(e, &spec);
    assert_int_equal(a.st, ST_OK);
    assert_int_equal(a.events.n, 31);
    assert_int_equal(a.result.finish, FINISH_LENGTH);
    assert_int_equal(a.result.tokens, 30);
    assert_int_equal(a.result.prompt_tokens, 100);
    assert_int_equal(a.result.cached_tokens, 0);
    assert_int_equal(f.rows, 129); /* the last token was not run */
    assert_int_equal(f.passes, 4 + 29);
    uint64_t h = 7;
    for (int i = 0; i < 100; i++)
        h = fake_mix(h, (uint64_t)ids[i] + 1000);
    for (int i = 0; i < 30; i++) { /* greedy, by hand */
        float row[FAKE_V];
        fake_logits(&f, row, h);
        const RequestEvent *event = &a.events.at[i];
        assert_int_equal(event->kind, EVENT_TOKEN);
        assert_int_equal(event->index, i);
        assert_int_equal(event->id, logits_argmax(row, FAKE_V));
        assert_int_equal(event->rank, 1);
        assert_true(event->logprob == (float)((double)row[event->id] - logits_log_sum(row, FAKE_V)));
        assert_int_equal(event->top_n, 3);
        assert_int_equal(a.tops.at[3 * i].id, event->id);
        assert_true(a.tops.at[3 * i + 1].logprob <= event->logprob);
        h = fake_mix(h, (uint64_t)event->id + 1000);
    }
    assert_int_equal(a.events.at[30].kind, EVENT_END);
    drop_answer(&a);
    engine_close(e);
    mem_free(f.chain);
}

/* Many at once. ------------------------------------------------------------------------------------------ */

enum { MANY = 200, PROMPT_MAX = 300 };

typedef struct {
    int32_t ids[PROMPT_MAX];
    int32_t bias_id;
    LogitBias bias;
    RequestSpec spec;
    int cancel_after; /* events; -1: never */
    Answer alone, together;
} Case;

/* Every kind of request, many of them with beginnings in common. */
static void make_case(Case *c, Rng *r, int64_t longest)
{
    int64_t n = 1 + (int64_t)rng_below(r, (uint64_t)longest - 1),
            shared = (int64_t)rng_below(r, (uint64_t)n + 1);
    fill_ids(c->ids, n, rng_next(r));
    fill_ids(c->ids, shared, rng_below(r, 3));
    c->spec = spec_of(c->ids, n, (int64_t)rng_below(r, rng_below(r, 5) ? 40 : 80));
    c->spec.sampler.temperature = (double)rng_below(r, 3) * 0.7;
    c->spec.sampler.top_k = (int64_t)rng_below(r, 2) * 20;
    c->spec.sampler.top_p = rng_below(r, 2) ? 1 : 0.8;
    c->spec.sampler.min_p = (double)rng_below(r, 2) * 0.05;
    c->spec.sampler.repetition_penalty = rng_below(r, 2) ? 1 : 1.2;
    c->spec.sampler.presence_penalty = (double)rng_below(r, 2) * 0.5;
    c->spec.sampler.seed = rng_next(r);
    c->spec.logprobs = rng_below(r, 2);
    c->spec.top_logprobs = (int64_t)rng_below(r, 3);
    c->spec.prompt_logprobs = rng_below(r, 4) == 0;
    c->spec.prompt_logprobs_from = (int64_t)rng_below(r, (uint64_t)n + 1);
    c->bias = (LogitBias){5, 3};
    c->spec.bias = &c->bias;
    c->spec.bias_n = rng_below(r, 2);
    c->spec.no_cache = rng_below(r, 10) == 0;
    c->spec.priority = (int)rng_below(r, 2);
    c->cancel_after = rng_below(r, 3) == 0 ? (int)rng_below(r, 8) : -1;
}

typedef struct {
    Engine *e;
    Case *cases;
    int first, step;
} Reader;

/* One of the threads that submit, read, and cancel. */
static void *read_cases(void *context)
{
    const Reader *reader = context;
    Request *requests[MANY] = {NULL};
    for (int i = reader->first; i < MANY; i += reader->step) {
        if (engine_submit(reader->e, &reader->cases[i].spec, &requests[i]) != ST_OK)
            abort();
        if (reader->cases[i].cancel_after > 3) /* at any time from now on */
            request_cancel(requests[i]);
    }
    for (int i = reader->first; i < MANY; i += reader->step) {
        Case *c = &reader->cases[i];
        RequestEvent event;
        int seen = 0;
        if (c->cancel_after == 0)
            request_cancel(requests[i]); /* before anything is read */
        while (request_next(requests[i], &event, -1)) {
            keep_event(&c->together, &event);
            if (++seen == c->cancel_after)
                request_cancel(requests[i]);
        }
        c->together.st = request_result(requests[i], &c->together.result);
        request_close(requests[i]);
    }
    return NULL;
}

static void expect_as_alone(int64_t pages, int64_t rows, const EngineSetup *setup, int threads, uint64_t seed)
{
    Case *cases = mem_array(Case, MANY);
    FakeModel f = fake_model(pages, rows, rows < 12 ? rows : 12);
    f.pause_us = threads > 1 ? 50 : 0;
    Engine *e = fake_engine(&f, setup);
    Rng r;
    rng_seed(&r, seed);
    for (int i = 0; i < MANY; i++) {
        make_case(&cases[i], &r, PROMPT_MAX);
        cases[i].alone = run_alone(&cases[i].spec);
    }
    pthread_t others[4];
    Reader readers[4];
    for (int i = 0; i < threads; i++) {
        readers[i] = (Reader){e, cases, i, threads};
        if (threads > 1)
            assert_int_equal(pthread_create(&others[i], NULL, read_cases, &readers[i]), 0);
        else
            read_cases(&readers[i]);
    }
    for (int i = 0; i < threads && threads > 1; i++)
        pthread_join(others[i], NULL);
    int64_t cancelled = 0;
    for (int i = 0; i < MANY; i++) {
        Case *c = &cases[i];
        if (c->together.result.finish == FINISH_CANCELLED) {
            cancelled++;
            assert_true(c->cancel_after >= 0);
            expect_same_beginning(&c->alone, &c->together);
        } else {
            expect_same(&c->alone, &c->together);
        }
        drop_answer(&c->alone);
        drop_answer(&c->together);
    }
    EngineStats stats = engine_stats(e);
    assert_int_equal(stats.running + stats.waiting, 0);
    assert_int_equal(stats.pages_free + stats.pages_cached, pages); /* every page is back */
    assert_int_equal(stats.requests, MANY);
    assert_true(cancelled > 10);
    assert_true(f.most_rows <= rows);
    assert_true(setup->no_prefix_cache ? stats.cached_tokens == 0 : stats.cached_tokens > 1000);
    engine_close(e);
    mem_free(f.chain);
    mem_free(cases);
}

static void the_same_as_each_alone(void **state)
{
    (void)state;
    EngineSetup setup = {.max_queue = 1000};
    expect_as_alone(200, 64, &setup, 4, 1);
    setup.no_prefix_cache = true;
    expect_as_alone(200, 100, &setup, 4, 2);
}

static void the_same_in_a_cache_that_is_too_small(void **state)
{
    (void)state;
    EngineSetup setup = {.max_queue = 30, .prefill_rows = 16};
    expect_as_alone(6, 48, &setup, 4, 3);
    expect_as_alone(9, 12, &setup, 4, 4);
}

static void the_same_without_a_thread(void **state)
{
    (void)state;
    EngineSetup setup = {.inline_passes = true};
    expect_as_alone(7, 64, &setup, 1, 5);
    setup.max_sequences = 3;
    expect_as_alone(60, 20, &setup, 1, 6);
}

/* Limits and ends. --------------------------------------------------------------------------------------- */

static void a_full_queue_refuses_or_waits(void **state)
{
    (void)state;
    FakeModel f = fake_model(4, 8, 1);
    EngineSetup setup = {.inline_passes = true, .max_queue = 2};
    Engine *e = fake_engine(&f, &setup);
    int32_t ids[10];
    Request *r[3], *no = NULL;
    fill_ids(ids, 10, 1);
    RequestSpec spec = spec_of(ids, 10, 5);
    spec.refuse_if_full = true;
    r[0] = submit(e, &spec);
    r[1] = submit(e, &spec);
    assert_int_equal(engine_submit(e, &spec, &no), ST_LIMIT);
    assert_non_null(strstr(error_text(), "2 requests wait already"));
    spec.refuse_if_full = false;
    r[2] = submit(e, &spec); /* runs passes until there is room */
    assert_true(f.passes > 0);
    for (int i = 0; i < 3; i++) {
        Answer a = read_all(r[i]);
        assert_int_equal(a.st, ST_OK);
        drop_answer(&a);
    }
    engine_close(e);
    mem_free(f.chain);
}

static void a_device_that_fails_fails_those_that_run(void **state)
{
    (void)state;
    FakeModel f = fake_model(20, 64, 4);
    EngineSetup setup = {.inline_passes = true};
    Engine *e = fake_engine(&f, &setup);
    int32_t ids[10];
    fill_ids(ids, 10, 1);
    RequestSpec spec = spec_of(ids, 10, 10);
    spec.ends_n = 0;
    f.fails_at = 4;
    Request *a = submit(e, &spec), *b = submit(e, &spec);
    Answer x = read_all(a), y = read_all(b);
    assert_int_equal(x.st, ST_DEVICE);
    assert_int_equal(y.st, ST_DEVICE);
    assert_string_equal(error_text(), "the device went away");
    assert_int_equal(x.result.finish, FINISH_FAILED);
    drop_answer(&x);
    drop_answer(&y);
    f.no_numbers = true;
    x = ask(e, &spec);
    assert_int_equal(x.st, ST_FORMAT);
    assert_non_null(strstr(error_text(), "no finite logits"));
    drop_answer(&x);
    EngineStats stats = engine_stats(e);
    assert_int_equal(stats.pages_free + stats.pages_cached, 20);
    engine_close(e);
    mem_free(f.chain);
}

static void closing_ends_what_runs(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        FakeModel f = fake_model(20, 64, 4);
        EngineSetup setup = {.inline_passes = round % 4 == 0};
        Engine *e = fake_engine(&f, &setup);
        int32_t ids[10];
        Request *r[10];
        RequestEvent event;
        fill_ids(ids, 10, 1);
        RequestSpec spec = spec_of(ids, 10, 1000000);
        spec.ends_n = 0;
        for (int i = 0; i < 10; i++)
            r[i] = submit(e, &spec);
        request_next(r[0], &event, -1);
        request_close(r[9]); /* while it runs or waits */
        engine_close(e);
        mem_free(f.chain);
        for (int i = 0; i < 9; i++) {
            Answer a = read_all(r[i]); /* after the engine is gone */
            assert_true(a.result.finish == FINISH_CANCELLED || a.result.finish == FINISH_CONTEXT);
            drop_answer(&a);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_come_in_order),
        cmocka_unit_test(the_same_as_each_alone),
        cmocka_unit_test(the_same_in_a_cache_that_is_too_small),
        cmocka_unit_test(the_same_without_a_thread),
        cmocka_unit_test(a_full_queue_refuses_or_waits),
        cmocka_unit_test(a_device_that_fails_fails_those_that_run),
        cmocka_unit_test(closing_ends_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
