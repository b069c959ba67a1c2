#include "ops/time_ops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

/* A model small enough for a test; one operation, and all tables that have it. */
static void an_operation_is_timed_in_every_table(void **state)
{
    (void)state;
    static const TimeShape tiny = {"tiny", 1, 8, 16, 32, 2, 1, 64};
    OpTime times[TIME_OPS_MAX];
    int n;
    assert_int_equal(time_ops(times, &n, &tiny, DTYPE_F32, 1, "rmsnorm"), ST_OK);
    for (int i = 0; i < n; i++) {
        assert_string_equal(times[i].op, "rmsnorm");
        assert_string_equal(times[i].shape, "N 8 C 16");
        assert_true(times[i].seconds > 0 && times[i].bytes == 8 * 16 * 8);
        assert_true(i == 0 || strcmp(times[i].variant, times[i - 1].variant) != 0);
    }
}

static void an_unknown_operation_is_refused(void **state)
{
    (void)state;
    OpTime times[TIME_OPS_MAX];
    int n;
    assert_int_equal(time_ops(times, &n, &time_shapes[0], DTYPE_F32, 1, "rmsnrm"), ST_ARG);
    assert_non_null(strstr(error_text(), "rmsnrm"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operation_is_timed_in_every_table),
        cmocka_unit_test(an_unknown_operation_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
