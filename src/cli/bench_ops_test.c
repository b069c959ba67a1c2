#include "cli/bench.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

/* What bench_ops(words...) prints, from the beginning of a file that the caller closes. */
static FILE *printed_by(int n, char **words)
{
    FILE *out = tmpfile();
    assert_non_null(out);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    dup2(fileno(out), STDOUT_FILENO);
    int code = bench_ops(n, words);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(code, 0);
    rewind(out);
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
    FILE *out = printed_by(8, (char *[]){name, preset, compute, op, threads, flops, bytes, json});
    json_t *j = json_loadf(out, 0, NULL), *list = json_object_get(j, "operations"), *one;
    fclose(out);
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
    char add[] = "--op=add", line[256];
    FILE *out = printed_by(7, (char *[]){name, preset, compute, add, threads, flops, bytes});
    assert_true(fgets(line, sizeof line, out) && strstr(line, "15m, f32, 1 thread;"));
    assert_true(fgets(line, sizeof line, out) && strstr(line, "variant"));
    while (fgets(line, sizeof line, out))
        assert_true(strncmp(line, "add ", 4) == 0 && strstr(line, "GB/s") && strchr(line, '%'));
    fclose(out);
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
