#include "train/report.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_line_says_it_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
