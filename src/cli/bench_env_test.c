#include "cli/bench.h"

#include <jansson.h>

#include "base/data_test.h"
#include "base/scratch_test.h"
#include "cli/capture_test.h"
#include "env/sandbox.h"

static json_t *result(const char *data, int *code)
{
    Str out = {0};
    char *given = mem_format("--data=%s", data);
    char name[] = "bench env", seconds[] = "--seconds=0.05", commands[] = "--commands=2", json[] = "--json";
    *code = capture(&out, bench_env, 5, (char *[]){name, given, seconds, commands, json});
    json_t *j = json_loadb(str_c(&out), out.n, 0, NULL);
    str_drop(&out);
    mem_free(given);
    return j;
}

static double at(const json_t *j, const char *part, const char *key)
{
    return json_number_value(json_object_get(json_object_get(j, part), key));
}

/* The JSON that scripts read. */
static void the_result_has_its_keys(void **state)
{
    (void)state;
    int code;
    if (!data_with("mint/alfworld/games") || !data_with("intercode/sql/ic_spider_dbs.sql"))
        skip();
    json_t *j = result(data_folder(), &code);
    assert_int_equal(code, 0);
    assert_true(at(j, "household", "steps_per_s") > 0);
    assert_true(at(j, "household", "reset_s") > 0);
    assert_true(at(j, "household", "fork_s") > 0);
    assert_true(at(j, "sql", "queries_per_s") > 0);
    json_decref(j);
}

/* What is not there is not measured, and not 0. */
static void missing_data_is_told(void **state)
{
    (void)state;
    int code;
    Str out = {0};
    bool sandbox = sandbox_probe(&out) == ST_OK;
    str_drop(&out);
    json_t *j = result("/nonexistent", &code);
    assert_int_equal(code, sandbox ? 0 : 1);
    assert_null(json_object_get(j, "household"));
    assert_non_null(json_object_get(json_object_get(j, "not_measured"), "household"));
    assert_non_null(json_object_get(json_object_get(j, "not_measured"), "sql"));
    assert_true(!sandbox || at(j, "shell", "command_s") > 0);
    json_decref(j);
}

/* Without data it makes some, and leaves nothing behind. */
static void data_is_made_where_none_is_given(void **state)
{
    (void)state;
    int code;
    setenv("TMPDIR", scratch, 1);
    json_t *j = result("", &code);
    unsetenv("TMPDIR");
    FolderList left;
    assert_int_equal(code, 0);
    assert_string_equal(json_string_value(json_object_get(j, "data")), "made");
    assert_true(at(j, "household", "steps_per_s") > 0 && at(j, "sql", "queries_per_s") > 0);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "household"), "games")), 32);
    assert_int_equal(folder_list(&left, scratch), ST_OK);
    assert_int_equal(left.n, 0);
    folder_list_drop(&left);
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_result_has_its_keys),
        cmocka_unit_test(missing_data_is_told),
        cmocka_unit_test(data_is_made_where_none_is_given),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
