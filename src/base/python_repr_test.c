#include "base/python_repr.h"

#include <math.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static void numbers_are_as_python_prints_them(void **state)
{
    (void)state;
    static const struct {
        double real;
        const char *text;
    } cases[] = {{0, "0.0"},
                 {-0.0, "-0.0"},
                 {1, "1.0"},
                 {-2.5, "-2.5"},
                 {0.1, "0.1"},
                 {1.0 / 3, "0.3333333333333333"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {123456.789, "123456.789"},
                 {1e15, "1000000000000000.0"},
                 {9999999999999998, "9999999999999998.0"},
                 {1e16, "1e+16"},
                 {1.5e16, "1.5e+16"},
                 {0.0001, "0.0001"},
                 {0.00012, "0.00012"},
                 {0.00001, "1e-05"},
                 {1.25e-7, "1.25e-07"},
                 {1e100, "1e+100"},
                 {5e-324, "5e-324"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"},
                 {INFINITY, "inf"},
                 {-INFINITY, "-inf"},
                 {NAN, "nan"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Str s = {0};
        python_repr_real(&s, cases[i].real);
        assert_string_equal(str_c(&s), cases[i].text);
        str_drop(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_are_as_python_prints_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
