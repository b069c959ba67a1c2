#include "train/report.h"

#include <math.h>

#include "base/scratch_test.h"

static void the_line_says_it_all(void **state)
{
    (void)state;
    char line[256];
    TrainStep s = {.step = 120, .total_steps = 2000, .loss_nats = 3.4119, .lr = 3e-4, .grad_norm = 0.808};
    report_line(line, sizeof line, &s, 12345.4, 0.708, 190);
    assert_string_equal(
        line,
        "step 120/2000  6.0%  loss 3.412  lr 3.0e-04  norm 0.81  12,345 tok/s  MFU 71%  ETA 3 min 10 s");
    s.skipped = true;
    report_line(line, sizeof line, &s, 999, (double)NAN, 5);
    assert_null(strstr(line, "MFU"));
    assert_non_null(strstr(line, " 999 tok/s"));
    assert_non_null(strstr(line, "(skipped)"));
    report_line(line, sizeof line, &s, 1234567, (double)NAN, 5);
    assert_non_null(strstr(line, " 1,234,567 tok/s"));
    report_line(line, 10, &s, 1e300, 1e300, 1e300); /* cut, and no more */
    assert_int_equal(strlen(line), 9);
}

/* The last line of a run whose steps learn much and little in turn, in times of their own. */
static void shares_are_of_the_mean_step(void **state)
{
    (void)state;
    Report r;
    char said[8192];
    FILE *file = tmpfile();
    assert_non_null(file);
    int saved = dup(STDERR_FILENO);
    assert_true(saved >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
    report_init(&r, 1);
    for (int i = 1; i <= 40; i++) {
        TrainStep s = {.step = i, .total_steps = 240, .tokens_per_s = i % 2 ? 1000 : 500,
                       .seconds = i % 2 ? 1 : 2, .mfu = i % 2 ? 0.9 : 0.3};
        report_step(&r, &s);
    }
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    said[fread(said, 1, sizeof said - 1, file)] = 0;
    fclose(file);
    const char *last = strstr(said, "step 40/");
    assert_non_null(last);
    assert_non_null(strstr(last, "MFU 49%")); /* 1.5 of 3 seconds, the last step counting most */
    assert_non_null(strstr(last, "ETA 5 min"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_says_it_all),
        cmocka_unit_test(shares_are_of_the_mean_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
