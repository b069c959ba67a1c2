/* Copying and clearing, which threads share in pieces of a megabyte. */
#include "tensor/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/names_in_test.h"

enum { MB = 1 << 20, ROOM = 3 * MB + 128 };

/* Around one, two and three pieces, one of which is more than a thread's; and offsets that no page begins at.
 */
static const size_t sizes[] = {1,      63,          MB - 1,     MB,     MB + 1,
                               2 * MB, 2 * MB + 13, 3 * MB - 1, 3 * MB, 3 * MB + 1};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

typedef struct {
    Device *dev;
    unsigned char *from, *to;
} Fixture;

static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 2654435761u >> 13);
}

static int set_up(void **state)
{
    Fixture *f = mem_new(Fixture);
    if (device_open_cpu(&f->dev, 3) != ST_OK)
        return -1;
    f->from = mem_array(unsigned char, ROOM);
    f->to = mem_array(unsigned char, ROOM);
    for (size_t i = 0; i < ROOM; i++)
        f->from[i] = pattern(i);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    device_close(f->dev);
    mem_free(f->from);
    mem_free(f->to);
    mem_free(f);
    return 0;
}

typedef void Move(Device *dev, void *to, const void *from, size_t bytes);

static void expect_exact(const Fixture *f, Move *move)
{
    for (int i = 0; i < SIZES; i++) {
        size_t at = 1 + (size_t)i;
        memset(f->to, 0xEE, ROOM);
        move(f->dev, f->to + at, f->from + 2 * at, sizes[i]);
        assert_memory_equal(f->to + at, f->from + 2 * at, sizes[i]);
        assert_int_equal(f->to[at - 1], 0xEE); /* nothing beside it */
        assert_int_equal(f->to[at + sizes[i]], 0xEE);
    }
}

static void copies_are_whole_and_no_more(void **state)
{
    expect_exact(*state, device_copy);
    expect_exact(*state, device_upload);
    expect_exact(*state, device_download);
}

static void zeroes_are_whole_and_no_more(void **state)
{
    const Fixture *f = *state;
    unsigned char *nothing = mem_array(unsigned char, ROOM);
    for (int i = 0; i < SIZES; i++) {
        size_t at = 1 + (size_t)i;
        memset(f->to, 0xEE, ROOM);
        device_zero(f->dev, f->to + at, sizes[i]);
        assert_memory_equal(f->to + at, nothing, sizes[i]);
        assert_int_equal(f->to[at - 1], 0xEE);
        assert_int_equal(f->to[at + sizes[i]], 0xEE);
    }
    mem_free(nothing);
}

static void nothing_may_be_moved(void **state)
{
    const Fixture *f = *state;
    device_copy(f->dev, NULL, NULL, 0);
    device_zero(f->dev, NULL, 0);
    assert_int_equal(device_sync(f->dev), ST_OK);
}

static void host_memory_is_viewed_where_it_is(void **state)
{
    const Fixture *f = *state;
    const void *view;
    int64_t before = mem_allocations();
    assert_true(f->dev->kind->host_memory);
    assert_int_equal(device_host_view(f->dev, &view, f->from, ROOM), ST_OK);
    assert_ptr_equal(view, f->from);
    device_host_drop(f->dev, view, f->from);
    assert_int_equal(mem_allocations(), before);
    assert_int_equal(f->from[5], pattern(5)); /* still there */
}

/* A device with memory of its own, played by this one. */
static void other_memory_is_copied_to_be_viewed(void **state)
{
    const Fixture *f = *state;
    Device *dev = f->dev;
    const DeviceKind *mine = dev->kind;
    DeviceKind apart = *mine;
    apart.host_memory = false;
    dev->kind = &apart;
    const void *view;
    assert_int_equal(device_host_view(dev, &view, f->from + 3, MB + 7), ST_OK);
    assert_ptr_not_equal(view, f->from + 3);
    assert_memory_equal(view, f->from + 3, MB + 7);
    device_host_drop(dev, view, f->from + 3);
    assert_int_equal(device_host_view(dev, &view, f->from, (size_t)1 << 60), ST_NOMEM);
    dev->kind = mine;
}

/* The device still works, with new threads. */
static void who_leaves_takes_the_threads_along(void **state)
{
    const Fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        expect_exact(f, device_copy);
        expect_threads(3);
        device_leave(f->dev);
        expect_threads(1);
    }
    expect_exact(f, device_copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_whole_and_no_more),
        cmocka_unit_test(zeroes_are_whole_and_no_more),
        cmocka_unit_test(nothing_may_be_moved),
        cmocka_unit_test(host_memory_is_viewed_where_it_is),
        cmocka_unit_test(other_memory_is_copied_to_be_viewed),
        cmocka_unit_test(who_leaves_takes_the_threads_along),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
