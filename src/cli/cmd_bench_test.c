#include "cli/bench.h"
#include "cli/cmd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static int bench(char *word, char *flag)
{
    char verb[] = "bench";
    char *argv[] = {verb, word, flag, NULL};
    return cmd_bench(!word ? 1 : !flag ? 2 : 3, argv);
}

static void wrong_words_are_wrong_usage(void **state)
{
    (void)state;
    char gem[] = "gem", gemm[] = "gemm", flag[] = "--thread=1", value[] = "--threads=-1";
    assert_int_equal(bench(NULL, NULL), EXIT_USAGE);
    assert_int_equal(bench(gem, NULL), EXIT_USAGE);
    assert_int_equal(bench(gemm, flag), EXIT_USAGE);
    assert_int_equal(bench(gemm, value), EXIT_USAGE);
}

static void the_median_lies_in_the_middle(void **state)
{
    (void)state;
    double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2};
    assert_true(bench_median(odd, 3) == 2);
    assert_true(bench_median(even, 4) == 2.5);
    assert_true(even[0] == 1 && even[3] == 4);
}

static void help_is_no_error(void **state)
{
    (void)state;
    char help[] = "--help", gemm[] = "gemm";
    assert_int_equal(bench(help, NULL), EXIT_DONE);
    assert_int_equal(bench(gemm, help), EXIT_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_words_are_wrong_usage),
        cmocka_unit_test(the_median_lies_in_the_middle),
        cmocka_unit_test(help_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
