#include "infer/score.h"

#include "infer/cycle_test.h"
#include "infer/fake_model_test.h"

static void fill(int32_t *ids, int64_t n, uint64_t seed)
{
    for (int64_t i = 0; i < n; i++)
        ids[i] = (int32_t)(fake_mix(seed, (uint64_t)i) % FAKE_V);
}

/* By hand, from the hash that the fake model is. */
static Score expected(const FakeModel *f, const ScoreItem *item)
{
    Score s = {.tokens = item->n - item->from, .greedy = true};
    uint64_t h = 7;
    for (int64_t i = 0; i < item->n; i++) {
        float row[FAKE_V];
        fake_logits(f, row, h);
        if (i >= item->from) {
            s.sum += (double)(float)((double)row[item->ids[i]] - logits_log_sum(row, FAKE_V));
            s.greedy &= logits_argmax(row, FAKE_V) == item->ids[i];
        }
        h = fake_mix(h, (uint64_t)item->ids[i] + 1000);
    }
    return s;
}

static void choices_are_scored_on_one_context(void **state)
{
    (void)state;
    enum { QUESTIONS = 100, CHOICES = 4, CONTEXT = 150, MOST = 6 };
    static int32_t ids[QUESTIONS * CHOICES][CONTEXT + MOST];
    ScoreItem items[QUESTIONS * CHOICES];
    Score scores[QUESTIONS * CHOICES];
    FakeModel f = fake_model(60, 128, 16);
    EngineSetup setup = {.inline_passes = true};
    Engine *e = fake_engine(&f, &setup);
    int64_t most_rows = 0;
    for (int i = 0; i < QUESTIONS * CHOICES; i++) {
        fill(ids[i], 100, 1);                                    /* instructions that all share */
        fill(ids[i] + 100, CONTEXT - 100, (uint64_t)(i / 4) + 50); /* the question */
        int64_t n = CONTEXT + 1 + i % MOST;
        fill(ids[i] + CONTEXT, n - CONTEXT, (uint64_t)i + 1000);
        items[i] = (ScoreItem){.ids = ids[i], .n = n, .from = CONTEXT, .bytes = 2 * (n - CONTEXT)};
        most_rows += i % MOST + 1 + (i % 4 == 0 ? CONTEXT - 100 : 0);
    }
    assert_int_equal(score_all(e, items, QUESTIONS * CHOICES, scores), ST_OK);
    for (int i = 0; i < QUESTIONS * CHOICES; i++) {
        Score s = expected(&f, &items[i]);
        assert_true(scores[i].sum == s.sum && scores[i].greedy == s.greedy && scores[i].tokens == s.tokens);
        assert_true(scores[i].per_token == s.sum / (double)s.tokens);
        assert_true(scores[i].per_byte == s.sum / (double)items[i].bytes);
    }
    /* Contexts once, but for what a small cache gave up. */
    assert_true(f.rows <= 100 + most_rows + QUESTIONS * 64);
    engine_close(e);
    mem_free(f.chain);
}

static void the_most_likely_continuation_is_greedy(void **state)
{
    (void)state;
    FakeModel f = fake_model(10, 64, 8);
    EngineSetup setup = {.inline_passes = true};
    Engine *e = fake_engine(&f, &setup);
    int32_t ids[15];
    fill(ids, 10, 3);
    RequestSpec spec = request_spec(ids, 10);
    spec.max_tokens = 5;
    Request *r;
    RequestEvent event;
    assert_int_equal(engine_submit(e, &spec, &r), ST_OK);
    for (int i = 10; request_next(r, &event, -1) && event.kind == EVENT_TOKEN; i++)
        ids[i] = event.id;
    request_close(r);
    ScoreItem item = {.ids = ids, .n = 15, .from = 10};
    Score score;
    assert_int_equal(score_all(e, &item, 1, &score), ST_OK);
    assert_true(score.greedy);
    ids[14] ^= 1;
    assert_int_equal(score_all(e, &item, 1, &score), ST_OK);
    assert_false(score.greedy);
    item.from = 15;
    assert_int_equal(score_all(e, &item, 1, &score), ST_OK);
    assert_true(score.tokens == 0 && score.sum == 0);
    engine_close(e);
    mem_free(f.chain);
}

static void one_bad_item_fails_them_all(void **state)
{
    (void)state;
    FakeModel f = fake_model(10, 64, 8);
    EngineSetup setup = {0};
    Engine *e = fake_engine(&f, &setup);
    int32_t ids[15];
    fill(ids, 15, 3);
    ScoreItem items[5];
    Score scores[5];
    for (int i = 0; i < 5; i++)
        items[i] = (ScoreItem){.ids = ids, .n = 15, .from = 10};
    items[3].from = 0;
    assert_int_equal(score_all(e, items, 5, scores), ST_ARG);
    items[3] = (ScoreItem){.ids = ids, .n = 15, .from = 16};
    assert_int_equal(score_all(e, items, 5, scores), ST_ARG);
    items[3].from = 10;
    assert_int_equal(score_all(e, items, 5, scores), ST_OK);
    EngineStats stats = engine_stats(e);
    assert_int_equal(stats.pages_free + stats.pages_cached, 10);
    engine_close(e);
    mem_free(f.chain);
}

static void texts_are_cut_where_the_continuation_begins(void **state)
{
    (void)state;
    Tokenizer *t = cycle_tokenizer();
    Ids ids = {0};
    int64_t from;
    /* begin, space, a, b, space, c: the space goes with the continuation */
    assert_int_equal(score_encode(t, &ids, &from, span("ab "), span("c"), TOK_BOS), ST_OK);
    assert_int_equal(ids.n, 6);
    assert_int_equal(from, 4);
    array_clear(&ids);
    assert_int_equal(score_encode(t, &ids, &from, span(""), span("c"), TOK_BOS), ST_OK);
    assert_int_equal(from, 1);
    array_clear(&ids);
    assert_int_equal(score_encode(t, &ids, &from, span(""), span("c"), TOK_RAW), ST_ARG);
    assert_non_null(strstr(error_text(), "nothing stands in front"));
    array_drop(&ids);
    tokenizer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choices_are_scored_on_one_context),
        cmocka_unit_test(the_most_likely_continuation_is_greedy),
        cmocka_unit_test(one_bad_item_fails_them_all),
        cmocka_unit_test(texts_are_cut_where_the_continuation_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
