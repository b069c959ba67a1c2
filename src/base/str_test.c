#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void utf8_refuses_what_is_not_utf8(void **state)
{
    (void)state;
    uint32_t c;
    assert_int_equal(utf8_decode(&c, "\xC3\xA9", 2), 2);
    assert_int_equal(c, 0xE9);
    assert_int_equal(utf8_decode(&c, "\xC0\x80", 2), 0);         /* over-long */
    assert_int_equal(utf8_decode(&c, "\xED\xA0\x80", 3), 0);     /* surrogate */
    assert_int_equal(utf8_decode(&c, "\xF4\x90\x80\x80", 4), 0); /* above U+10FFFF */
    assert_int_equal(utf8_decode(&c, "\xE2\x82", 2), 0);         /* cut */
    assert_true(utf8_valid("a\xF0\x9F\x98\x80z", 6));
    assert_false(utf8_valid("a\xF0\x9F\x98", 4));
}

static void text_is_made_valid(void **state)
{
    (void)state;
    Str s = {0};
    str_add_valid(&s, "a\xC3\xA9\xC3z\xFF", 6);
    assert_string_equal(str_c(&s), "a\xC3\xA9\xEF\xBF\xBDz\xEF\xBF\xBD");
    str_drop(&s);
}

static void numbers_are_parsed_whole(void **state)
{
    (void)state;
    int64_t i;
    double d;
    assert_int_equal(parse_int(&i, "20k"), ST_OK);
    assert_int_equal(i, 20000);
    assert_int_equal(parse_int(&i, "12x"), ST_ARG);
    assert_int_equal(parse_int(&i, ""), ST_ARG);
    assert_int_equal(parse_int(&i, "9223372036854775807k"), ST_ARG);
    assert_int_equal(parse_double(&d, "3e-4"), ST_OK);
    assert_int_equal(parse_double(&d, "nan"), ST_ARG);
}

static void people_read_numbers(void **state)
{
    (void)state;
    char b[32];
    assert_string_equal(human_bytes(b, 1536), "1.54 kB");
    assert_string_equal(human_count(b, 999), "999");
    assert_string_equal(human_time(b, 3725), "1 h 02 min");
    assert_string_equal(human_time(b, 59.7), "1 min 00 s");
    assert_string_equal(human_time(b, 6.3e10), "1996 years");
    assert_string_equal(human_time(b, 1e16), "?");
}

static void nearest_name_helps(void **state)
{
    (void)state;
    static const char *const names[] = {"learning_rate", "weight_decay"};
    assert_string_equal(nearest_name("lerning_rate", names, 2), "learning_rate");
    assert_null(nearest_name("zzzzzz", names, 2));
}

static void lists_of_words(void **state)
{
    (void)state;
    const char *at = "  one two  ";
    assert_true(span_is(words_next(&at), "one"));
    assert_true(span_is(words_next(&at), "two"));
    assert_int_equal(words_next(&at).n, 0);
    assert_int_equal(words_next(&at).n, 0);
}

static void lists_with_commas(void **state)
{
    (void)state;
    static const char *const items[] = {"one", "two words", "", "last"};
    const char *at = "one, two words ,,last,", *none = NULL;
    Span item;
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
        assert_true(list_next(&item, &at) && span_is(item, items[i]));
    assert_false(list_next(&item, &at));
    assert_false(list_next(&item, &at));
    assert_false(list_next(&item, &none));
}

/* An empty span may have no bytes at all: the sanitizers see to it that none are looked at. */
static void empty_spans(void **state)
{
    (void)state;
    assert_true(span_is((Span){0}, "") && span_starts((Span){0}, "") && span_ends((Span){0}, ""));
    assert_false(span_is((Span){0}, "a") || span_starts((Span){0}, "a") || span_ends((Span){0}, "a"));
    assert_true(span_starts(span("ab"), "a") && span_ends(span("ab"), "b") && !span_ends(span("ab"), "a"));
    assert_int_equal(span_trim((Span){0}).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_words),
        cmocka_unit_test(lists_with_commas),
        cmocka_unit_test(empty_spans),
        cmocka_unit_test(utf8_refuses_what_is_not_utf8),
        cmocka_unit_test(text_is_made_valid),
        cmocka_unit_test(numbers_are_parsed_whole),
        cmocka_unit_test(people_read_numbers),
        cmocka_unit_test(nearest_name_helps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
