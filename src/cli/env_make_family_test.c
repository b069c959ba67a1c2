#include "cli/env_make_family.h"

#include "cli/capture_test.h"
#include "cli/cmd.h"

static int run(Str *out, const char *const *words)
{
    char *argv[16] = {(char[]){"env make"}};
    char copies[15][256];
    int n = 1;
    for (; words[n - 1]; n++) {
        snprintf(copies[n - 1], sizeof copies[0], "%s", words[n - 1]);
        argv[n] = copies[n - 1];
    }
    return capture(out, env_make_family, n, argv);
}

#define RUN(out, ...) run(out, (const char *const[]){__VA_ARGS__, NULL})

static void a_family_is_made(void **state)
{
    (void)state;
    Str out = {0};
    assert_int_equal(RUN(&out, "words", "-o", in_scratch("w"), "--train", "5", "--test", "3"), EXIT_DONE);
    assert_non_null(strstr(str_c(&out), "words: 5 tasks for training, 3 others for testing"));
    assert_non_null(strstr(str_c(&out), "/expert_hinted.jsonl --feedback-model hints:"));
    assert_true(folder_holds(scratch, "w/train/tasks/questions.jsonl"));
    assert_true(folder_holds(scratch, "w/hints_test.jsonl"));
    assert_true(folder_holds(scratch, "w/test/tasks/prompt.txt"));
    assert_int_equal(RUN(&out, "sql", "-o", in_scratch("s"), "--train", "5", "--test", "3", "--json"),
                     EXIT_DONE);
    assert_non_null(strstr(str_c(&out), "\"benchmark\": \"ic_sql\""));
    assert_int_equal(RUN(&out, "shell", "-o", in_scratch("f"), "--train", "5", "--test", "4"), EXIT_DONE);
    assert_true(folder_holds(scratch, "f/test/intercode/bash/nl2bash_fs_4.json"));
    str_drop(&out);
}

/* The same draw is made again; the games of another would stay among those of a new one. */
static void draws_are_not_mixed(void **state)
{
    (void)state;
    Str out = {0};
    const char *folder = in_scratch("h");
    assert_int_equal(RUN(&out, "household", "-o", folder, "--train", "2", "--test", "1"), EXIT_DONE);
    assert_int_equal(RUN(&out, "household", "-o", folder, "--train", "2", "--test", "1"), EXIT_DONE);
    assert_int_equal(RUN(&out, "household", "-o", folder, "--train", "2", "--test", "1", "--seed", "2"),
                     EXIT_USAGE);
    assert_int_equal(RUN(&out, "household", "-o", folder, "--train", "1", "--test", "1"), EXIT_USAGE);
    assert_int_equal(RUN(&out, "words", "-o", folder, "--train", "2", "--test", "1"), EXIT_USAGE);
    str_drop(&out);
}

static void wrong_words_are_told(void **state)
{
    (void)state;
    Str out = {0};
    assert_int_equal(RUN(&out, "word", "-o", in_scratch("x")), EXIT_USAGE);
    assert_int_equal(RUN(&out, "words"), EXIT_USAGE);
    assert_int_equal(RUN(&out, "words", "-o", in_scratch("x"), "--test", "0"), EXIT_USAGE);
    assert_int_equal(RUN(&out, "shell", "-o", in_scratch("x"), "--test", "3"), EXIT_USAGE);
    assert_false(folder_holds(scratch, "x/family.json"));
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_family_is_made),
        cmocka_unit_test(draws_are_not_mixed),
        cmocka_unit_test(wrong_words_are_told),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
