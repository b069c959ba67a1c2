/* Results of samples made here; numbers from numpy and scipy, with the line that makes each. */
#include "eval/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static void add_sample(json_t *samples, const char *part, double success, const char *kind)
{
    int i = (int)json_array_size(samples);
    char doc[8], prompt[8], target[8];
    snprintf(doc, sizeof doc, "d%d", i);
    snprintf(prompt, sizeof prompt, "p%d", i);
    snprintf(target, sizeof target, "t%d", i);
    json_array_append_new(
        samples,
        json_pack("{s:i, s:s?, s:{s:f, s:f, s:f, s:i}, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:f, s:f}",
                  "doc_id", i, "part", part, "metrics", "success", success, "success@1", success / 2,
                  "success@2", success, "turns", i + 1, "kind", kind, "doc_hash", doc, "prompt_hash", prompt,
                  "target_hash", target, "prompt_tokens", 100, "completion_tokens", 10, "calls", 2, "retries",
                  i == 0, "model_seconds", 1.5, "seconds", 2.0));
}

/* Two benchmarks of four and three questions, one with parts. */
static json_t *make(void)
{
    json_t *a = json_array(), *b = json_array();
    static const double of_a[] = {1, 0, 1, 1}, of_b[] = {0.5, 0.25, 1};
    for (int i = 0; i < 4; i++)
        add_sample(a, i < 3 ? "algebra" : "anatomy", of_a[i], i == 1 ? "unreadable" : "");
    for (int i = 0; i < 3; i++)
        add_sample(b, NULL, of_b[i], "");
    json_t *commented = json_pack("{s:i, s:i, s:i, s:f}", "feedback_prompt_tokens", 7, "feedback_completion_tokens", 3,
                                  "feedback_calls", 2, "feedback_seconds", 0.5);
    json_object_update(json_array_get(b, 1), commented);
    json_decref(commented);
    json_t *family = json_pack("{s:s}", "family", "pairs");
    ResultsPart parts[] = {
        {.name = "one",
         .metric = "success",
         .groups = "both alone",
         .version = 2,
         .original = 10,
         .samples = a},
        {.name = "two",
         .metric = "success",
         .groups = "both two",
         .original = 3,
         .shots = 5,
         .samples = b,
         .config = family}};
    json_t *head = json_pack("{s:s, s:s}", "model", "m1", "lemur_version", "0.1.0");
    json_t *r = results_make(parts, 2, head, 12.5);
    json_decref(head);
    json_decref(family);
    json_decref(a);
    json_decref(b);
    return r;
}

static const json_t *at(const json_t *r, const char *a, const char *b, const char *c)
{
    const json_t *v = json_object_get(json_object_get(r, a), b);
    return c ? json_object_get(v, c) : v;
}

static void near(const json_t *got, double want)
{
    assert_true(json_is_number(got));
    if (!(fabs(json_number_value(got) - want) <= 1e-12))
        fail_msg("%.17g is not %.17g", json_number_value(got), want);
}

static void scores_and_their_errors(void **state)
{
    (void)state;
    json_t *r = make();
    near(at(r, "results", "one", "success,none"), 0.75);
    near(at(r, "results", "one", "success_stderr,none"), 0.25); /* np.std([1,0,1,1], ddof=1) / 2 */
    /* binomtest(3, 4).proportion_ci(method='wilson') */
    near(json_array_get(at(r, "results", "one", "success_ci95,none"), 0), 0.30064184258240184);
    near(json_array_get(at(r, "results", "one", "success_ci95,none"), 1), 0.9544127391902995);
    near(at(r, "results", "two", "success_stderr,none"), 0.22047927592204922);
    near(json_array_get(at(r, "results", "two", "success_ci95,none"), 1), 1); /* cut */
    near(at(r, "results", "two", "turns,none"), 2);
    assert_null(at(r, "results", "two", "turns_ci95,none")); /* no share */
    near(at(r, "results", "one", "sample_len"), 4);
    assert_string_equal(json_string_value(at(r, "results", "one", "alias")), "one");
    assert_string_equal(json_string_value(at(r, "results", "two", "alias")), "pairs");
    near(at(r, "results", "one_algebra", "success,none"), 2.0 / 3);
    near(at(r, "results", "one_algebra", "sample_len"), 3);
    assert_string_equal(json_string_value(at(r, "results", "one_algebra", "alias")), "algebra");
    assert_string_equal(json_string_value(at(r, "results", "one_anatomy", "success_stderr,none")), "N/A");
    assert_int_equal(json_array_size(at(r, "group_subtasks", "one", NULL)), 2);
    assert_int_equal(json_array_size(at(r, "group_subtasks", "two", NULL)), 0);
    json_decref(r);
}

