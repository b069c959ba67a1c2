#include "eval/replay_table.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void score(ReplayReport *r, const char *setting, const char *group, const char *task, int64_t n,
                  int64_t solved, int64_t ours, int64_t unmarked)
{
    ReplayScore s = {.model = mem_str("m"),
                     .setting = mem_str(setting),
                     .group = mem_str(group),
                     .task = mem_str(task),
                     .episodes = n,
                     .solved = solved,
                     .ours = ours,
                     .unmarked = unmarked};
    array_push(&r->scores, s);
}

static double number(const json_t *row, const char *part, const char *name, const char *key)
{
    return json_number_value(json_object_get(json_object_get(json_object_get(row, part), name), key));
}

static const json_t *value(const json_t *row, const char *name, const char *key)
{
    return json_object_get(json_object_get(json_object_get(row, "averages"), name), key);
}

/* The paper's figures for lemur-70b-chat-v1 at k = 5, from as many hits. */
static void whole_recordings_have_averages(void **state)
{
    (void)state;
    ReplayReport r = {0};
    score(&r, "s", "reasoning", "gsm8k", 48, 28, 28, 0);
    score(&r, "s", "reasoning", "gsm8k", 48, 0, 0, 0); /* a second recording of it: the first counts */
    score(&r, "s", "reasoning", "math", 100, 6, 6, 0);
    score(&r, "s", "reasoning", "theoremqa", 49, 4, 4, 0);
    score(&r, "s", "reasoning", "hotpotqa", 43, 19, 19, 0);
    score(&r, "s", "reasoning", "mmlu", 76, 43, 43, 0);
    score(&r, "s", "code_generation", "humaneval", 45, 21, 0, 45);
    score(&r, "s", "code_generation", "mbpp", 90, 16, 0, 90);
    score(&r, "t", "reasoning", "gsm8k", 3, 2, 1, 0);
    json_t *table = replay_table_json(&r);
    assert_int_equal(json_array_size(table), 2);
    const json_t *row = json_array_get(table, 0);
    assert_float_equal(number(row, "tasks", "gsm8k", "percent"), 58.333, 1e-3);
    assert_float_equal(number(row, "tasks", "theoremqa", "percent"), 8.163, 1e-3);
    assert_float_equal(number(row, "tasks", "hotpotqa", "percent"), 44.186, 1e-3);
    assert_float_equal(number(row, "averages", "reasoning", "percent"), 31.646, 1e-3);
    assert_float_equal(number(row, "averages", "reasoning", "ours_percent"), 31.646, 1e-3);
    assert_float_equal(number(row, "averages", "reasoning", "of"), 316, 0);
    assert_true(json_is_true(value(row, "reasoning", "whole")));
    assert_true(json_is_false(value(row, "code_generation", "whole"))); /* 135 of 136 */
    assert_true(json_is_null(value(row, "code_generation", "percent")));
    assert_true(json_is_null(value(row, "all", "percent")));
    assert_true(json_is_null(json_object_get(json_object_get(json_object_get(row, "tasks"), "humaneval"),
                                             "ours"))); /* not marked */
    json_decref(table);
    Str text = {0};
    replay_table_text(&text, &r);
    assert_non_null(strstr(str_c(&text), "reasoning          316 of 316     100   31.65     100   31.65\n"));
    assert_non_null(strstr(str_c(&text), "code_generation    135 of 136   not whole: no average\n"));
    assert_non_null(strstr(str_c(&text), "45 not marked\n"));
    assert_non_null(strstr(str_c(&text), "(a part)\n"));
    str_drop(&text);
    replay_report_drop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_recordings_have_averages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
