#include "cli/bench.h"

#include <jansson.h>

#include "cli/capture_test.h"
#include "env/sandbox.h"

/* The JSON that scripts read: its keys, and that the replay's appear where there is data only. */
static void the_result_has_its_keys(void **state)
{
    (void)state;
    Str out = {0};
    if (sandbox_probe(&out) != ST_OK) {
        printf("SKIP %s\n", error_text());
        skip();
    }
    char name[] = "bench agent", programs[] = "--programs=2", starts[] = "--starts=2", json[] = "--json";
    char *words[] = {name, programs, starts, json};
    assert_int_equal(capture(&out, bench_agent, 4, words), 0);
    json_t *j = json_loadb(str_c(&out), out.n, 0, NULL);
    str_drop(&out);
    assert_non_null(j);
    static const char *const keys[] = {"programs_per_s", "sandbox_start_p50_ms", "python_start_p50_ms"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_true(json_number_value(json_object_get(j, keys[i])) > 0);
    assert_int_equal(json_integer_value(json_object_get(j, "programs")), 2);
    assert_null(json_object_get(j, "replay_seconds"));
    json_decref(j);
}

static void missing_data_is_a_failure(void **state)
{
    (void)state;
    char name[] = "bench agent", programs[] = "--programs=1", starts[] = "--starts=1",
         data[] = "--data=/nonexistent";
    assert_int_equal(bench_agent(4, (char *[]){name, programs, starts, data}), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_result_has_its_keys),
        cmocka_unit_test(missing_data_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
