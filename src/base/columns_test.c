#include "base/columns.h"

#include <string.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */


static void cells_stand_below_each_other(void **state)
{
    (void)state;
    Columns c = {.align = "lrl"};
    Str out = {0};
    columns_add(&c, "%s", "name");
    columns_add(&c, "%d", 7);
    columns_add(&c, "x\ny");
    columns_add(&c, "n\303\244me here"); /* one character of two bytes */
    columns_add(&c, "%d", 1234);
    columns_end_row(&c);
    columns_add(&c, "%s", "");
    columns_add(&c, "%d", 5);
    columns_add(&c, "z");
    columns_end_row(&c); /* whole already */
    columns_text(&c, &out);
    assert_string_equal(str_c(&out), "name          7  x y\n"
                                     "n\303\244me here  1234\n"
                                     "              5  z\n");
    str_drop(&out);
    columns_drop(&c);
}

static void the_last_column_goes_on_below(void **state)
{
    (void)state;
    Columns c = {.align = "ll", .wrap = 22};
    Str out = {0};
    columns_add(&c, "ab");
    columns_add(&c, "one two n\303\244me four-and-a-long-word five");
    columns_add(&c, "abcd");
    columns_add(&c, "six");
    columns_text(&c, &out);
    assert_string_equal(str_c(&out), "ab    one two n\303\244me\n"
                                     "      four-and-a-long-word\n"
                                     "      five\n"
                                     "abcd  six\n");
    str_clear(&out);
    c.wrap = 21; /* 15 characters are no column */
    columns_text(&c, &out);
    assert_non_null(strstr(str_c(&out), "long-word five\n"));
    str_drop(&out);
    columns_drop(&c);
}

static void nothing_is_nothing(void **state)
{
    (void)state;
    Columns c = {.align = "l"};
    Str out = {0};
    columns_end_row(&c);
    columns_text(&c, &out);
    assert_int_equal(out.n, 0);
    columns_drop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_stand_below_each_other),
        cmocka_unit_test(the_last_column_goes_on_below),
        cmocka_unit_test(nothing_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
