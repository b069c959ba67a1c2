#include "ops/measure.h"

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
        cmocka_unit_test(a_failed_device_measures_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
