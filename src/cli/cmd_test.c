#include "cli/cmd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const Flag flags[] = {{"output", 'o', "FILE", "where to"}};
static const Command command = {
    .usage = "IN [flags]", .about = "reads and writes", COMMAND_FLAGS(flags), .positional_min = 1, .positional_max = 2};

static bool parse(int argc, char **argv, int *code)
{
    Args args;
    bool go_on = cmd_parse(&command, &args, argc, argv, code);
    if (go_on)
        args_drop(&args);
    return go_on;
}

static void usage_is_checked(void **state)
{
    (void)state;
    int code;
    char verb[] = "verb", in[] = "in", help[] = "--help", wrong[] = "--outptu", flag[] = "-o", dashes[] = "--";
    assert_true(parse(2, (char *[]){verb, in}, &code));
    assert_true(parse(4, (char *[]){verb, in, flag, in}, &code));
    assert_false(parse(1, (char *[]){verb}, &code));
    assert_int_equal(code, EXIT_USAGE);
    assert_false(parse(4, (char *[]){verb, in, in, in}, &code));
    assert_int_equal(code, EXIT_USAGE);
    assert_false(parse(3, (char *[]){verb, in, wrong}, &code));
    assert_int_equal(code, EXIT_USAGE);
    assert_false(parse(3, (char *[]){verb, in, flag}, &code));
    assert_int_equal(code, EXIT_USAGE);
    assert_true(parse(3, (char *[]){verb, dashes, help}, &code));
    assert_false(parse(2, (char *[]){verb, help}, &code));
    assert_int_equal(code, EXIT_DONE);
}

static void each_status_has_its_code(void **state)
{
    (void)state;
    assert_int_equal(cmd_exit(ST_OK), 0);
    assert_int_equal(cmd_exit(ST_ARG), 2);
    assert_int_equal(cmd_exit(ST_CANCELLED), 130);
    for (int st = ST_IO; st < ST_CANCELLED; st++)
        assert_int_equal(cmd_exit((Status)st), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_is_checked),
        cmocka_unit_test(each_status_has_its_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
