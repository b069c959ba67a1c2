/* Through an engine without a thread, whose passes are counted. */
#include "infer/scheduler.h"

#include "infer/answers_test.h"

/* Three that start short and grow long, where there is room for one and a half. */
static void the_youngest_gives_way_and_goes_on(void **state)
{
    (void)state;
    enum { N = 3, TOKENS = 200 };
    for (int cached = 0; cached < 2; cached++) {
        FakeModel f = fake_model(6, 64, 4);
        EngineSetup setup = {.inline_passes = true, .no_prefix_cache = !cached};
        Engine *e = fake_engine(&f, &setup);
        Request *requests[N];
        RequestSpec specs[N];
        int32_t ids[N][20];
        int64_t preemptions = 0;
        for (int i = 0; i < N; i++) {
            fill_ids(ids[i], 20, (uint64_t)i);
            specs[i] = spec_of(ids[i], 20, TOKENS);
            specs[i].ends_n = 0;
            specs[i].sampler.temperature = 1.5;
            specs[i].sampler.frequency_penalty = 0.3;
            specs[i].logprobs = true;
            requests[i] = submit(e, &specs[i]);
        }
        for (int i = 0; i < N; i++) {
            Answer alone = run_alone(&specs[i]), a = read_all(requests[i]);
            expect_same(&alone, &a);
            assert_int_equal(a.result.tokens, TOKENS);
            preemptions += a.result.preemptions;
            drop_answer(&alone);
            drop_answer(&a);
        }
        EngineStats stats = engine_stats(e);
        assert_true(preemptions > 0);
        assert_int_equal(stats.preemptions, preemptions);
        assert_int_equal(stats.pages_free + stats.pages_cached, 6);
        engine_close(e);
        mem_free(f.chain);
    }
}

/* The prefix cache. -------------------------------------------------------------------------------------- */

static void a_conversation_goes_on(void **state)
{
    (void)state;
    for (int cached = 0; cached < 2; cached++) {
        FakeModel f = fake_model(40, 512, 4);
        EngineSetup setup = {.no_prefix_cache = !cached};
        Engine *e = fake_engine(&f, &setup);
        Ids ids = {0};
        int64_t known = 0; /* ids that passes have seen */
        for (int turn = 0; turn < 3; turn++) {
            int64_t rows = f.rows;
            for (int i = 0; i < 150; i++)
                array_push(&ids, 3 + (i * (turn + 5)) % 90);
            RequestSpec spec = spec_of(ids.at, (int64_t)ids.n, 70);
            spec.sampler.temperature = 1;
            spec.logprobs = true;
            Answer alone = run_alone(&spec), a = ask(e, &spec);
            expect_same(&alone, &a);
            assert_int_equal(a.result.cached_tokens, cached ? known : 0);
            /* the last one was not run */
            int64_t computed = a.result.tokens - (a.result.finish == FINISH_LENGTH);
            assert_int_equal(f.rows - rows, (int64_t)ids.n - a.result.cached_tokens + computed);
            known = (int64_t)ids.n + computed;
            for (size_t i = 0; i + 1 < a.events.n; i++)
                array_push(&ids, a.events.at[i].id);
            drop_answer(&a);
            drop_answer(&alone);
        }
        array_drop(&ids);
        engine_close(e);
        mem_free(f.chain);
    }
}

/* A thousand that come at once behind one system prompt. */
static void a_shared_beginning_is_computed_once(void **state)
{
    (void)state;
    enum { N = 1000, SYSTEM = 300, OWN = 5 };
    FakeModel f = fake_model(400, 256, 32);
    EngineSetup setup = {.inline_passes = true};
    Engine *e = fake_engine(&f, &setup);
    static Request *requests[N];
    int32_t ids[SYSTEM + OWN];
    for (int i = 0; i < N; i++) {
        fill_ids(ids, SYSTEM, 1);
        fill_ids(ids + SYSTEM, OWN, (uint64_t)i + 10);
        RequestSpec spec = spec_of(ids, SYSTEM + OWN, 1);
        requests[i] = submit(e, &spec);
    }
    for (int i = 0; i < N; i++) {
        Answer a = read_all(requests[i]);
        assert_int_equal(a.st, ST_OK);
        assert_true(i == 0 || a.result.cached_tokens >= SYSTEM);
        drop_answer(&a);
    }
    assert_true(f.rows <= SYSTEM + N * OWN);
    engine_close(e);
    mem_free(f.chain);
}

