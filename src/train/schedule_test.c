#include "train/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define assert_near(a, b) assert_true(fabs((a) - (b)) < 1e-12)

static void warm_up_is_linear_and_never_zero(void **state)
{
    (void)state;
    Schedule s = {.kind = SCHEDULE_COSINE, .peak = 1e-3, .total = 100, .warmup = 10};
    assert_near(schedule_lr(&s, 0), 1e-4);
    assert_near(schedule_lr(&s, 4), 5e-4);
    assert_near(schedule_lr(&s, 9), 1e-3);
    s.warmup = 0;
    assert_near(schedule_lr(&s, 0), 1e-3);
}

static void cosine_by_values(void **state)
{
    (void)state;
    Schedule s = {.kind = SCHEDULE_COSINE, .peak = 2, .min_ratio = 0.1, .total = 110, .warmup = 10};
    assert_near(schedule_lr(&s, 10), 2);
    assert_near(schedule_lr(&s, 35), 0.2 + 1.8 * 0.5 * (1 + sqrt(0.5)));
    assert_near(schedule_lr(&s, 60), 1.1);
    assert_near(schedule_lr(&s, 110), 0.2);
    assert_near(schedule_lr(&s, 5000), 0.2);
    assert_true(schedule_lr(&s, 109) > 0.2);
}

static void linear_and_constant_by_values(void **state)
{
    (void)state;
    Schedule s = {.kind = SCHEDULE_LINEAR, .peak = 1, .total = 50};
    assert_near(schedule_lr(&s, 0), 1);
    assert_near(schedule_lr(&s, 25), 0.5);
    assert_near(schedule_lr(&s, 49), 0.02);
    s.kind = SCHEDULE_CONSTANT;
    assert_near(schedule_lr(&s, 49), 1);
    assert_near(schedule_lr(&s, 500), 1);
}

static void wsd_is_stable_then_falls_by_the_root(void **state)
{
    (void)state;
    Schedule s = {
        .kind = SCHEDULE_WSD, .peak = 1, .min_ratio = 0, .total = 1000, .warmup = 100, .decay = 400};
    assert_near(schedule_lr(&s, 100), 1);
    assert_near(schedule_lr(&s, 599), 1);
    assert_near(schedule_lr(&s, 600), 1);
    assert_near(schedule_lr(&s, 700), 0.5);
    assert_near(schedule_lr(&s, 1000), 0);
}

static void warm_up_longer_than_the_run_divides_by_nothing(void **state)
{
    (void)state;
    for (int k = 0; k < SCHEDULE_COUNT; k++) {
        Schedule s = {.kind = (ScheduleKind)k, .peak = 1, .total = 5, .warmup = 10, .decay = 20};
        for (int64_t step = 0; step < 30; step++)
            assert_true(isfinite(schedule_lr(&s, step)));
        s.warmup = 5;
        assert_true(isfinite(schedule_lr(&s, 5)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warm_up_is_linear_and_never_zero),
        cmocka_unit_test(cosine_by_values),
        cmocka_unit_test(linear_and_constant_by_values),
        cmocka_unit_test(wsd_is_stable_then_falls_by_the_root),
        cmocka_unit_test(warm_up_longer_than_the_run_divides_by_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
