#include "tokenizer/matcher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static Matcher matcher_of(const Needle *needles, int n)
{
    Matcher m = {0};
    for (int i = 0; i < n; i++)
        matcher_add(&m, needles[i]);
    matcher_ready(&m);
    return m;
}

static void assert_found(const Matcher *m, const char *text, size_t from, size_t start, size_t end,
                         int32_t id)
{
    Found f = matcher_next(m, text, span(text).n, from);
    assert_int_equal(f.start, start);
    assert_int_equal(f.end, end);
    assert_int_equal(f.id, id);
}

static void the_longest_wins(void **state)
{
    (void)state;
    Needle needles[] = {
        {.text = span("<a"), .id = 1}, {.text = span("<a>"), .id = 2}, {.text = span("\xFF"), .id = 3}};
    Matcher m = matcher_of(needles, 3);
    assert_found(&m, "x<a><a", 0, 1, 4, 2);
    assert_found(&m, "x<a><a", 4, 4, 6, 1);
    assert_found(&m, "\xFF", 0, 0, 1, 3);
    assert_found(&m, "nothing", 0, 7, 7, -1);
    assert_found(&m, "", 0, 0, 0, -1);
    matcher_drop(&m);
}

static void white_space_is_swallowed_where_asked(void **state)
{
    (void)state;
    Needle needles[] = {{.text = span("L"), .id = 1, .left_strip = true},
                        {.text = span("R"), .id = 2, .right_strip = true}};
    Matcher m = matcher_of(needles, 2);
    assert_found(&m, "x \t L y", 0, 1, 5, 1);
    assert_found(&m, "x R \xE2\x80\x83 y", 0, 2, 8, 2); /* U+2003 is white space, too */
    assert_found(&m, "  L", 1, 1, 3, 1);                /* not beyond where the search began */
    matcher_drop(&m);
}

static void a_single_word_stands_alone(void **state)
{
    (void)state;
    Needle needles[] = {{.text = span("in"), .id = 1, .single_word = true}};
    Matcher m = matcher_of(needles, 1);
    assert_found(&m, "inn sing \xC3\xA9in in_ 1in in", 0, 22, 24, 1);
    assert_found(&m, "(in)", 0, 1, 3, 1);
    matcher_drop(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_wins),
        cmocka_unit_test(white_space_is_swallowed_where_asked),
        cmocka_unit_test(a_single_word_stands_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
