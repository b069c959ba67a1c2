/* lemur eval --list, --fetch and --compare, as somebody types them. */
#include "cli/eval_list.h"

#include "base/http_server_test.h"
#include "base/log.h"
#include "cli/capture_test.h"
#include "cli/cmd.h"
#include "cli/eval_compare.h"
#include "cli/eval_fetch.h"
#include "eval/benchmark.h"

static int run(Str *out, int (*command)(int, char **), const char *const *words)
{
    char *argv[16] = {(char[]){"eval"}};
    char copies[15][256];
    int n = 1;
    for (; words[n - 1]; n++) {
        snprintf(copies[n - 1], sizeof copies[0], "%s", words[n - 1]);
        argv[n] = copies[n - 1];
    }
    return capture(out, command, n, argv);
}

#define RUN(out, command, ...) run(out, command, (const char *const[]){__VA_ARGS__, NULL})

static void all_benchmarks_are_listed(void **state)
{
    (void)state;
    Str out = {0};
    size_t n = 0;
    assert_int_equal(RUN(&out, eval_list, "--list", "--data", in_scratch("none")), EXIT_DONE);
    for (; benchmarks[n]; n++)
        assert_non_null(strstr(str_c(&out), benchmarks[n]->name));
    assert_non_null(strstr(str_c(&out), "not here"));
    assert_int_equal(RUN(&out, eval_list, "--list", "--json", "--data", in_scratch("none")), EXIT_DONE);
    json_t *all = json_loads(str_c(&out), 0, NULL);
    assert_int_equal(json_array_size(all), n);
    json_decref(all);
    str_drop(&out);
}

static void one_is_told_in_full(void **state)
{
    (void)state;
    Str out = {0};
    const Benchmark *b = benchmarks[0];
    assert_int_equal(RUN(&out, eval_list, "--list", b->name, "--data", in_scratch("none")), EXIT_DONE);
    assert_non_null(strstr(str_c(&out), b->about));
    assert_non_null(strstr(str_c(&out), b->files[0].path));
    assert_non_null(strstr(str_c(&out), b->files[0].url));
    assert_non_null(strstr(str_c(&out), "missing    data"));
    assert_int_equal(RUN(&out, eval_list, "--list", "no_such_task"), EXIT_USAGE);
    str_drop(&out);
}

static void data_is_fetched_from_a_mirror(void **state)
{
    (void)state;
    Str out = {0};
    TestServer server;
    server_start(&server);
    server_answers(&server, "404 Not Found", "", "");
    const char *data = in_scratch("fetched");
    assert_int_equal(
        RUN(&out, eval_fetch, "--fetch", benchmarks[0]->name, "--data", data, "--mirror", server.url),
        EXIT_FAILED);
    assert_non_null(strstr(str_c(&out), "not fetched"));
    assert_true(server.requests > 0);
    assert_int_equal(RUN(&out, eval_fetch, "--fetch", benchmarks[0]->name, "--data", data, "--mirror", "x"),
                     EXIT_USAGE);
    assert_int_equal(RUN(&out, eval_fetch, "--fetch", "no_such_task", "--data", data), EXIT_USAGE);
    assert_int_equal(RUN(&out, eval_fetch, "--fetch"), EXIT_USAGE);
    server_stop(&server);
    str_drop(&out);
}

static void runs_are_compared(void **state)
{
    (void)state;
    Str out = {0};
    for (int i = 0; i < 2; i++) {
        char line[100];
        scratch_text(i ? "b/run.json" : "a/run.json", "{\"model\": {\"name\": \"m\"}}");
        scratch_text(i ? "b/results.json" : "a/results.json", "{\"metrics\": {\"t\": \"x\"}}");
        snprintf(line, sizeof line, "{\"id\": \"1\", \"metrics\": {\"x\": %d}}\n", i);
        scratch_text(i ? "b/samples_t.jsonl" : "a/samples_t.jsonl", line);
    }
    assert_int_equal(RUN(&out, eval_compare, "--compare", in_scratch("a"), in_scratch("b")), EXIT_DONE);
    assert_non_null(strstr(str_c(&out), "+1.0000"));
    assert_int_equal(RUN(&out, eval_compare, "--compare", in_scratch("a"), in_scratch("b"), "--json"),
                     EXIT_DONE);
    json_t *c = json_loads(str_c(&out), 0, NULL);
    assert_true(json_is_object(json_object_get(json_object_get(c, "benchmarks"), "t")));
    json_decref(c);
    assert_int_equal(RUN(&out, eval_compare, "--compare", in_scratch("a")), EXIT_USAGE);
    assert_int_equal(RUN(&out, eval_compare, "--compare", in_scratch("a"), in_scratch("none")), EXIT_USAGE);
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_benchmarks_are_listed),
        cmocka_unit_test(one_is_told_in_full),
        cmocka_unit_test(data_is_fetched_from_a_mirror),
        cmocka_unit_test(runs_are_compared),
    };
    log_level_set(LOG_ERROR);
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
