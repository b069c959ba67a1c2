#include "infer/request.h"

#include "base/clock.h"
#include "infer/answers_test.h"

static void count_call(void *context)
{
    int *n = context;
    ++*n;
}

static void readers_are_notified(void **state)
{
    (void)state;
    FakeModel f = fake_model(20, 64, 4);
    EngineSetup setup = {.inline_passes = true};
    Engine *e = fake_engine(&f, &setup);
    int32_t ids[10];
    int calls = 0;
    fill_ids(ids, 10, 1);
    RequestSpec spec = spec_of(ids, 10, 5);
    spec.ends_n = 0;
    spec.notify = count_call;
    spec.notify_context = &calls;
    Answer a = ask(e, &spec);
    assert_int_equal(calls, 5);
    drop_answer(&a);
    engine_close(e);
    mem_free(f.chain);
}

static void who_has_closed_is_not_called(void **state)
{
    (void)state;
    FakeModel f = fake_model(20, 64, 4);
    EngineSetup setup = {.inline_passes = true};
    Engine *e = fake_engine(&f, &setup);
    int32_t ids[10];
    int calls = 0;
    fill_ids(ids, 10, 1);
    RequestSpec spec = spec_of(ids, 10, 5);
    spec.notify = count_call;
    spec.notify_context = &calls;
    Request *r = submit(e, &spec);
    request_close(r);
    spec.notify = NULL;
    Answer a = ask(e, &spec);
    assert_int_equal(calls, 0);
    drop_answer(&a);
    EngineStats stats = engine_stats(e);
    assert_int_equal(stats.running + stats.waiting, 0);
    engine_close(e);
    mem_free(f.chain);
}

static void a_wait_has_an_end(void **state)
{
    (void)state;
    FakeModel f = fake_model(20, 64, 4);
    EngineSetup setup = {0};
    f.pause_us = 200000;
    Engine *e = fake_engine(&f, &setup);
    int32_t ids[10];
    RequestEvent event;
    fill_ids(ids, 10, 1);
    RequestSpec spec = spec_of(ids, 10, 1);
    spec.ends_n = 0;
    Request *r = submit(e, &spec);
    double start = clock_now();
    assert_false(request_next(r, &event, 0));
    assert_false(request_next(r, &event, 0.02));
    assert_true(clock_now() - start >= 0.02);
    assert_true(request_next(r, &event, 60)); /* woken when it comes */
    assert_true(clock_now() - start < 30);
    assert_int_equal(event.kind, EVENT_TOKEN);
    assert_true(request_next(r, &event, -1));
    assert_int_equal(event.kind, EVENT_END);
    assert_false(request_next(r, &event, -1)); /* at once: there is nothing more */
    request_cancel(r);                         /* too late, and no harm */
    RequestResult result;
    assert_int_equal(request_result(r, &result), ST_OK);
    assert_int_equal(result.finish, FINISH_LENGTH);
    assert_true(result.queued_s >= 0 && result.prompt_s >= 0.15 && result.tokens_s < 10);
    request_close(r);
    request_close(NULL);
    engine_close(e);
    mem_free(f.chain);
}

static void ends_have_names(void **state)
{
    (void)state;
    assert_string_equal(finish_name(FINISH_LENGTH), "length");
    assert_string_equal(finish_name(FINISH_FAILED), "failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_are_notified),
        cmocka_unit_test(who_has_closed_is_not_called),
        cmocka_unit_test(a_wait_has_an_end),
        cmocka_unit_test(ends_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
