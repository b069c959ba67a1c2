#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

static void time_goes_forward(void **state)
{
    (void)state;
    double last = clock_now();
    for (int i = 0; i < 1000; i++) {
        double now = clock_now();
        assert_true(now >= last);
        last = now;
    }
    struct timespec t = {.tv_nsec = 5000000};
    double before = clock_now();
    nanosleep(&t, NULL);
    assert_true(clock_now() - before >= 0.004);
}

static void wall_time_is_of_this_century(void **state)
{
    (void)state;
    assert_true(clock_unix() > 1.6e9);
    assert_true(clock_unix() < 4.2e9);
}

static void work_costs_processor_time(void **state)
{
    (void)state;
    double before = clock_cpu(), start = clock_now();
    volatile unsigned x = 1;
    while (clock_now() - start < 0.02)
        for (int i = 0; i < 1000; i++)
            x = x * 3 + 1;
    assert_true(clock_cpu() > before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_goes_forward),
        cmocka_unit_test(wall_time_is_of_this_century),
        cmocka_unit_test(work_costs_processor_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
