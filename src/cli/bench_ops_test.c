#include "cli/bench.h"

#include "base/log.h"
#include "cli/capture_test.h"

#include <jansson.h>

/* What bench_ops(words...) prints; the caller drops it. */
static Str printed_by(int n, char **words)
{
    Str out = {0};
    assert_int_equal(capture(&out, bench_ops, n, words), 0);
    return out;
}

static char name[] = "bench-ops", preset[] = "--preset=15m", compute[] = "--compute=f32",
            op[] = "--op=matmul", threads[] = "--threads=1", flops[] = "--peak-flops=1e9",
            bytes[] = "--peak-read=1e9", json[] = "--json";

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void each_variant_is_stated_against_the_machine(void **state)
{
    (void)state;
    Str out = printed_by(8, (char *[]){name, preset, compute, op, threads, flops, bytes, json});
    json_t *j = json_loadb(str_c(&out), out.n, 0, NULL), *list = json_object_get(j, "operations"), *one;
    str_drop(&out);
    assert_true(json_array_size(list) > 0);
    assert_string_equal(json_string_value(json_object_get(j, "compute")), "f32");
    size_t i;
    json_array_foreach(list, i, one)
    {
        assert_string_equal(json_string_value(json_object_get(one, "op")), "matmul");
        double rate = number(one, "flops_per_s"), share = number(one, "share_of_peak");
        assert_true(number(one, "ms") > 0 && rate > 0);
        assert_true(share > 0.999e-9 * rate && share < 1.001e-9 * rate);
    }
    json_decref(j);
}

static void operations_that_move_are_stated_in_bytes(void **state)
{
    (void)state;
    char rope[] = "--op=rope";
    Str out = printed_by(7, (char *[]){name, preset, compute, rope, threads, flops, bytes});
    char *rest = NULL, *line = strtok_r(out.at, "\n", &rest);
    assert_true(line && strstr(line, "15m, f32, 1 thread;"));
    line = strtok_r(NULL, "\n", &rest);
    assert_true(line && strstr(line, "variant"));
    while ((line = strtok_r(NULL, "\n", &rest)))
        assert_true(strncmp(line, "rope ", 5) == 0 && strstr(line, "GB/s") && strchr(line, '%'));
    str_drop(&out);
}

static void unknown_words_are_refused(void **state)
{
    (void)state;
    char shape[] = "--preset=16m", sum[] = "--op=sum", type[] = "--compute=f16";
    log_level_set(LOG_ERROR);
    assert_int_equal(bench_ops(2, (char *[]){name, shape}), 2);
    assert_int_equal(bench_ops(2, (char *[]){name, type}), 2);
    assert_int_equal(bench_ops(5, (char *[]){name, preset, sum, flops, bytes}), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_variant_is_stated_against_the_machine),
        cmocka_unit_test(operations_that_move_are_stated_in_bytes),
        cmocka_unit_test(unknown_words_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
