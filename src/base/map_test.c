#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void entries_survive_growth_in_order(void **state)
{
    (void)state;
    enum { N = 20000 };
    Map *m = map_new();
    char key[32];
    for (int i = 0; i < N; i++) {
        int n = snprintf(key, sizeof key, "key %d", i);
        int64_t *v = map_put(m, key, (size_t)n);
        assert_int_equal(*v, 0);
        *v = i;
    }
    assert_int_equal(map_count(m), N);
    for (int i = 0; i < N; i++) {
        int n = snprintf(key, sizeof key, "key %d", i);
        const int64_t *v = map_find(m, key, (size_t)n);
        assert_non_null(v);
        assert_int_equal(*v, i);
        assert_int_equal(map_value_at(m, i), i);
        assert_true(span_is(map_key_at(m, i), key));
    }
    assert_null(map_find(m, "key 20000", 9));
    map_free(m);
}

static void keys_are_any_bytes_and_copied(void **state)
{
    (void)state;
    Map *m = map_new();
    char key[] = "a\0b";
    *map_put(m, key, 3) = 1;
    *map_put(m, key, 2) = 2;
    *map_put(m, key, 0) = 3;
    memset(key, 'z', 3);
    assert_int_equal(*map_find(m, "a\0b", 3), 1);
    assert_int_equal(*map_find(m, "a\0", 2), 2);
    assert_int_equal(*map_find(m, "", 0), 3);
    assert_null(map_find(m, "a", 1));
    *map_put(m, "a\0b", 3) += 10;
    assert_int_equal(map_count(m), 3);
    assert_int_equal(map_value_at(m, 0), 11);
    map_free(m);
}

static void an_empty_map_holds_nothing(void **state)
{
    (void)state;
    Map *m = map_new();
    assert_int_equal(map_count(m), 0);
    assert_null(map_find(m, "x", 1));
    map_free(m);
    map_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_survive_growth_in_order),
        cmocka_unit_test(keys_are_any_bytes_and_copied),
        cmocka_unit_test(an_empty_map_holds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
