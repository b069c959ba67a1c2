#include "infer/stops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

/* What comes out of `text` given in pieces of `size` bytes, and then, when `flush`, at its end. */
static Str filtered(const char *const *strings, size_t n, const char *text, size_t size, int *found)
{
    Stops s;
    Str out = {0};
    stops_init(&s, strings, n);
    for (size_t at = 0, length = strlen(text); at < length; at += size)
        stops_push(&s, &out, text + at, length - at < size ? length - at : size);
    *found = s.found;
    if (s.found < 0)
        stops_flush(&s, &out);
    stops_drop(&s);
    return out;
}

static void expect(const char *const *strings, size_t n, const char *text, const char *wanted,
                   int wanted_found)
{
    for (size_t size = 1; size <= strlen(text); size++) {
        int found;
        Str out = filtered(strings, n, text, size, &found);
        assert_string_equal(str_c(&out), wanted);
        assert_int_equal(found, wanted_found);
        str_drop(&out);
    }
}

static void text_ends_before_the_string_however_it_arrives(void **state)
{
    (void)state;
    static const char *const one[] = {"\n\nclass "};
    expect(one, 1, "x = 1\n\nclass A:", "x = 1", 0);
    expect(one, 1, "x = 1\n\nclas", "x = 1\n\nclas", -1);
    expect(one, 1, "\n\n\nclass A", "\n", 0);
    expect(one, 1, "\n\nclass ", "", 0);
    static const char *const self[] = {"abab"};
    expect(self, 1, "aababab", "a", 0);
    expect(self, 1, "abaabab", "aba", 0);
    static const char *const two[] = {"end", "stop here"};
    expect(two, 2, "never ending", "never ", 0);
    expect(two, 2, "please stop here", "please ", 1);
    expect(two, 2, "stop her", "stop her", -1);
}

static void the_string_that_is_complete_first_wins(void **state)
{
    (void)state;
    static const char *const nested[] = {"a long one", "long"};
    expect(nested, 2, "not a long one", "not a ", 1);
    static const char *const same_end[] = {"b", "ab"};
    expect(same_end, 2, "xab", "x", 1);
}

static void nothing_that_might_become_a_string_is_let_through(void **state)
{
    (void)state;
    static const char *const strings[] = {"<|im_end|>"};
    Stops s;
    Str out = {0};
    stops_init(&s, strings, 1);
    stops_push(&s, &out, "hi<|im", 6);
    assert_string_equal(str_c(&out), "hi");
    stops_push(&s, &out, "_", 1);
    assert_string_equal(str_c(&out), "hi");
    stops_push(&s, &out, "x", 1); /* now it cannot be one */
    assert_string_equal(str_c(&out), "hi<|im_x");
    stops_push(&s, &out, "<|im_end|>more", 14);
    assert_int_equal(s.found, 0);
    stops_push(&s, &out, "more", 4);
    stops_flush(&s, &out);
    assert_string_equal(str_c(&out), "hi<|im_x");
    stops_drop(&s);
    str_drop(&out);
}

static void without_strings_all_goes_through(void **state)
{
    (void)state;
    expect(NULL, 0, "any text", "any text", -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_ends_before_the_string_however_it_arrives),
        cmocka_unit_test(the_string_that_is_complete_first_wins),
        cmocka_unit_test(nothing_that_might_become_a_string_is_let_through),
        cmocka_unit_test(without_strings_all_goes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
