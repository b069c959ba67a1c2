#include "train/clip.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ops/select.h"

static void the_norm_is_scaled_and_clipped(void **state)
{
    (void)state;
    Device *dev;
    Clip c;
    double norm;
    float g[] = {3, 0, -4, 0, 12};
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, NULL), ST_OK);
    assert_int_equal(clip_open(&c, dev), ST_OK);
    Tensor t = tensor_view(g, DTYPE_F32, 1, 5);
    assert_int_equal(clip_norm(&c, &t, 1, &norm), ST_OK);
    assert_true(fabs(norm - 13) < 1e-5);
    assert_int_equal(clip_norm(&c, &t, 0.5, &norm), ST_OK);
    assert_true(fabs(norm - 6.5) < 1e-5);
    g[1] = INFINITY;
    assert_int_equal(clip_norm(&c, &t, 1, &norm), ST_OK);
    assert_true(isfinite(norm) == 0);
    clip_close(&c);
    clip_close(&c);
    assert_int_equal(dev->bytes - dev->scratch_bytes, 0);
    device_close(dev);

    assert_true(clip_factor(2, 1) == 0.5);
    assert_true(clip_factor(0.5, 1) == 1);
    assert_true(clip_factor(100, 0) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_norm_is_scaled_and_clipped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
