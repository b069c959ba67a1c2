#include "cli/cmd.h"

#include "base/log.h"
#include "cli/capture_test.h"

static void without_a_mode_it_says_what_is_needed(void **state)
{
    (void)state;
    char verb[] = "eval", help[] = "--help", near[] = "--replays", end[] = "--", replay[] = "--replay=x";
    Str out = {0};
    assert_int_equal(capture(&out, cmd_eval, 1, (char *[]){verb}), EXIT_USAGE);
    assert_int_equal(out.n, 0);
    assert_int_equal(capture(&out, cmd_eval, 2, (char *[]){verb, near}), EXIT_USAGE);
    assert_int_equal(capture(&out, cmd_eval, 3, (char *[]){verb, end, replay}), EXIT_USAGE);
    assert_int_equal(capture(&out, cmd_eval, 2, (char *[]){verb, help}), EXIT_DONE);
    assert_non_null(strstr(str_c(&out), "--replay DIR"));
    str_drop(&out);
}

static void the_mode_answers(void **state)
{
    (void)state;
    char verb[] = "eval", help[] = "--help", replay[] = "--replay", none[] = "--replay=/nonexistent-folder",
         threads[] = "--threads=1";
    Str out = {0};
    assert_int_equal(capture(&out, cmd_eval, 3, (char *[]){verb, replay, help}), EXIT_DONE);
    assert_non_null(strstr(str_c(&out), "usage: lemur eval --replay DIR"));
    assert_int_equal(capture(&out, cmd_eval, 3, (char *[]){verb, threads, none}), EXIT_FAILED);
    assert_int_equal(out.n, 0);
    str_drop(&out);
}

int main(void)
{
    log_level_set(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_mode_it_says_what_is_needed),
        cmocka_unit_test(the_mode_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
