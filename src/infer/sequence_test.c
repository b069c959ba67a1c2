/* Through an engine without a thread. */
#include "infer/sequence.h"

#include "infer/answers_test.h"

static void the_prompt_has_log_probabilities(void **state)
{
    (void)state;
    FakeModel f = fake_model(20, 50, 7); /* fewer logits than rows: the pieces are cut by them */
    EngineSetup setup = {.inline_passes = true};
    Engine *e = fake_engine(&f, &setup);
    int32_t ids[90];
    fill_ids(ids, 90, 4);
    /* the second finds the prompt in the cache, and computes it all the same */
    for (int round = 0; round < 2; round++) {
        RequestSpec spec = spec_of(ids, 90, 2 * round);
        spec.ends_n = 0;
        spec.prompt_logprobs = true;
        spec.top_logprobs = 2;
        Answer a = ask(e, &spec);
        assert_int_equal(a.events.n, 90 + 2 * round + 1);
        assert_false(a.events.at[0].has_logprob);
        uint64_t h = 7;
        for (int i = 0; i < 90; i++) {
            const RequestEvent *event = &a.events.at[i];
            float row[FAKE_V];
            assert_int_equal(event->kind, EVENT_PROMPT);
            assert_int_equal(event->index, i);
            assert_int_equal(event->id, ids[i]);
            if (i > 0) {
                fake_logits(&f, row, h);
                assert_true(event->logprob == (float)((double)row[ids[i]] - logits_log_sum(row, FAKE_V)));
                assert_int_equal(event->rank, logits_rank(row, FAKE_V, ids[i]));
                assert_int_equal(a.tops.at[2 * (i - 1)].id, logits_argmax(row, FAKE_V));
            }
            h = fake_mix(h, (uint64_t)ids[i] + 1000);
        }
        drop_answer(&a);
    }
    int64_t rows = f.rows;
    RequestSpec spec = spec_of(ids, 90, 0);
    spec.prompt_logprobs = true;
    spec.prompt_logprobs_from = 87; /* only what is asked for: rows 86, 87, 88 */
    Answer a = ask(e, &spec);
    assert_int_equal(a.events.n, 3 + 1);
    assert_int_equal(f.rows - rows, 3);
    assert_int_equal(a.result.cached_tokens, 86);
    drop_answer(&a);
    spec = spec_of(ids, 1, 0); /* nothing to compute */
    spec.prompt_logprobs = true;
    a = ask(e, &spec);
    assert_int_equal(a.events.n, 2);
    assert_int_equal(a.result.finish, FINISH_LENGTH);
    drop_answer(&a);
    engine_close(e);
    mem_free(f.chain);
}

static void what_can_never_run_is_refused(void **state)
{
    (void)state;
    FakeModel f = fake_model(3, 64, 4);
    EngineSetup setup = {.inline_passes = true};
    Engine *e = fake_engine(&f, &setup);
    int32_t ids[200];
    Request *r = NULL;
    fill_ids(ids, 200, 1);
    assert_int_equal(engine_context(e), 192);
    RequestSpec spec = spec_of(ids, 192, 5);
    assert_int_equal(engine_submit(e, &spec, &r), ST_LIMIT);
    assert_non_null(strstr(error_text(), "192 positions, the context has 192"));
    spec = spec_of(ids, 191, 500); /* one row more, and what it says */
    spec.ends_n = 0;
    Answer a = ask(e, &spec);
    assert_int_equal(a.result.finish, FINISH_CONTEXT);
    assert_int_equal(a.result.tokens, 2);
    drop_answer(&a);
    spec = spec_of(ids, 0, 5);
    assert_int_equal(engine_submit(e, &spec, &r), ST_ARG);
    ids[3] = FAKE_V;
    spec = spec_of(ids, 10, 5);
    assert_int_equal(engine_submit(e, &spec, &r), ST_ARG);
    assert_non_null(strstr(error_text(), "id 120"));
    ids[3] = 3;
    spec = spec_of(ids, 10, -1);
    assert_int_equal(engine_submit(e, &spec, &r), ST_ARG);
    spec = spec_of(ids, 10, 5);
    spec.sampler.top_p = 2;
    assert_int_equal(engine_submit(e, &spec, &r), ST_ARG);
    spec.sampler.top_p = 1;
    spec.top_logprobs = TOP_LOGPROBS_MAX + 1;
    assert_int_equal(engine_submit(e, &spec, &r), ST_ARG);
    spec.top_logprobs = 0;
    LogitBias bias = {FAKE_V, 1};
    spec.bias = &bias;
    spec.bias_n = 1;
    assert_int_equal(engine_submit(e, &spec, &r), ST_ARG);
    bias = (LogitBias){1, NAN};
    assert_int_equal(engine_submit(e, &spec, &r), ST_ARG);
    engine_close(e);
    mem_free(f.chain);
}

/* Allows what the test says, and counts. */
typedef struct {
    int32_t allowed[3];
    int came, masks, closed, fails_at, done_after;
} Guard;

