#include "ops/measure.h"

#include "base/clock.h"
#include "ops/select.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* Speeds are printed by `lemur bench gemm`, never asserted; what can be wrong here is a unit, or memory
 * left behind. */
static void figures_are_of_this_world_and_memory_is_given_back(void **state)
{
    (void)state;
    Device *dev;
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, NULL), ST_OK);
    double f32 = measure_gemm(dev, DTYPE_F32, MEASURE_BRIEFLY), read = measure_read(dev, MEASURE_BRIEFLY);
    assert_true(f32 > 1e7 && f32 < 1e14);
    assert_true(read > 1e7 && read < 1e13);
    assert_int_equal(dev->bytes, dev->scratch_bytes);
    assert_int_equal(device_sync(dev), ST_OK);
    device_close(dev);
}

/* Products without kernels are measured by the smallest shape alone: large ones would take minutes. */
static void slow_products_are_measured_soon(void **state)
{
    (void)state;
    Device *dev;
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, "ref"), ST_OK);
    double start = clock_now(), rate = measure_gemm(dev, DTYPE_BF16, MEASURE_BRIEFLY);
    double products = (clock_now() - start) * rate / (2.0 * 2048 * 864 * 288);
    assert_true(rate > 1e6);
    if (rate < 2e9) /* or even the reference is within the time that a measurement has */
        assert_true(products < 3);
    device_close(dev);
}

static void a_failed_device_measures_nothing(void **state)
{
    (void)state;
    Device *dev;
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, NULL), ST_OK);
    device_fail(dev, "unplugged");
    assert_true(measure_gemm(dev, DTYPE_F32, MEASURE_BRIEFLY) == 0);
    device_close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_of_this_world_and_memory_is_given_back),
        cmocka_unit_test(slow_products_are_measured_soon),
        cmocka_unit_test(a_failed_device_measures_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
