/* Against CPython 3.11's eval. */
#include "eval/python_literal.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static PythonReader reader(const char *text)
{
    return (PythonReader){.at = text, .end = text + strlen(text)};
}

static void numbers_end_where_they_end(void **state)
{
    (void)state;
    PythonReader p = reader("0x_fF+1");
    assert_int_equal(python_read_number(&p).whole, 255);
    assert_string_equal(p.at, "+1");
    p = reader("1_000.5e-1if");
    assert_true(python_read_number(&p).real == 100.05);
    assert_string_equal(p.at, "if"); /* a keyword may follow at once */
    p = reader("99999999999999999999");
    assert_int_equal(python_read_number(&p).kind, PYTHON_BIG);
    static const char *const broken[] = {"012", "1_", "0b", "1x"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        p = reader(broken[i]);
        python_read_number(&p);
        assert_true(p.broken);
    }
}

static void strings_side_by_side_are_one(void **state)
{
    (void)state;
    PythonReader p = reader("'ab' + 1");
    assert_int_equal(python_read_strings(&p).text.n, 2);
    assert_int_equal(python_next_char(&p), '+');
    p = reader("'''a\n'b''' \"c\"");
    PythonValue v = python_read_strings(&p);
    assert_true(v.kind == PYTHON_STR && !v.text.at && p.at == p.end); /* what they say together is not kept */
    p = reader("b'a'");
    assert_int_equal(python_read_strings(&p).kind, PYTHON_OTHER);
    p = reader("b'a' 'c'");
    python_read_strings(&p);
    assert_true(p.broken);
    p = reader("'a\n'");
    python_read_strings(&p);
    assert_true(p.broken);
    p = reader("rb1");
    assert_null(python_quote_at(&p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_end_where_they_end),
        cmocka_unit_test(strings_side_by_side_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
