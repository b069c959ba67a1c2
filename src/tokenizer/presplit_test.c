#include "tokenizer/presplit.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* The words of `text` by one pattern, joined by '|'. */
static void assert_split(const char *pattern, SplitBehaviour behaviour, bool invert, const char *text,
                         const char *want)
{
    Presplit p = {0};
    PresplitWork w = {0};
    Ranges out = {0};
    Str got = {0};
    if (presplit_add_regex(&p, span(pattern), behaviour, invert) != ST_OK)
        fail_msg("%s", error_text());
    presplit_ready(&p);
    assert_int_equal(presplit_run(&p, &w, &out, text, strlen(text)), ST_OK);
    for (size_t i = 0; i < out.n; i++) {
        str_adds(&got, i ? "|" : "");
        str_add(&got, text + out.at[i].start, out.at[i].end - out.at[i].start);
    }
    assert_string_equal(str_c(&got), want);
    str_drop(&got);
    array_drop(&out);
    presplitwork_drop(&w);
    presplit_drop(&p);
}

static void behaviours_are_hugging_faces(void **state)
{
    (void)state;
    const char *text = "the-final--countdown"; /* the example of the library's own documentation */
    assert_split("-", SPLIT_REMOVED, false, text, "the|final|countdown");
    assert_split("-", SPLIT_ISOLATED, false, text, "the|-|final|-|-|countdown");
    assert_split("-", SPLIT_WITH_PREVIOUS, false, text, "the-|final-|-|countdown");
    assert_split("-", SPLIT_WITH_NEXT, false, text, "the|-final|-|-countdown");
    assert_split("-", SPLIT_CONTIGUOUS, false, text, "the|-|final|--|countdown");
    assert_split("[a-z]+", SPLIT_REMOVED, true, text, "the|final|countdown");
    assert_split("x*", SPLIT_ISOLATED, false, "axb", "a|x|b");
    assert_split("z", SPLIT_REMOVED, false, "", "");
}

static void steps_follow_each_other(void **state)
{
    (void)state;
    Presplit p = {0};
    PresplitWork w = {0};
    Ranges out = {0};
    assert_int_equal(presplit_add_literal(&p, span("."), SPLIT_REMOVED, false),
                     ST_OK); /* not any character */
    assert_int_equal(presplit_add_regex(&p, span("\\d"), SPLIT_ISOLATED, false), ST_OK);
    presplit_ready(&p);
    assert_int_equal(presplit_run(&p, &w, &out, "ab.c12.", 7), ST_OK);
    assert_int_equal(out.n, 4);
    assert_int_equal(out.at[1].start, 3);
    assert_int_equal(out.at[3].end, 6);
    array_drop(&out);
    presplitwork_drop(&w);
    presplit_drop(&p);
}

static void bytes_outside_utf8_are_characters(void **state)
{
    (void)state;
    assert_split("\\p{L}+", SPLIT_ISOLATED, false,
                 "ab\xFF\xC3\xA9\xE6\x9D"
                 "c",
                 "ab|\xFF|\xC3\xA9|\xE6\x9D|c");
}

static void assert_refused(const char *pattern, Status status, const char *words)
{
    Presplit p = {0};
    assert_int_equal(presplit_add_regex(&p, span(pattern), SPLIT_ISOLATED, false), status);
    if (!strstr(error_text(), words))
        fail_msg("'%s' does not say '%s'", error_text(), words);
    assert_int_equal(p.steps.n, 0);
    presplit_drop(&p);
}

static void what_libraries_read_differently_is_refused(void **state)
{
    (void)state;
    assert_refused("a\\h", ST_UNSUPPORTED, "\\h");
    assert_refused("\\bword", ST_UNSUPPORTED, "\\b");
    assert_refused("[a-z&&[^b]]", ST_UNSUPPORTED, "class");
    assert_refused("^a", ST_UNSUPPORTED, "anchor");
    assert_split("\\s+$", SPLIT_ISOLATED, false, "a  \nb  c \t", "a|  |\nb  c| \t");
    assert_split("a$|[$]", SPLIT_ISOLATED, false, "aa\na$", "a|a|\na|$");
    assert_refused("(a", ST_FORMAT, "(a");
    assert_refused("a\\", ST_FORMAT, "backslash");
    assert_refused("\\u12", ST_FORMAT, "four hexadecimal");
    assert_refused("[[:alpha", ST_FORMAT, "':]'");
    assert_split("[[:digit:]]", SPLIT_ISOLATED, false, "a1", "a|1");
    assert_split("[^]a]", SPLIT_ISOLATED, false, "ab]", "a|b|]");
    assert_split("\\u0041+", SPLIT_ISOLATED, false, "xAA", "x|AA");
}

static void names_of_gguf_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *name, *writes;
        bool known, whole;
    } all[] = {{"gpt-2", "gpt-2", true, false},
               {"mellum", "gpt-2", true, false},
               {"llama-bpe", "llama-bpe", true, true},
               {"lfm2", "llama-bpe", true, true},
               {"lemur", "smaug-bpe", true, false},
               {"starcoder", "starcoder", true, false},
               {"qwen2", "qwen2", true, false},
               {"deepseek-coder", "deepseek-coder", false, false},
               {"deepseek-llm", "deepseek-llm", false, false},
               {"tekken", "tekken", false, true},
               {"seed-coder", "seed-coder", false, false},
               {"default", "default", false, false}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        Presplit p = {0};
        bool whole;
        assert_int_equal(presplit_add_named(&p, all[i].name, &whole), ST_OK);
        presplit_ready(&p);
        assert_int_equal(p.known != KNOWN_NONE, all[i].known);
        assert_int_equal(whole, all[i].whole);
        assert_string_equal(presplit_name(&p, whole), all[i].writes);
        presplit_drop(&p);
    }
    Presplit p = {0};
    bool whole;
    assert_int_equal(presplit_add_named(&p, "gpt-5", &whole), ST_UNSUPPORTED);
    presplit_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behaviours_are_hugging_faces),
        cmocka_unit_test(steps_follow_each_other),
        cmocka_unit_test(bytes_outside_utf8_are_characters),
        cmocka_unit_test(what_libraries_read_differently_is_refused),
        cmocka_unit_test(names_of_gguf_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
