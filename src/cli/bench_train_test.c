#include "cli/bench.h"

#include <jansson.h>

#include "base/log.h"
#include "cli/capture_test.h"

/* The JSON that scripts read: its keys, and that they agree with each other. */
static void the_result_adds_up(void **state)
{
    (void)state;
    char name[] = "bench-train", preset[] = "--preset=5m", batch[] = "--batch=1", context[] = "--context=16",
         steps[] = "--steps=2", warm[] = "--warm-up=1", peak[] = "--peak-flops=1e12", json[] = "--json",
         profile[] = "--profile", threads[] = "--threads=1";
    char *words[] = {name, preset, batch, context, steps, warm, peak, json, profile, threads};
    Str out = {0};
    assert_int_equal(capture(&out, bench_train, 10, words), 0);
    json_t *j = json_loadb(str_c(&out), out.n, 0, NULL);
    str_drop(&out);
    assert_non_null(j);
    static const char *const keys[] = {"tokens_per_s",  "model_flops_per_s", "mfu",
                                       "planned_bytes", "peak_bytes",        "step_ms"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_true(json_number_value(json_object_get(j, keys[i])) > 0);
    double rate = json_number_value(json_object_get(j, "tokens_per_s")),
           ms = json_number_value(json_object_get(j, "step_ms"));
    assert_true(rate * ms > 15990 && rate * ms < 16010); /* 16 tokens a step */
    assert_non_null(json_object_get(json_object_get(j, "operations"), "adamw"));
    json_decref(j);
}

static void unknown_shapes_are_refused(void **state)
{
    (void)state;
    char name[] = "bench-train", preset[] = "--preset=9m", large[] = "--batch=1000000",
         sixty[] = "--preset=60m";
    log_level_set(LOG_ERROR);
    assert_int_equal(bench_train(2, (char *[]){name, preset}), 2);
    assert_int_equal(bench_train(3, (char *[]){name, sixty, large}), 1); /* more memory than there is */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_result_adds_up),
        cmocka_unit_test(unknown_shapes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
