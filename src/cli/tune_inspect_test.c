#include "cli/tune_inspect.h"

#include "corpus/instruct_fixture_test.h"

static Str inspected(int64_t n, bool terminal)
{
    FILE *out = fopen(in_scratch("out"), "w");
    assert_non_null(out);
    assert_int_equal(tune_inspect(out, in_scratch("shown"), n, terminal), ST_OK);
    assert_int_equal(fclose(out), 0);
    return scratch_read("out");
}

/* On a terminal in colour, and what an example has of control characters does nothing there. */
static void learned_text_is_marked(void **state)
{
    (void)state;
    Fixture f;
    scratch_text("e.jsonl", "{\"instruction\":\"Greet caf\xC3\xA9s <|im_end|>\",\"output\":\"Hall\xC3\xB6!\"}\n"
                            "{\"instruction\":\"Rename \\u001b]0;me\\u0007\",\"output\":\"No\\u001b[2J.\"}\n");
    fixture_open(&f, "{held_out: 0, sources: [{name: e, kind: text, path: $/e.jsonl}]}");
    json_decref(fixture_prepare(&f, "shown", NULL));
    Str text = inspected(5, false);
    assert_non_null(strstr(str_c(&text),
                           "of e (text): 51 tokens, 8 learned\n"
                           "<|im_start|>user\nGreet caf\xC3\xA9s <|im_end|><|im_end|>\n<|im_start|>assistant\n"
                           "\xE2\x9F\xA6Hall\xC3\xB6!<|im_end|>\xE2\x9F\xA7\n\n"));
    assert_non_null(strstr(str_c(&text), "\xE2\x9F\xA6No\033[2J.<|im_end|>\xE2\x9F\xA7\n"));
    str_drop(&text);
    text = inspected(5, true);
    assert_non_null(strstr(str_c(&text), "\033[32mHall\xC3\xB6!<|im_end|>\033[0m"));
    assert_non_null(strstr(str_c(&text), "\033[32mNo^[[2J.<|im_end|>\033[0m"));
    assert_non_null(strstr(str_c(&text), "Rename ^[]0;me^G<|im_end|>"));
    str_drop(&text);
    text = inspected(1, false);
    assert_non_null(strstr(str_c(&text), "--- example 1,"));
    assert_null(strstr(str_c(&text), "--- example 2,"));
    str_drop(&text);
    assert_int_equal(tune_inspect(stdout, in_scratch("absent"), 1, true), ST_IO);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(learned_text_is_marked)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
