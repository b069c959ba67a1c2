#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"

static void blocks_do_not_overlap(void **state)
{
    (void)state;
    Arena a = {0};
    unsigned char *p[300];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 300; i++) {
            p[i] = arena_alloc(&a, i * 7);
            assert_int_equal((uintptr_t)p[i] % 16, 0);
            memset(p[i], (int)(i & 0xFF), i * 7);
        }
        for (size_t i = 0; i < 300; i++)
            for (size_t k = 0; k < i * 7; k++)
                assert_int_equal(p[i][k], i & 0xFF);
        arena_clear(&a);
    }
    arena_drop(&a);
    assert_null(a.first);
}

static void clearing_keeps_the_memory(void **state)
{
    (void)state;
    Arena a = {0};
    for (int i = 0; i < 100; i++)
        arena_alloc(&a, 1000);
    char *large = arena_alloc(&a, 3 << 20);
    large[(3 << 20) - 1] = 1;
    arena_clear(&a);
    int64_t before = mem_allocations();
    for (int i = 0; i < 100; i++)
        arena_alloc(&a, 1000);
    arena_alloc(&a, 3 << 20);
    assert_int_equal(mem_allocations(), before);
    arena_drop(&a);
    arena_drop(&a);
    arena_clear(&a);
}

static void text_is_terminated(void **state)
{
    (void)state;
    Arena a = {0};
    char *s = arena_strn(&a, "hello world", 5);
    assert_string_equal(s, "hello");
    assert_string_equal(arena_strn(&a, NULL, 0), "");
    assert_string_equal(s, "hello");
    arena_drop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_do_not_overlap),
        cmocka_unit_test(clearing_keeps_the_memory),
        cmocka_unit_test(text_is_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