static void groups_weigh_by_questions(void **state)
{
    (void)state;
    json_t *r = make();
    near(at(r, "groups", "both", "success,none"), 4.75 / 7);
    /* pooled_sample_stderr([0.25, 0.22047927592204922], [4, 3]) */
    near(at(r, "groups", "both", "success_stderr,none"), 0.17251638983558856);
    near(at(r, "groups", "both", "sample_len"), 7);
    assert_true(json_equal(at(r, "groups", "both", NULL), at(r, "results", "both", NULL)));
    assert_int_equal(json_object_size(json_object_get(r, "groups")), 1); /* none of a single benchmark */
    assert_string_equal(json_string_value(json_array_get(at(r, "group_subtasks", "both", NULL), 1)), "two");
    json_decref(r);
}

static void what_stands_beside(void **state)
{
    (void)state;
    json_t *r = make();
    near(at(r, "n-samples", "one", "original"), 10);
    near(at(r, "n-samples", "one", "effective"), 4);
    near(at(r, "versions", "one", NULL), 2);
    near(at(r, "versions", "one_anatomy", NULL), 2);
    near(at(r, "n-shot", "two", NULL), 5);
    assert_true(json_is_true(at(r, "higher_is_better", "two", "success")));
    near(at(r, "errors", "one", "unreadable"), 1);
    assert_int_equal(json_object_size(at(r, "errors", "two", NULL)), 0);
    near(at(r, "tokens", "one", "prompt"), 400);
    near(at(r, "tokens", "two", "completion"), 30);
    near(at(r, "tokens", "two", "retries"), 1);
    near(at(r, "tokens", "two", "feedback_prompt"), 7);
    near(at(r, "tokens", "two", "feedback_completion"), 3);
    near(at(r, "tokens", "two", "feedback_calls"), 2);
    near(at(r, "seconds", "two", "feedback"), 0.5);
    assert_null(at(r, "tokens", "one", "feedback_calls")); /* nobody gave any */
    assert_null(at(r, "seconds", "one", "feedback"));
    near(at(r, "seconds", "two", "model"), 4.5);
    near(at(r, "seconds", "two", "total"), 6);
    near(at(r, "means_of_parts", "one", "success,none"), (2.0 / 3 + 1) / 2);
    assert_string_equal(json_string_value(at(r, "means_of_parts", "one", "success_stderr,none")), "N/A");
    near(at(r, "means_of_parts", "one", "parts"), 2);
    assert_null(at(r, "means_of_parts", "two", NULL));
    const json_t *curve = at(r, "curves", "one", "success");
    assert_int_equal(json_array_size(curve), 2);
    near(json_array_get(curve, 0), 0.375);
    near(json_array_get(curve, 1), 0.75);
    /* hashlib.sha256(b"d0p0t0d1p1t1d2p2t2").hexdigest() */
    assert_string_equal(json_string_value(at(r, "task_hashes", "two", NULL)),
                        "2d27b6d02894386f20d8401a12ba2aab9e52469dc3d8bd7f1fc1be83f4aab87a");
    assert_string_equal(json_string_value(json_object_get(r, "model_name")), "m1");
    assert_string_equal(json_string_value(json_object_get(r, "total_evaluation_time_seconds")), "12.500");
    assert_string_equal(json_string_value(at(r, "config", "model", NULL)), "m1");
    json_decref(r);
}

static char *printed(const json_t *r)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    assert_non_null(f);
    results_print(f, r);
    fclose(f);
    return text;
}

