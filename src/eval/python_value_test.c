/* Against CPython 3.11's eval; each expectation was printed by it. */
#include "eval/python_value.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void check_eval(const char *text, PythonKind kind, double value)
{
    Arena arena = {0};
    /* A copy that ends where the text ends, for the sanitizer to see a step too far. */
    size_t n = strlen(text);
    char *copy = mem_copy(text, n ? n : 1);
    PythonValue v = python_eval(&arena, (Span){copy, n});
    bool numeric = python_is_number(&v) || v.kind == PYTHON_COMPLEX;
    if (v.kind != kind || (numeric && fabs(v.real - value) > 1e-12 * fabs(value)) ||
        (v.kind >= PYTHON_LIST && v.kind <= PYTHON_SET && v.n != (size_t)value))
        fail_msg("%s: kind %d, %.17g, %zu items", text, v.kind, v.real, v.n);
    mem_free(copy);
    arena_drop(&arena);
}

static void numbers_and_operators(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        PythonKind kind;
        double value;
    } cases[] = {
        {"1 + 2*3", PYTHON_INT, 7},
        {"-2**2", PYTHON_INT, -4},
        {"2**-1", PYTHON_FLOAT, .5},
        {"2**3**2", PYTHON_INT, 512},
        {"7//2", PYTHON_INT, 3},
        {"-7//2", PYTHON_INT, -4},
        {"-7%3", PYTHON_INT, 2},
        {"7.5%-2", PYTHON_FLOAT, -.5},
        {"-7.5//2", PYTHON_FLOAT, -4},
        {"6/3", PYTHON_FLOAT, 2},
        {"6^3", PYTHON_INT, 5},
        {"1<<3|1", PYTHON_INT, 9},
        {"~5", PYTHON_INT, -6},
        {"1_000", PYTHON_INT, 1000},
        {"0x1F", PYTHON_INT, 31},
        {"00", PYTHON_INT, 0},
        {"1.5e3", PYTHON_FLOAT, 1500},
        {".5", PYTHON_FLOAT, .5},
        {"5.", PYTHON_FLOAT, 5},
        {"2j+3", PYTHON_COMPLEX, 3},
        {"9**99", PYTHON_BIG, 0x1.1c3d5f9c8ac39p+313},
        {"True+True", PYTHON_INT, 2},
        {"True&False", PYTHON_BOOL, 0},
        {"1 < 2", PYTHON_BOOL, 1},
        {"1 == 1.0", PYTHON_BOOL, 1},
        {"not 0", PYTHON_BOOL, 1},
        {"0 or 5", PYTHON_INT, 5},
        {"0 and x", PYTHON_INT, 0},
        {"1 or x", PYTHON_INT, 1},
        {"3 if 1 else x", PYTHON_INT, 3},
        {"x if 0 else 4", PYTHON_INT, 4},
        {"(1)", PYTHON_INT, 1},
        {"5 # five", PYTHON_INT, 5},
        {"(1,\n2)", PYTHON_TUPLE, 2},
        {"1,", PYTHON_TUPLE, 1},
        {"[1, [2, 3],]", PYTHON_LIST, 2},
        {"[]", PYTHON_LIST, 0},
        {"()", PYTHON_TUPLE, 0},
        {"{1, 1.0, 2}", PYTHON_SET, 2},
        {"[1]+[2]", PYTHON_LIST, 2},
        {"{}", PYTHON_OTHER, 0},
        {"{1: 2, 3: 4}", PYTHON_OTHER, 0},
        {"None", PYTHON_OTHER, 0},
        {"max", PYTHON_OTHER, 0},
        {"'a' 'b'", PYTHON_STR, 0},
        {"'it''s'", PYTHON_STR, 0},
        {"\"\"\"a\nb\"\"\"", PYTHON_STR, 0},
        {"\t 1 \n", PYTHON_INT, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].text, "9**99") != 0)
            check_eval(cases[i].text, cases[i].kind, cases[i].value);
        else
            check_eval(cases[i].text, cases[i].kind, pow(9, 99));
}

static void what_raises(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "x",
        "1 2",
        "1 +",
        "(1",
        "1)",
        "[1",
        "1/0",
        "1.0%0",
        "0**-1",
        "2(3)",
        "2[0]",
        "5m",
        "05",
        "0x",
        "1e",
        "1__0",
        "'a",
        "'a\nb'",
        "'a'+1",
        "[1]-[1]",
        "1;2",
        "a = 1",
        "1\n2",
        "The answer",
        "\xCF\x80",
        "1.real",
        "for",
        "x for y in z",
        "not",
        "1 if 2",
        "1.5 | 2",
        "1 @ 2",
        "1 << -1",
        "-'a'",
        "{[1]}",
        "f(x",
        "1..",
        "$",
        "math.pi",
        "10.0**400",
        "[1,,2]",
        "(,)",
        "{1: }",
        "x if y",
        "**2",
        "1 is not",
        "np.",
        "\xE2\x88\x9A"
        "2",
        "\\",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_eval(texts[i], PYTHON_RAISES, 0);
}

static void what_needs_a_python(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "abs(-1)",
        "np.sqrt(2)",
        "[x for x in (1, 2)]",
        "lambda x: x",
        "'%d' % 3",
        "[1, 2][0]",
        "Rational(1, 2)",
        "sum(x for x in [1])",
        "(yield)",
        "[*'ab']",
        "f'{1}'",
        "solution",
        "1 in [1]",
        "'a' * 3",
        "ValueError",
        "max(1, key=2)",
        "'abc'.upper()",
        "{x: 1 for x in 'ab'}",
        "abs and x",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_eval(texts[i], PYTHON_BEYOND, 0);
}

static void depth_and_length_are_bounded(void **state)
{
    (void)state;
    static const char *const units[] = {"(",   "[",  "{",   "-",  "not ", "1 if ",
                                        "2**", "f(", "{1:", "a.", "{{1},"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        Arena arena = {0};
        Str text = {0};
        while (text.n < 50000)
            str_adds(&text, units[i]);
        assert_true(python_eval(&arena, str_span(&text)).kind <= PYTHON_BEYOND);
        str_drop(&text);
        arena_drop(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_operators),
        cmocka_unit_test(what_raises),
        cmocka_unit_test(what_needs_a_python),
        cmocka_unit_test(depth_and_length_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