static Status guard_mask(void *state, uint64_t *mask)
{
    Guard *g = state;
    if (++g->masks == g->fails_at)
        return (fail)(ST_UNSUPPORTED, "no token of this vocabulary can go on from here");
    for (int i = 0; i < 3; i++)
        mask[g->allowed[i] / 64] |= (uint64_t)1 << (g->allowed[i] % 64);
    return ST_OK;
}

static Status guard_advance(void *state, int32_t id)
{
    Guard *g = state;
    check(id == g->allowed[0] || id == g->allowed[1] || id == g->allowed[2]);
    g->came++;
    return ST_OK;
}

static bool guard_done(const void *state)
{
    const Guard *g = state;
    return g->came == g->done_after;
}

static void guard_close(void *state)
{
    Guard *g = state;
    g->closed++;
}

static void a_constraint_holds(void **state)
{
    (void)state;
    FakeModel f = fake_model(20, 64, 4);
    EngineSetup setup = {.inline_passes = true};
    Engine *e = fake_engine(&f, &setup);
    int32_t ids[10];
    fill_ids(ids, 10, 1);
    Guard g = {.allowed = {7, 70, 110}, .done_after = 12};
    RequestSpec spec = spec_of(ids, 10, 100);
    spec.constraint = (TokenConstraint){
        .state = &g, .mask = guard_mask, .advance = guard_advance, .done = guard_done, .close = guard_close};
    spec.sampler.temperature = 1;
    Answer a = ask(e, &spec);
    assert_int_equal(a.result.finish, FINISH_CONSTRAINT);
    assert_int_equal(a.result.tokens, 12);
    assert_false(a.result.cut);
    assert_int_equal(g.closed, 1);
    for (int i = 0; i < 12; i++)
        assert_true(a.events.at[i].id == 7 || a.events.at[i].id == 70 || a.events.at[i].id == 110);
    drop_answer(&a);
    g = (Guard){.allowed = {7, 70, 110}, .fails_at = 4};
    a = ask(e, &spec);
    assert_int_equal(a.st, ST_UNSUPPORTED);
    assert_int_equal(a.result.tokens, 3);
    assert_int_equal(g.closed, 1);
    drop_answer(&a);
    static const LogitBias bias[] = {{7, -1e30f}, {70, -INFINITY}};
    spec.bias = bias;
    spec.bias_n = 2;
    Request *r;
    assert_int_equal(engine_submit(e, &spec, &r), ST_ARG);
    assert_int_equal(g.closed, 2);
    engine_close(e);
    mem_free(f.chain);
}

static void ends_do_not_come_too_early(void **state)
{
    (void)state;
    FakeModel f = fake_model(20, 64, 4);
    EngineSetup setup = {.inline_passes = true};
    Engine *e = fake_engine(&f, &setup);
    int32_t ids[10];
    fill_ids(ids, 10, 1);
    RequestSpec spec = spec_of(ids, 10, 50);
    static const LogitBias likely[] = {{FAKE_END, 100}};
    spec.bias = likely;
    spec.bias_n = 1;
    Answer a = ask(e, &spec);
    assert_int_equal(a.result.tokens, 0);
    assert_int_equal(a.result.end, FAKE_END);
    drop_answer(&a);
    spec.min_tokens = 9;
    a = ask(e, &spec);
    assert_int_equal(a.result.finish, FINISH_TOKEN);
    assert_int_equal(a.result.tokens, 9);
    drop_answer(&a);
    engine_close(e);
    mem_free(f.chain);
}

static void penalties_see_prompt_and_text(void **state)
{
    (void)state;
    FakeModel f = fake_model(20, 64, 4);
    EngineSetup setup = {.inline_passes = true};
    Engine *e = fake_engine(&f, &setup);
    for (int round = 0; round < 2; round++) {
        int32_t ids[10];
        bool came[FAKE_V] = {false};
        fill_ids(ids, 10, 1);
        RequestSpec spec = spec_of(ids, 10, 40);
        spec.ends_n = 0;
        if (round == 0) /* all logits are positive: a token that occurred falls behind all that did not */
            spec.sampler.repetition_penalty = 100;
        else
            spec.sampler.presence_penalty = 100;
        for (int i = 0; i < 10 && round == 0; i++)
            came[ids[i]] = true;
        Answer a = ask(e, &spec);
        assert_int_equal(a.result.tokens, 40);
        for (int i = 0; i < 40; i++) {
            assert_false(came[a.events.at[i].id]);
            came[a.events.at[i].id] = true;
        }
        drop_answer(&a);
    }
    engine_close(e);
    mem_free(f.chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_prompt_has_log_probabilities),
        cmocka_unit_test(what_can_never_run_is_refused),
        cmocka_unit_test(a_constraint_holds),
        cmocka_unit_test(ends_do_not_come_too_early),
        cmocka_unit_test(penalties_see_prompt_and_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