static void the_table(void **state)
{
    (void)state;
    json_t *r = make();
    char *text = printed(r);
    const char *want =
        "benchmark                  n  metric    value  stderr  95 % interval\n"
        "one                  4 of 10  success  0.7500  0.2500  0.3006 to 0.9544\n"
        "                              turns    2.5000  0.6455\n"
        "  algebra                  3  success  0.6667  0.3333  0.2077 to 0.9385\n"
        "  anatomy                  1  success  1.0000     N/A  0.2065 to 1.0000\n"
        "  mean of parts      2 parts  success  0.8333     N/A\n"
        "two                        3  success  0.5833  0.2205  0.1512 to 1.0000\n"
        "                              turns    2.0000  0.5774\n"
        "both (2 benchmarks)        7  success  0.6786  0.1725  0.3629 to 0.9942\n"
        "\n"
        "one  success by step  1: 0.3750  2: 0.7500\n"
        "two  success by step  1: 0.2917  2: 0.5833\n"
        "\n"
        "scored nothing, one: 1 unreadable\n"
        "700 tokens of prompts, 70 of answers, 14 calls, 2 retries; waited 10 s for the model\n";
    assert_string_equal(text, want);
    free(text);
    json_decref(r);
}

static void filters_have_their_keys(void **state)
{
    (void)state;
    json_t *samples = json_loads("[{\"metrics\": {\"acc,strict\": 1, \"acc,loose\": 1}},"
                                 " {\"metrics\": {\"acc,strict\": 0, \"acc,loose\": 1}}]",
                                 0, NULL);
    ResultsPart part = {.name = "f", .metric = "acc,strict", .samples = samples};
    json_t *r = results_make(&part, 1, NULL, 0);
    near(at(r, "results", "f", "acc,strict"), 0.5);
    near(at(r, "results", "f", "acc_stderr,strict"), 0.5);
    assert_int_equal(json_array_size(at(r, "results", "f", "acc_ci95,loose")), 2);
    assert_true(json_is_true(at(r, "higher_is_better", "f", "acc")));
    assert_int_equal(json_object_size(at(r, "higher_is_better", "f", NULL)), 1);
    char *text = printed(r);
    assert_non_null(strstr(text, "f          2  acc,strict  0.5000  0.5000"));
    assert_non_null(strstr(text, "              acc,loose   1.0000"));
    assert_null(strstr(text, "acc_stderr"));
    free(text);
    json_decref(r);
    json_decref(samples);
}

static void odd_samples_do_no_harm(void **state)
{
    (void)state;
    json_t *odd =
        json_loads("[1, null, {}, {\"metrics\": 3}, {\"metrics\": {\"success\": \"x\"}, \"kind\": 7},"
                   " {\"metrics\": {\"success\": 1}, \"part\": 4, \"calls\": 9223372036854775807},"
                   " {\"calls\": 5, \"retries\": -9223372036854775808}, {\"retries\": -1}]",
                   0, NULL);
    json_t *none = json_array();
    ResultsPart parts[] = {{.name = "odd", .metric = "success", .groups = "g", .samples = odd},
                           {.name = "none", .metric = "success", .groups = "g", .samples = none}};
    json_t *r = results_make(parts, 2, NULL, 0);
    near(at(r, "results", "odd", "success,none"), 1);
    assert_true(json_integer_value(at(r, "tokens", "odd", "calls")) == INT64_MAX);
    assert_true(json_integer_value(at(r, "tokens", "odd", "retries")) == INT64_MIN);
    assert_null(at(r, "results", "none", "success,none"));
    assert_null(at(r, "groups", "g", NULL)); /* one of them has nothing */
    char *text = printed(r);
    assert_non_null(strstr(text, "none"));
    free(text);
    json_decref(r);
    json_decref(odd);
    json_decref(none);
    json_t *hostile = json_loads("{\"results\": 1, \"metrics\": {\"x\": 1, \"y\": \"s\"}, \"curves\": [],"
                                 " \"errors\": {\"x\": 1}, \"groups\": {\"g\": 2}, \"tokens\": 1}",
                                 0, NULL);
    free(printed(hostile));
    json_decref(hostile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_and_their_errors), cmocka_unit_test(groups_weigh_by_questions),
        cmocka_unit_test(what_stands_beside),      cmocka_unit_test(the_table),
        cmocka_unit_test(filters_have_their_keys), cmocka_unit_test(odd_samples_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
