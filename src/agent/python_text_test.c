/* Against CPython 3.11's str and float; each expectation was printed by it. */
#include "agent/python_text.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void check_lower(const char *text, const char *want)
{
    Str out = {0};
    python_lower(&out, span(text));
    assert_string_equal(str_c(&out), want);
    str_drop(&out);
}

static void lower_is_unicode(void **state)
{
    (void)state;
    check_lower("ABC \xC3\x89", "abc \xC3\xA9");
    check_lower("\xC4\xB0x", "i\xCC\x87x");              /* dotted capital I */
    check_lower("\xCE\x9F\xCE\xA3", "\xCE\xBF\xCF\x82"); /* final sigma      */
    check_lower("\xCE\xA3\xCE\x9F", "\xCF\x83\xCE\xBF"); /* sigma before     */
    check_lower("\xFF"
                "A",
                "\xFF"
                "a");
}

static void strip_knows_all_spaces(void **state)
{
    (void)state;
    assert_true(span_is(python_strip(span(" \t\n\x1C\xC2\xA0\xE3\x80\x80"
                                          "a b\xE2\x80\xA9 ")),
                        "a b"));
    assert_true(span_is(python_strip(span(" \n ")), ""));
    assert_true(span_is(python_strip_of(span("['a'] ' "), "[]' "), "a"));
    assert_true(span_is(python_after_last(span("a=b=c"), "="), "c"));
    assert_true(span_is(python_after_last(span("abc"), "="), "abc"));
    assert_true(python_in(span(""), span("")));
    assert_false(python_in(span("ab"), span("a")));
}

static void numbers_are_those_of_float(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {{" 12 ", 12},
                {"1e3", 1000},
                {".5", .5},
                {"5.", 5},
                {"-1_000.5", -1000.5},
                {"+2", 2},
                {"1E-2", .01},
                {"\xD9\xA3\xD9\xA4", 34},
                {"\xEF\xBC\x91.5", 1.5},
                {"INF", INFINITY},
                {"-infinity", -INFINITY}};
    static const char *const bad[] = {"",  "1,000", "0x10", "1__0", "_1",   "1_",       "1e",     "e5",
                                      ".", "1 2",   "abc",  "--1",  "1_.5", "\xC2\xB2", "infinit"};
    double x;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!python_float(&x, span(good[i].text)) || !(x == good[i].value))
            fail_msg("float('%s')", good[i].text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (python_float(&x, span(bad[i])))
            fail_msg("float('%s') is %g", bad[i], x);
    assert_true(python_float(&x, span("nan")) && isnan(x));
    assert_true(python_is_digits(span("12\xD9\xA3")));
    assert_false(python_is_digits(span("")) || python_is_digits(span("1.5")) || python_is_digits(span("-1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lower_is_unicode),
        cmocka_unit_test(strip_knows_all_spaces),
        cmocka_unit_test(numbers_are_those_of_float),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
