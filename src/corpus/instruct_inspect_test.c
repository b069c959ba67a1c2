#include "corpus/instruct_inspect.h"

#include "corpus/instruct_fixture_test.h"

typedef struct {
    int n, of_a, stop_at;
} Seen;

static bool take(void *context, const InstructSeen *e)
{
    Seen *s = context;
    size_t at = 0;
    for (size_t i = 0; i < e->stretches.n; i++) { /* together they are the text */
        assert_int_equal(e->stretches.at[i].at, at);
        at += e->stretches.at[i].n;
    }
    assert_int_equal(at, e->text.n);
    assert_true(e->learned > 0 && e->learned < e->tokens);
    s->of_a += strcmp(e->source, "a") == 0;
    return ++s->n != s->stop_at;
}

static void each_source_is_seen(void **state)
{
    (void)state;
    Fixture f;
    fixture_examples("a.jsonl", 30);
    fixture_examples("b.jsonl", 2);
    fixture_open(
        &f, "{held_out: 0, sources: [{name: a, kind: text, path: $/a.jsonl}, {name: b, kind: code, path: "
            "$/b.jsonl}]}");
    json_decref(fixture_prepare(&f, "two", NULL));
    Seen all = {0}, some = {0}, first = {.stop_at = 3};
    assert_int_equal(instruct_look(in_scratch("two"), 0, take, &all), ST_OK);
    assert_int_equal(all.n, 32);
    assert_int_equal(all.of_a, 30);
    assert_int_equal(instruct_look(in_scratch("two"), 2, take, &some), ST_OK);
    assert_int_equal(some.n, 4);
    assert_int_equal(some.of_a, 2);
    assert_int_equal(instruct_look(in_scratch("two"), 0, take, &first), ST_OK);
    assert_int_equal(first.n, 3);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_source_is_seen)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
