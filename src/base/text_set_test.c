#include "base/text_set.h"

#include <stdio.h>

#include "base/scratch_test.h"

static int64_t longest(const TextSet *s, const char *in)
{
    return text_set_longest(s, span(in));
}

static void the_longest_is_found(void **state)
{
    (void)state;
    TextSet *s = text_set_new();
    assert_true(text_set_add(s, span("zoo")));
    assert_true(text_set_add(s, span("new zoo")));
    assert_false(text_set_add(s, span("zoo")));
    assert_true(text_set_add(s, span("a\xFF")));
    text_set_end(s);
    assert_int_equal(longest(s, "the zoo"), 0);
    assert_int_equal(longest(s, "zoo, the new zoo"), 1);
    assert_int_equal(longest(s, "new zo"), -1);
    assert_int_equal(longest(s, ""), -1);
    assert_int_equal(longest(s, "a\xFF"), 2);
    assert_int_equal(text_set_longest(s, (Span){"a\0new zoo", 9}), 1);
    text_set_free(s);
    text_set_free(NULL);
}

static void of_none_there_is_none(void **state)
{
    (void)state;
    TextSet *s = text_set_new();
    text_set_end(s);
    assert_int_equal(longest(s, "anything"), -1);
    text_set_free(s);
}

/* Many texts of many lengths, each a part of a sentence that no other stands in. */
static void thousands_are_told_apart(void **state)
{
    (void)state;
    enum { TEXTS = 3000 };
    char text[200], sentence[400];
    TextSet *s = text_set_new();
    for (int i = 0; i < TEXTS; i++) {
        snprintf(text, sizeof text, "%0*d pens of %d?", 1 + i % 50, i, i);
        assert_true(text_set_add(s, span(text)));
    }
    text_set_end(s);
    for (int i = 0; i < TEXTS; i++) {
        snprintf(sentence, sizeof sentence, "What of %0*d pens of %d? And what of the pens?", 1 + i % 50, i,
                 i);
        assert_int_equal(longest(s, sentence), i);
    }
    text_set_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_is_found),
        cmocka_unit_test(of_none_there_is_none),
        cmocka_unit_test(thousands_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
