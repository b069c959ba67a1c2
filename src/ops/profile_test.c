#include "ops/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "ops/ops.h"
#include "ops/select.h"

/* The same numbers with and without, every call counted under its shape, and nothing left behind. */
static void calls_are_counted_and_answers_kept(void **state)
{
    (void)state;
    Device *dev;
    float a[6] = {1, 2, 3, 4, 5, 6}, w[6] = {1, 0, 0, 0, 1, 0}, y[4];
    Tensor ta = tensor_view(a, DTYPE_F32, 2, 3), tw = tensor_view(w, DTYPE_F32, 2, 3),
           ty = tensor_view(y, DTYPE_F32, 2, 2);
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, "ref"), ST_OK);
    assert_int_equal(profile_attach(dev), ST_OK);
    matmul(dev, &ty, &ta, &tw, false);
    profile_reset(dev);
    for (int i = 0; i < 3; i++)
        matmul(dev, &ty, &ta, &tw, false);
    cast(dev, &tw, &ta);
    assert_true(y[0] == 1 && y[1] == 2 && y[2] == 4 && y[3] == 5);
    assert_true(profile_seconds(dev) > 0);

    json_t *j = profile_to_json(dev, 1, 1);
    assert_int_equal(json_object_size(j), 2);
    assert_true(json_real_value(json_object_get(json_object_get(j, "matmul"), "calls_per_step")) == 3);
    assert_non_null(json_object_get(json_object_get(j, "matmul"), "flops_per_s"));
    json_decref(j);

    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    profile_print(dev, 1, 1, f);
    fclose(f);
    assert_non_null(strstr(text, "matmul"));
    assert_non_null(strstr(text, "2x2"));
    assert_non_null(strstr(text, "(outside)"));
    mem_free(text);
    device_close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(calls_are_counted_and_answers_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
