/* Where integers end, and what Python refuses. */
#include "eval/python_number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static PythonValue of(const char *op, PythonValue a, PythonValue b)
{
    Arena arena = {0};
    PythonValue v = python_binary(&arena, span(op), a, b);
    arena_drop(&arena);
    return v;
}

static void integers_grow(void **state)
{
    (void)state;
    PythonValue most = python_int(INT64_MAX), least = python_int(INT64_MIN), one = python_int(1);
    assert_int_equal(of("+", most, one).kind, PYTHON_BIG);
    assert_int_equal(of("-", least, one).kind, PYTHON_BIG);
    assert_int_equal(of("*", most, most).kind, PYTHON_BIG);
    assert_int_equal(of("//", least, python_int(-1)).kind, PYTHON_BIG);
    assert_int_equal(of("%", least, python_int(-1)).whole, 0);
    assert_int_equal(of("<<", one, python_int(63)).kind, PYTHON_BIG);
    assert_int_equal(of("<<", one, python_int(62)).whole, INT64_C(1) << 62);
    assert_int_equal(of(">>", least, python_int(99)).whole, -1);
    assert_int_equal(of("**", python_int(-1), most).whole, -1);
    assert_int_equal(of("**", python_int(10), most).kind, PYTHON_BEYOND);
    assert_int_equal(python_unary('-', least).kind, PYTHON_BIG);
    assert_int_equal(of("/", of("+", most, one), python_int(2)).kind, PYTHON_FLOAT);
    assert_int_equal(of("%", of("+", most, one), python_int(2)).kind, PYTHON_BEYOND);
}

static void what_python_refuses(void **state)
{
    (void)state;
    PythonValue text = {.kind = PYTHON_STR}, list = {.kind = PYTHON_LIST}, real = python_real(1.5);
    assert_int_equal(of("+", text, real).kind, PYTHON_RAISES);
    assert_int_equal(of("+", text, list).kind, PYTHON_RAISES);
    assert_int_equal(of("*", text, real).kind, PYTHON_RAISES);
    assert_int_equal(of("*", text, python_int(2)).kind, PYTHON_BEYOND);
    assert_int_equal(of("&", real, python_int(2)).kind, PYTHON_RAISES);
    assert_int_equal(of("//", real, python_real(0)).kind, PYTHON_RAISES);
    assert_int_equal(python_unary('~', real).kind, PYTHON_RAISES);
    assert_int_equal(python_unary('-', text).kind, PYTHON_RAISES);
    assert_int_equal(python_compare(span("<"), text, real).kind, PYTHON_BEYOND);
    assert_int_equal(python_compare(span(">="), real, real).whole, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_grow),
        cmocka_unit_test(what_python_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
