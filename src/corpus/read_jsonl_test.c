#include "corpus/read_formats.h"

#include "corpus/scratch_test.h"

static ReadReason parse(const char *line, const char *key, const char *wanted)
{
    ReaderSpec spec = {.text_key = key};
    Document d = {.text = span(line), .id = span("line"), .format = FORMAT_JSONL};
    DocumentStore store = {0};
    read_jsonl_parse(&spec, &d, &store);
    if (wanted)
        assert_true(d.text.n == strlen(wanted) && memcmp(d.text.at, wanted, d.text.n) == 0);
    if (d.reason != READ_GOOD)
        assert_true(d.text.n == 0 && d.why.n > 0);
    document_store_drop(&store);
    return d.reason;
}

static void texts_are_taken_from_objects(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"text\":\"a\\u00e9\\n\\\"\"}", NULL, "a\xC3\xA9\n\""), READ_GOOD);
    assert_int_equal(parse("{\"content\":\"b\",\"x\":[1,{\"text\":\"no\"}]}", NULL, "b"), READ_GOOD);
    assert_int_equal(parse("{\"text\":\"a\",\"content\":\"b\"}", NULL, "a"), READ_GOOD);
    assert_int_equal(parse("{\"text\":\"a\",\"code\":\"b\"}", "code", "b"), READ_GOOD);
    assert_int_equal(parse("{\"text\":\"\\ud83d\\ude00\"}", NULL, "\xF0\x9F\x98\x80"), READ_GOOD);
}

static void lines_without_text_have_a_reason(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"title\":\"a\"}", NULL, NULL), READ_NO_KEY);
    assert_int_equal(parse("{\"text\":7}", NULL, NULL), READ_NO_KEY);
    assert_int_equal(parse("[\"text\"]", NULL, NULL), READ_NO_KEY);
    assert_int_equal(parse("{\"text\":\"a\"", NULL, NULL), READ_NOT_JSON);
    assert_int_equal(parse("plain words", NULL, NULL), READ_NOT_JSON);
    assert_int_equal(parse("{\"text\":\"\xE9\"}", NULL, NULL), READ_NOT_UTF8);
    assert_int_equal(parse("{\"text\":\"\\ud83d\"}", NULL, NULL), READ_NOT_JSON);
}

/* Every beginning of a line is refused as JSON, and nothing is read behind it. */
static void every_truncation_has_a_reason(void **state)
{
    (void)state;
    const char *line = "{\"id\":3,\"text\":\"a \\u00e9 b\",\"meta\":{\"n\":[1,2.5e3,true,null]}}";
    for (size_t n = 1; n < strlen(line); n++) {
        char *cut = mem_strn(line, n);
        assert_int_equal(parse(cut, NULL, NULL), READ_NOT_JSON);
        mem_free(cut);
    }
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    Str line = {0};
    for (int i = 0; i < 100000; i++)
        str_addc(&line, '[');
    assert_int_equal(parse(str_c(&line), NULL, NULL), READ_NOT_JSON);
    str_drop(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_taken_from_objects),
        cmocka_unit_test(lines_without_text_have_a_reason),
        cmocka_unit_test(every_truncation_has_a_reason),
        cmocka_unit_test(deep_nesting_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