/* Eight answers to one prompt. */
static void one_prompt_many_seeds(void **state)
{
    (void)state;
    FakeModel f = fake_model(60, 256, 32);
    EngineSetup setup = {.inline_passes = true};
    Engine *e = fake_engine(&f, &setup);
    Request *requests[8];
    int32_t ids[200];
    fill_ids(ids, 200, 3);
    RequestSpec spec = spec_of(ids, 200, 5);
    spec.ends_n = 0;
    spec.sampler.temperature = 2;
    for (int i = 0; i < 8; i++) {
        spec.sampler.seed = (uint64_t)i;
        requests[i] = submit(e, &spec);
    }
    int different = 0;
    int32_t first = -1;
    for (int i = 0; i < 8; i++) {
        Answer a = read_all(requests[i]);
        assert_true(i == 0 || a.result.cached_tokens == 199);
        first = first < 0 ? a.events.at[0].id : first;
        different += a.events.at[0].id != first;
        drop_answer(&a);
    }
    assert_true(different > 0);
    assert_int_equal(f.rows, 200 + 7 + 8 * 4);
    engine_close(e);
    mem_free(f.chain);
}

/* Order. ------------------------------------------------------------------------------------------------- */

static void texts_are_written_while_a_long_prompt_is_read(void **state)
{
    (void)state;
    FakeModel f = fake_model(60, 256, 8);
    EngineSetup setup = {.inline_passes = true, .prefill_rows = 20};
    Engine *e = fake_engine(&f, &setup);
    int32_t ids[1000];
    RequestEvent event;
    fill_ids(ids, 1000, 1);
    RequestSpec writer = spec_of(ids, 10, 1000), reader = spec_of(ids + 500, 400, 5),
                brief = spec_of(ids + 100, 8, 5);
    writer.ends_n = 0;
    Request *w = submit(e, &writer);
    assert_true(request_next(w, &event, -1));
    Request *long_one = submit(e, &reader), *short_one = submit(e, &brief);
    f.most_rows = 0;
    int64_t passes = f.passes;
    assert_true(request_next(short_one, &event, -1)); /* is not behind the long one */
    assert_true(f.passes - passes <= 2);
    assert_true(request_next(long_one, &event, -1));
    assert_true(f.most_rows <= 22);
    assert_true(f.passes - passes >= 19 && f.passes - passes <= 40);
    int written = 0;
    while (request_next(w, &event, 0))
        written++;
    assert_true(written >= f.passes - passes);
    request_close(w);
    request_close(long_one);
    request_close(short_one);
    engine_close(e);
    mem_free(f.chain);
}

static void the_higher_priority_goes_first(void **state)
{
    (void)state;
    FakeModel f = fake_model(4, 8, 1);
    EngineSetup setup = {.inline_passes = true};
    Engine *e = fake_engine(&f, &setup);
    int32_t ids[10];
    fill_ids(ids, 10, 1);
    RequestSpec spec = spec_of(ids, 10, 3);
    RequestEvent event;
    Request *low = submit(e, &spec);
    spec.priority = 1;
    Request *high = submit(e, &spec);
    while (request_next(high, &event, -1))
        ;
    assert_false(request_next(low, &event, 0));
    request_close(high);
    Answer a = read_all(low);
    assert_int_equal(a.st, ST_OK);
    drop_answer(&a);
    engine_close(e);
    mem_free(f.chain);
}

static void a_deadline_ends_it(void **state)
{
    (void)state;
    FakeModel f = fake_model(4, 8, 1);
    EngineSetup setup = {0};
    Engine *e = fake_engine(&f, &setup);
    int32_t ids[10];
    fill_ids(ids, 10, 1);
    RequestSpec spec = spec_of(ids, 10, 100);
    spec.deadline_s = 1e-9;
    Answer a = ask(e, &spec);
    assert_int_equal(a.result.finish, FINISH_DEADLINE);
    assert_int_equal(a.st, ST_OK);
    drop_answer(&a);
    engine_close(e);
    mem_free(f.chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_youngest_gives_way_and_goes_on),
        cmocka_unit_test(a_conversation_goes_on),
        cmocka_unit_test(a_shared_beginning_is_computed_once),
        cmocka_unit_test(one_prompt_many_seeds),
        cmocka_unit_test(texts_are_written_while_a_long_prompt_is_read),
        cmocka_unit_test(the_higher_priority_goes_first),
        cmocka_unit_test(a_deadline_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
