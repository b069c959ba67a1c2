#include "cli/eval_tasks.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static size_t count(const char *names)
{
    TaskList l = {0};
    assert_int_equal(task_list_read(&l, names), ST_OK);
    size_t n = l.n;
    task_list_drop(&l);
    return n;
}

static void names_and_groups(void **state)
{
    (void)state;
    size_t all = 0;
    while (benchmarks[all])
        all++;
    assert_int_equal(count("all"), all);
    assert_int_equal(count("mint"), 8);
    assert_int_equal(count("mint_code"), 2);
    assert_int_equal(count("mint_gsm8k, mint ,mint_gsm8k"), 8); /* each once */
    assert_int_equal(count("tasks"), 1);
}

static void what_is_none_is_named(void **state)
{
    (void)state;
    TaskList l = {0};
    assert_int_equal(task_list_read(&l, "mint_gsm9k"), ST_ARG);
    assert_non_null(strstr(error_text(), "mint_gsm8k"));
    assert_int_equal(task_list_read(&l, "tasks,,mint"), ST_ARG);
    assert_int_equal(task_list_read(&l, ""), ST_ARG);
    task_list_drop(&l);
}

static void names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; benchmarks[i]; i++) {
        assert_ptr_equal(benchmark_find(benchmarks[i]->name), benchmarks[i]);
        assert_true(*benchmarks[i]->about && *benchmarks[i]->source && *benchmarks[i]->metric);
        assert_true(benchmarks[i]->open && benchmarks[i]->ask && benchmarks[i]->version > 0);
    }
    assert_null(benchmark_find("none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_groups),
        cmocka_unit_test(what_is_none_is_named),
        cmocka_unit_test(names_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
