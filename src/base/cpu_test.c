#include "base/cpu.h"

#include <float.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"

static void features_imply_each_other(void **state)
{
    (void)state;
    CpuFeatures f = cpu_features(), again = cpu_features();
    assert_true(f.avx2 || !f.avx512);
    assert_true(f.avx512 || !f.avx512vnni);
    assert_true(f.avx512vnni || !f.avx512bf16);
    assert_true(f.avx512bf16 || (!f.amx && !f.bf16_dots));
    assert_true(!strstr(f.name, "Intel") || !f.bf16_dots);
    assert_true(memchr(f.name, 0, sizeof f.name));
    assert_true(f.avx2 == again.avx2 && f.avx512 == again.avx512 && f.amx == again.amx);
}

static void affinity_lowers_the_count(void **state)
{
    (void)state;
    cpu_set_t all, one;
    assert_true(cpu_count() >= 1);
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    size_t first = 0;
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(cpu_count(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
}

/* Parts are of like size, have nothing in common, and are all that there is. */
static void shares_are_all_of_it(void **state)
{
    (void)state;
    cpu_set_t all, sum, one, both;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    int n = CPU_COUNT(&all);
    for (int parts = 1; parts <= n && parts <= 5; parts++) {
        CPU_ZERO(&sum);
        for (int i = 0; i < parts; i++) {
            cpu_share(&one, i, parts);
            assert_in_range(CPU_COUNT(&one), cpu_count() / parts, (n + parts - 1) / parts);
            CPU_AND(&both, &one, &sum);
            assert_int_equal(CPU_COUNT(&both), 0);
            CPU_OR(&sum, &sum, &one);
        }
        assert_true(CPU_EQUAL(&sum, &all) || cpu_count() < n); /* a quota is shared, too */
    }
    for (int i = 0; i < 2 * n; i++) {
        cpu_share(&one, i, 2 * n);
        CPU_AND(&both, &one, &all);
        assert_int_equal(CPU_COUNT(&one), 1);
        assert_int_equal(CPU_COUNT(&both), 1);
    }
}

static void *half_the_least(void *number)
{
    volatile float *x = number;
    *x = *x / 2;
    return NULL;
}

/* In a thread of its own, so that the other tests keep theirs; what it starts inherits it. */
static void *flush_and_halve(void *number)
{
    pthread_t one;
    bool flushes = cpu_flush_subnormals();
    assert_int_equal(pthread_create(&one, NULL, half_the_least, number), 0);
    assert_int_equal(pthread_join(one, NULL), 0);
    return flushes ? number : NULL;
}

static void subnormals_are_zero_where_one_asks(void **state)
{
    (void)state;
    float x = FLT_MIN, y = FLT_MIN;
    void *flushed = NULL;
    pthread_t one;
    half_the_least(&x);
    assert_true(x > 0);
    assert_int_equal(pthread_create(&one, NULL, flush_and_halve, &y), 0);
    assert_int_equal(pthread_join(one, &flushed), 0);
    assert_true(y == 0 || !flushed);
}

static void memory_in_use_is_seen(void **state)
{
    (void)state;
    enum { BYTES = 64 << 20 };
    int64_t before = memory_peak();
    if (before < 0) {
        print_message("SKIP /proc is not mounted: memory is unknown\n");
        skip();
    }
    assert_true(memory_available() > 0);
    char *p = mem_aligned(BYTES);
    memset(p, 1, BYTES);
    mem_free(p);
    assert_true(memory_peak() >= before + BYTES / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_imply_each_other),
        cmocka_unit_test(subnormals_are_zero_where_one_asks),
        cmocka_unit_test(affinity_lowers_the_count),
        cmocka_unit_test(shares_are_all_of_it),
        cmocka_unit_test(memory_in_use_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
