#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void fresh_memory_is_zero(void **state)
{
    (void)state;
    int64_t *v = mem_array(int64_t, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(v[i], 0);
    v[999] = 5;
    v = mem_resize(v, 2000, sizeof *v);
    assert_int_equal(v[999], 5);
    mem_free(v);
    mem_free(mem_array(char, 0));
    mem_free(NULL);
}

static void text_is_copied(void **state)
{
    (void)state;
    char *a = mem_str("abc"), *b = mem_strn("abcdef", 3);
    char *c = mem_format("%d-%s", 7, "x"), *d = mem_copy("a\0b", 3);
    assert_string_equal(a, b);
    assert_string_equal(c, "7-x");
    assert_memory_equal(d, "a\0b", 3);
    mem_free(a);
    mem_free(b);
    mem_free(c);
    mem_free(d);
    char *none = mem_strn(NULL, 0);
    assert_string_equal(none, "");
    mem_free(none);
}

static void aligned_memory_is_aligned_or_absent(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n += 37) {
        void *p = mem_aligned(n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        memset(p, 1, n);
        mem_free(p);
    }
    assert_null(mem_aligned(SIZE_MAX));
    assert_null(mem_aligned(SIZE_MAX - 63));
}

static void allocations_are_counted(void **state)
{
    (void)state;
    int64_t before = mem_allocations();
    mem_free(mem_str("a"));
    mem_free(mem_aligned(8));
    mem_free(mem_resize(NULL, 3, 3));
    assert_int_equal(mem_allocations() - before, 3);
}

/* A product that overflows must never become a small allocation: the child dies by abort. */
static void overflowing_products_stop_the_program(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(2);
            volatile size_t many = SIZE_MAX / 4;
            char *p = kind ? mem_resize(NULL, many, 16) : mem_zeroed(many, 16);
            _exit(p ? 42 : 43);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        /* AddressSanitizer ends it in its own way */
        assert_true(WIFSIGNALED(status) || (WEXITSTATUS(status) != 42 && WEXITSTATUS(status) != 43));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh_memory_is_zero),
        cmocka_unit_test(text_is_copied),
        cmocka_unit_test(aligned_memory_is_aligned_or_absent),
        cmocka_unit_test(allocations_are_counted),
        cmocka_unit_test(overflowing_products_stop_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
