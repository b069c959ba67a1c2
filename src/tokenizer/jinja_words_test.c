#include "tokenizer/jinja_words.h"

#include "base/scratch_test.h"

/* Words as "text|", with ! in front where they are only looked at. */
static void assert_words(const char *jinja, const char *wanted)
{
    WordList list = {0};
    Str all = {0};
    jinja_words_read(&list, span(jinja));
    for (size_t i = 0; i < list.n; i++)
        str_addf(&all, "%s%s|", list.at[i].compared ? "!" : "", str_c(&list.at[i].text));
    assert_string_equal(str_c(&all), wanted);
    jinja_words_drop(&list);
    str_drop(&all);
}

static void test_words(void **state)
{
    (void)state;
    assert_words("", "");
    assert_words("plain { text }", "plain { text }|");
    assert_words("a{{ 'b' }}c{# 'd' #}e{%- if x -%}f", "a|b|c|e|f|");
    assert_words("{{ 'it\\'s' + \"\\n\\t\\\\\" }}", "it's|\n\t\\|");
    assert_words("{{ '}}' }}{% set x = '%}' %}", "}}|%}|");
    assert_words("{% if m['role'] == 'user' and 'x' in m and m.get('y') %}{{ m['z'] + 'w' }}",
                 "!role|!user|!x|!y|!z|w|");
    assert_words("{{ raise_exception('no') }}{{ [ 'a' ] }}", "!no|!a|");
    assert_words("{{ 'cut", "cut|");
    assert_words("{{", "");
    assert_words("{# never ends '", "");
    assert_words("{{ '\\", "\\|");
}

static void assert_markup(const char *text, size_t n)
{
    assert_int_equal(jinja_words_markup(span(text)), n);
}

static void test_markup(void **state)
{
    (void)state;
    assert_markup("<|im_start|>user", 12);
    assert_markup("<s>", 3);
    assert_markup("</tool_call>", 12);
    assert_markup("<<SYS>>\n", 7);
    assert_markup("<</SYS>>", 8);
    assert_markup("[INST] ", 6);
    assert_markup("[/INST]", 7);
    assert_markup("[roles]", 0);
    assert_markup("<a b>", 0);
    assert_markup("<>", 0);
    assert_markup("<", 0);
    assert_markup("<|open", 0);
    assert_markup("x", 0);
}

static void test_have(void **state)
{
    (void)state;
    WordList list = {0};
    jinja_words_read(&list, span("{{ x == 'seen' }}{{ 'said' }}"));
    assert_true(jinja_words_have(&list, "sai"));
    assert_false(jinja_words_have(&list, "seen"));
    jinja_words_drop(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_markup),
        cmocka_unit_test(test_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
