#include "corpus/instruct_inspect.h"

#include "corpus/instruct_fixture_test.h"

static void learned_text_is_marked(void **state)
{
    (void)state;
    Fixture f;
    Str text = {0};
    scratch_text("e.jsonl",
                 "{\"instruction\":\"Greet caf\xC3\xA9s <|im_end|>\",\"output\":\"Hall\xC3\xB6!\"}\n");
    fixture_open(&f, "{held_out: 0, sources: [{name: e, kind: text, path: $/e.jsonl}]}");
    json_decref(fixture_prepare(&f, "shown", NULL));
    assert_int_equal(instruct_inspect(&text, in_scratch("shown"), 5, false), ST_OK);
    assert_string_equal(str_c(&text),
                        "--- example 1, of e (text): 51 tokens, 8 learned\n"
                        "<|im_start|>user\nGreet caf\xC3\xA9s <|im_end|><|im_end|>\n<|im_start|>assistant\n"
                        "\xE2\x9F\xA6Hall\xC3\xB6!<|im_end|>\xE2\x9F\xA7\n\n");
    str_clear(&text);
    assert_int_equal(instruct_inspect(&text, in_scratch("shown"), 1, true), ST_OK);
    assert_non_null(strstr(str_c(&text), "\033[32mHall\xC3\xB6!<|im_end|>\033[0m"));
    assert_int_equal(instruct_inspect(&text, in_scratch("absent"), 1, true), ST_IO);
    str_drop(&text);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(learned_text_is_marked)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
