#include "base/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void arrays_grow_and_keep(void **state)
{
    (void)state;
    Array(int64_t) a = {0};
    for (int64_t i = 0; i < 10000; i++)
        array_push(&a, i * i);
    assert_int_equal(a.n, 10000);
    for (int64_t i = 0; i < 10000; i++)
        assert_int_equal(a.at[i], i * i);
    size_t cap = a.cap;
    array_clear(&a);
    assert_int_equal(a.n, 0);
    array_push(&a, 5);
    assert_int_equal(a.cap, cap);
    array_drop(&a);
    assert_null(a.at);
    assert_int_equal(a.cap, 0);
}

static void pushes_allocate_rarely(void **state)
{
    (void)state;
    Array(char) a = {0};
    int64_t before = mem_allocations();
    for (int i = 0; i < 100000; i++)
        array_push(&a, 'x');
    assert_true(mem_allocations() - before < 20);
    array_drop(&a);
}

static void room_is_made_at_once(void **state)
{
    (void)state;
    Array(short) a = {0};
    array_push(&a, 1);
    array_reserve(&a, 1000);
    assert_true(a.cap >= 1001);
    short *at = a.at;
    for (int i = 0; i < 1000; i++)
        array_push(&a, 2);
    assert_ptr_equal(a.at, at);
    array_drop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_grow_and_keep),
        cmocka_unit_test(pushes_allocate_rarely),
        cmocka_unit_test(room_is_made_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
