#include "base/cpu.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"

static void features_imply_each_other(void **state)
{
    (void)state;
    CpuFeatures f = cpu_features(), again = cpu_features();
    assert_true(f.avx2 || !f.avx512);
    assert_true(f.avx512 || !f.avx512bf16);
    assert_true(f.avx512bf16 || !f.amx);
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

static void memory_in_use_is_seen(void **state)
{
    (void)state;
    enum { BYTES = 64 << 20 };
    int64_t before = memory_resident();
    if (before < 0) {
        print_message("SKIP /proc is not mounted: memory is unknown\n");
        skip();
    }
    assert_true(memory_available() > 0);
    char *p = mem_aligned(BYTES);
    memset(p, 1, BYTES);
    assert_true(memory_resident() - before > BYTES / 2);
    mem_free(p);
    assert_true(memory_peak() >= before + BYTES / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_imply_each_other),
        cmocka_unit_test(affinity_lowers_the_count),
        cmocka_unit_test(memory_in_use_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
