/* The first pass, by what the ledger and rejected.jsonl say of it. */
#include "corpus/instruct_read.h"

#include "corpus/instruct_fixture_test.h"

static void what_is_kept_aside_is_counted(void **state)
{
    (void)state;
    Fixture f;
    scratch_text(
        "mixed.jsonl",
        "{\"instruction\":\"q1\",\"output\":\"a1\"}\n"
        "{\"instruction\":\"q2\"\n"
        "\n"
        "{\"instruction\":\"q1\",\"output\":\"a1\"}\n"
        "{\"instruction\":\"q3\",\"output\":\"\"}\n"
        "{\"instruction\":\"\xFF\",\"output\":\"a\"}\n"
        "{\"question\":\"q\"}\n"
        "{\"instruction\":\"q4\",\"output\":\"a4\"}\n"
        "{\"instruction\":\"q5\",\"output\":\"a far too long answer of more than eighty letters, which the "
        "row of a hundred tokens has no room for\"}\n"
        "{\"instruction\":\"q6\",\"output\":\"a6\"}\n");
    fixture_open(&f,
                 "{max_rejected: 0.9, held_out: 0, sources: [{name: a, kind: text, path: $/mixed.jsonl}]}");
    json_t *m = fixture_prepare(&f, "counted", NULL);
    assert_int_equal(fixture_number(m, 0, "", "records"), 9);
    assert_int_equal(fixture_number(m, 0, "", "examples"), 3);
    static const char *const reasons[] = {"not_json",     "duplicate",    "empty_answer",
                                          "invalid_utf8", "other_format", "too_long"};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(fixture_number(m, 0, "rejected", reasons[i]), 1);
    Str aside = scratch_read("counted/rejected.jsonl");
    int lines = 0;
    for (size_t i = 0; i < aside.n; i++)
        lines += aside.at[i] == '\n';
    assert_int_equal(lines, 6);
    assert_non_null(strstr(str_c(&aside), "mixed.jsonl:2\""));
    assert_non_null(strstr(str_c(&aside), "mixed.jsonl:4\""));
    assert_non_null(strstr(str_c(&aside), "\xEF\xBF\xBD")); /* the bad byte, replaced */
    assert_true(utf8_valid(aside.at, aside.n));
    str_drop(&aside);
    json_decref(m);
    fixture_close(&f);
}

static void long_examples_are_cut_when_asked(void **state)
{
    (void)state;
    Fixture f;
    Str text = {0};
    str_adds(&text, "{\"conversations\":[");
    for (int i = 0; i < 20; i++)
        str_addf(&text, "%s{\"from\":\"human\",\"value\":\"q%d\"},{\"from\":\"gpt\",\"value\":\"a%d\"}",
                 i ? "," : "", i, i);
    str_adds(&text, "]}\n{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"gpt\","
                    "\"value\":\"a\"}]}\n");
    scratch_write("long.jsonl", text.at, text.n);
    str_drop(&text);
    fixture_open(&f, "{too_long: cut, held_out: 0, sources: [{name: a, kind: text, path: $/long.jsonl}]}");
    json_t *m = fixture_prepare(&f, "cut", NULL);
    assert_int_equal(fixture_number(m, 0, "", "cut"), 1);
    assert_int_equal(fixture_number(m, 0, "", "examples"), 2);
    int64_t tokens = fixture_number(m, 0, "used", "tokens");
    assert_true(tokens > 100 &&
                tokens < 130); /* two rounds or three of the long one, as 101 have room; and the short one */
    json_decref(m);
    fixture_close(&f);
}

static Status prepare(const char *section)
{
    Fixture f;
    json_t *m;
    bool reused;
    fixture_open(&f, section);
    Status st = instruct_prepare(&f.job, in_scratch("refused"), &m, &reused);
    if (st == ST_OK)
        json_decref(m);
    fixture_close(&f);
    return st;
}

static void unknown_and_mixed_sources_are_refused(void **state)
{
    (void)state;
    scratch_text("two.jsonl",
                 "{\"instruction\":\"q\",\"output\":\"a\"}\n{\"prompt\":\"q\",\"completion\":\"a\"}\n");
    assert_int_equal(prepare("{sources: [{name: a, kind: text, path: $/two.jsonl}]}"), ST_ARG);
    expect_words("two.jsonl:1 is written as alpaca and");
    scratch_text("text.jsonl", "{\"text\":\"once\"}\n");
    assert_int_equal(prepare("{sources: [{name: a, kind: text, path: $/text.jsonl}]}"), ST_ARG);
    expect_words("text.jsonl:1 is an object with the keys text");
    scratch_text("prose.txt", "Once upon a time\n");
    assert_int_equal(prepare("{sources: [{name: a, kind: text, path: $/prose.txt}]}"), ST_ARG);
    expect_words("is no JSON");
    scratch_text("x.parquet", "PAR1 and more");
    assert_int_equal(prepare("{sources: [{name: a, kind: text, path: $/x.parquet}]}"), ST_IO);
    expect_words("x.parquet: a Parquet file");
    assert_int_equal(prepare("{sources: [{name: a, kind: text, path: $/absent}]}"), ST_ARG);
    expect_words("no file matches");
}

/* A template that hides the end marker: what instruct_read does with chat_prove's answer is shown by muting
 * the end in the rendering itself, which no template of ours does; so the proof is asked directly. */
static void a_mask_without_the_end_is_no_proof(void **state)
{
    (void)state;
    Fixture f;
    Ids ids = {0};
    ChatMask mask = {0};
    Conversation c = {0};
    fixture_open(&f, "{}");
    conversation_add(&c, CHAT_USER, span("q"));
    conversation_add(&c, CHAT_ASSISTANT, span("a"));
    assert_int_equal(chat_render(f.tok, f.tmpl, &c, 0, &ids, &mask), ST_OK);
    assert_int_equal(chat_prove(f.tok, f.tmpl, &c, 0, ids.at, mask.at, ids.n), ST_OK);
    size_t last = ids.n;
    while (!mask.at[last - 1])
        last--;
    mask.at[last - 1] = 0;
    assert_int_equal(chat_prove(f.tok, f.tmpl, &c, 0, ids.at, mask.at, ids.n), ST_ARG);
    expect_words("end marker");
    array_drop(&ids);
    array_drop(&mask);
    conversation_drop(&c);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_aside_is_counted),
        cmocka_unit_test(long_examples_are_cut_when_asked),
        cmocka_unit_test(unknown_and_mixed_sources_are_refused),
        cmocka_unit_test(a_mask_without_the_end_is_no_proof),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
