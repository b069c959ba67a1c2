#include "tensor/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/cpu.h"

static Device *open_device(void)
{
    Device *dev;
    assert_int_equal(device_open_cpu(&dev, 2), ST_OK);
    return dev;
}

static void threads_are_as_asked_or_as_many_as_there_are(void **state)
{
    (void)state;
    Device *dev = open_device();
    assert_int_equal(dev->threads, 2);
    device_close(dev);
    assert_int_equal(device_open_cpu(&dev, 0), ST_OK);
    assert_int_equal(dev->threads, cpu_count());
    device_close(dev);
    device_close(NULL);
}

static void memory_is_aligned_and_counted(void **state)
{
    (void)state;
    Device *dev = open_device();
    void *a, *b;
    assert_int_equal(device_alloc(dev, &a, 1000, "a"), ST_OK);
    assert_int_equal(device_alloc(dev, &b, 24, "b"), ST_OK);
    assert_true((uintptr_t)a % 64 == 0 && (uintptr_t)b % 64 == 0);
    assert_int_equal(dev->bytes, 1024);
    device_free(dev, a, 1000);
    assert_int_equal(dev->bytes, 24);
    assert_int_equal(dev->peak_bytes, 1024);
    assert_int_equal(dev->allocations, 2);
    device_free(dev, b, 24);
    device_free(dev, NULL, 0);
    device_close(dev);
}

static void too_much_memory_is_refused_with_a_sentence(void **state)
{
    (void)state;
    Device *dev = open_device();
    void *p = dev;
    assert_int_equal(device_alloc(dev, &p, (size_t)1 << 60, "the moon"), ST_NOMEM);
    assert_null(p);
    assert_non_null(strstr(error_text(), "the moon"));
    assert_int_equal(dev->bytes, 0);
    assert_false(device_failed(dev)); /* the caller was told; the device goes on */
    device_close(dev);
}

static void scratch_grows_and_then_stays(void **state)
{
    (void)state;
    Device *dev = open_device();
    char *small = device_scratch(dev, 100);
    assert_non_null(small);
    char *large = device_scratch(dev, 5000);
    large[4999] = 1;
    int64_t allocations = dev->allocations;
    assert_ptr_equal(device_scratch(dev, 10), large);
    assert_ptr_equal(device_scratch(dev, 5000), large);
    assert_int_equal(dev->allocations, allocations);
    assert_int_equal(dev->bytes, 5000);
    device_close(dev);
}

static void the_first_error_stays_and_later_work_does_nothing(void **state)
{
    (void)state;
    Device *dev = open_device();
    assert_int_equal(device_sync(dev), ST_OK);
    device_fail(dev, "kernel %d broke", 1);
    device_fail(dev, "kernel %d broke", 2);
    int from = 7, to = 0;
    device_upload(dev, &to, &from, sizeof to);
    device_copy(dev, &to, &from, sizeof to);
    device_zero(dev, &from, sizeof from);
    assert_true(to == 0 && from == 7);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(device_sync(dev), ST_DEVICE);
        assert_string_equal(error_text(), "kernel 1 broke");
    }
    device_close(dev);
}

static void scratch_that_cannot_be_had_fails_the_device(void **state)
{
    (void)state;
    Device *dev = open_device();
    assert_non_null(device_scratch(dev, 64));
    assert_null(device_scratch(dev, (size_t)1 << 60));
    assert_true(device_failed(dev));
    assert_int_equal(device_sync(dev), ST_DEVICE);
    device_close(dev);
}

static void bytes_come_and_go(void **state)
{
    (void)state;
    Device *dev = open_device();
    char back[8] = {0};
    void *p;
    assert_int_equal(device_alloc(dev, &p, 16, "bytes"), ST_OK);
    device_upload(dev, p, "weights", 8);
    device_copy(dev, (char *)p + 8, p, 8);
    device_zero(dev, p, 8);
    device_download(dev, back, (char *)p + 8, 8);
    assert_string_equal(back, "weights");
    device_download(dev, back, p, 8);
    assert_memory_equal(back, "\0\0\0\0\0\0\0\0", 8);
    device_free(dev, p, 16);
    device_close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_are_as_asked_or_as_many_as_there_are),
        cmocka_unit_test(memory_is_aligned_and_counted),
        cmocka_unit_test(too_much_memory_is_refused_with_a_sentence),
        cmocka_unit_test(scratch_grows_and_then_stays),
        cmocka_unit_test(the_first_error_stays_and_later_work_does_nothing),
        cmocka_unit_test(scratch_that_cannot_be_had_fails_the_device),
        cmocka_unit_test(bytes_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
