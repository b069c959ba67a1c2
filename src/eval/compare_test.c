/* Runs made here, compared; the tests' own numbers are those of stats_test.c. */
#include "eval/compare.h"

#include <math.h>

#include "base/scratch_test.h"

static char text[65536];

static void add(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void add(const char *fmt, ...)
{
    va_list args;
    size_t n = strlen(text);
    va_start(args, fmt);
    vsnprintf(text + n, sizeof text - n, fmt, args);
    va_end(args);
}

static void sample(const char *id, const char *part, const char *metric, double value, const char *prompt)
{
    add("{\"id\": \"%s\", \"part\": \"%s\", \"metrics\": {\"%s\": %g}, \"doc_hash\": \"d%s\","
        " \"prompt_hash\": \"%s\"}\n",
        id, part, metric, value, id, prompt);
}

static void file_of(const char *run, const char *name)
{
    char path[100];
    snprintf(path, sizeof path, "%s/%s", run, name);
    scratch_text(path, text);
    text[0] = 0;
}

/* Of 26 questions the second run solves 10 alone, the first 3; one question more is in each alone. */
static void write_run(const char *run, bool second, int version)
{
    text[0] = 0;
    add("{\"model\": \"m%d\", \"settings\": {\"seed\": 1, \"temperature\": %d}, \"benchmarks\": "
        "{\"hits\": {\"version\": %d, \"data_sha256\": \"x\"}}}",
        second, second, version);
    file_of(run, "run.json");
    add("{\"metrics\": {\"hits\": \"success\", \"shares\": \"success\"}, \"groups\": {\"both\": {}},"
        " \"group_subtasks\": {\"both\": [\"hits\", \"shares\"]}}");
    file_of(run, "results.json");
    for (int i = 0; i < 26; i++) {
        char id[16];
        int q = second ? 25 - i : i; /* the order of the lines does not matter */
        snprintf(id, sizeof id, "q%d", q);
        double value = q < 10 ? second : q < 13 ? !second : q % 2;
        sample(id, q < 13 ? "odd" : "even", "success", value, q == 7 && second ? "other" : "same");
    }
    sample(second ? "q98" : "q99", "odd", "success", 1, "same");
    file_of(run, "samples_hits.jsonl");
    static const double d[] = {.5, -.25, .75, .125, 1, .5, -.5, .25};
    for (int i = 0; i < 8; i++) {
        char id[16];
        snprintf(id, sizeof id, "s%d", i);
        double base = d[i] > 0 ? 0 : -d[i];
        sample(id, "", "success", second ? base + d[i] : base, "p");
    }
    file_of(run, "samples_shares.jsonl");
}

static const json_t *at(const json_t *c, const char *a, const char *b, const char *key)
{
    return json_object_get(json_object_get(json_object_get(c, a), b), key);
}

static double number(const json_t *c, const char *a, const char *b, const char *key)
{
    const json_t *v = at(c, a, b, key);
    assert_true(json_is_number(v));
    return json_number_value(v);
}

static void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-12))
        fail_msg("%.17g is not %.17g", got, want);
}

static bool warns(const json_t *c, const char *words)
{
    const json_t *all = json_object_get(c, "warnings");
    for (size_t i = 0; i < json_array_size(all); i++)
        if (strstr(json_string_value(json_array_get(all, i)), words))
            return true;
    return false;
}

static void pairs_are_tested(void **state)
{
    (void)state;
    json_t *c;
    write_run("a", false, 1);
    write_run("b", true, 1);
    assert_int_equal(compare_runs(&c, in_scratch("a"), in_scratch("b"), NULL, true), ST_OK);
    near(number(c, "benchmarks", "hits", "n"), 26);
    near(number(c, "benchmarks", "hits", "only_first"), 1);
    near(number(c, "benchmarks", "hits", "only_second"), 1);
    near(number(c, "benchmarks", "hits", "first_better"), 3);
    near(number(c, "benchmarks", "hits", "second_better"), 10);
    near(number(c, "benchmarks", "hits", "difference"), 7.0 / 26);
    near(number(c, "benchmarks", "hits", "first"), 10.0 / 26);
    near(number(c, "benchmarks", "hits", "second"), 17.0 / 26);
    near(number(c, "benchmarks", "hits", "p"), 0.09228515625);
    near(number(c, "benchmarks", "hits", "p_holm"), 2 * 0.09228515625);
    near(number(c, "benchmarks", "shares", "p"), 0.1640625);
    near(number(c, "benchmarks", "shares", "p_holm"), 2 * 0.09228515625); /* never below the one before */
    assert_string_equal(json_string_value(at(c, "benchmarks", "hits", "test")), "McNemar");
    assert_string_equal(json_string_value(at(c, "benchmarks", "shares", "test")), "sign flips");
    const json_t *ci = at(c, "benchmarks", "hits", "ci95");
    double low = json_number_value(json_array_get(ci, 0)), high = json_number_value(json_array_get(ci, 1));
    assert_true(low > -0.05 && low < 0.1 && high > 0.45 && high < 0.6);
    const json_t *odd = json_object_get(at(c, "benchmarks", "hits", "parts"), "odd");
    near(json_number_value(json_object_get(odd, "n")), 13);
    near(json_number_value(json_object_get(odd, "p")), 0.09228515625);
    json_decref(c);
}

static void groups_and_warnings(void **state)
{
    (void)state;
    json_t *c;
    write_run("a", false, 1);
    write_run("b", true, 2);
    scratch_text("b/samples_alone.jsonl", "{\"id\": \"1\", \"metrics\": {\"x\": 1}}\n");
    assert_int_equal(compare_runs(&c, in_scratch("a"), in_scratch("b"), NULL, false), ST_OK);
    near(number(c, "groups", "both", "n"), 34);
    near(number(c, "groups", "both", "difference"), (7 + 2.375) / 34);
    assert_true(warns(c, "hits: the prompts differ in 1 of 26"));
    assert_true(warns(c, "hits: the version of the benchmark differs"));
    assert_true(warns(c, "alone: only"));
    assert_true(warns(c, "settings that differ: temperature"));
    assert_false(warns(c, "shares"));
    assert_false(warns(c, "not finished"));
    assert_null(at(c, "benchmarks", "hits", "parts"));
    char *shown = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&shown, &n);
    compare_print(f, c);
    fclose(f);
    assert_non_null(strstr(shown, "+0.2692"));
    assert_non_null(strstr(shown, "3 : 10"));
    assert_non_null(strstr(shown, "both (2 benchmarks)"));
    assert_non_null(strstr(shown, "hits: left out: 1 answered by A alone, 1 by B alone"));
    assert_non_null(strstr(shown, "! hits: the prompts differ"));
    free(shown);
    json_decref(c);
    assert_int_equal(unlink(in_scratch("b/samples_alone.jsonl")), 0);
}

static void a_run_against_itself(void **state)
{
    (void)state;
    json_t *c;
    write_run("a", false, 1);
    assert_int_equal(compare_runs(&c, in_scratch("a"), in_scratch("a"), NULL, false), ST_OK);
    near(number(c, "benchmarks", "hits", "p"), 1);
    near(number(c, "benchmarks", "shares", "p"), 1);
    near(number(c, "benchmarks", "shares", "difference"), 0);
    assert_int_equal(json_array_size(json_object_get(c, "warnings")), 0);
    json_decref(c);
}

static void expect(Status want, const char *a, const char *b, const char *words)
{
    json_t *c = NULL;
    assert_int_equal(compare_runs(&c, in_scratch(a), in_scratch(b), NULL, false), want);
    expect_words(words);
    assert_null(c);
}

static void what_is_no_run_is_told(void **state)
{
    (void)state;
    write_run("a", false, 1);
    expect(ST_ARG, "absent", "a", "is no folder");
    expect(ST_ARG, "a", "a/run.json", "is no folder");
    scratch_text("empty/x", "");
    expect(ST_ARG, "a", "empty", "no run.json");
    scratch_text("bare/run.json", "{}");
    expect(ST_ARG, "bare", "a", "nothing was answered");
    scratch_text("cut/run.json", "{\"mod");
    expect(ST_FORMAT, "a", "cut", "run.json");
    scratch_text("list/run.json", "[1]"); /* of the wrong type, and still no crash */
    scratch_text("list/results.json", "[2]");
    scratch_text("list/samples_hits.jsonl", "{\"id\": \"zz\", \"metrics\": {\"success\": 1}}\n");
    expect(ST_ARG, "a", "list", "no question in common");
    scratch_text("bad/run.json", "{}");
    scratch_text("bad/results.json", "{\"metrics\": {\"hits\": \"success\"}}");
    scratch_text("bad/samples_hits.jsonl", "{\"id\": \"q1\", \"metrics\": {\"success\": 1}}\n{\"id\": 7}\n");
    expect(ST_FORMAT, "a", "bad", "samples_hits.jsonl line 2 has no \"id\"");
    scratch_text("bad/samples_hits.jsonl", "{\"id\": \"q1\", \"metrics\": {\"success\": \"1\"}}\n");
    expect(ST_FORMAT, "bad", "a", "line 1 has no number for \"success\"");
    scratch_text("bad/samples_hits.jsonl", "x\n{\"id\": \"q1\", \"metrics\": {\"success\": 1}}\n");
    expect(ST_FORMAT, "bad", "a", "line 1");
}

static void another_metric(void **state)
{
    (void)state;
    json_t *c;
    for (int i = 0; i < 2; i++) {
        char line[120];
        scratch_text(i ? "n/run.json" : "m/run.json", "{}");
        scratch_text(i ? "n/results.json" : "m/results.json",
                     "{\"metrics\": {\"t\": \"x\", \"u\": \"x\"}, \"results\": {\"t\": {\"y,loose\": 1}}}");
        snprintf(line, sizeof line, "{\"id\": \"1\", \"metrics\": {\"x\": 0, \"y,loose\": %d}}\n", i);
        scratch_text(i ? "n/samples_t.jsonl" : "m/samples_t.jsonl", line);
        scratch_text(i ? "n/samples_u.jsonl" : "m/samples_u.jsonl",
                     "{\"id\": \"1\", \"metrics\": {\"x\": 0}}\n");
    }
    assert_int_equal(compare_runs(&c, in_scratch("m"), in_scratch("n"), "y,loose", false), ST_OK);
    near(number(c, "benchmarks", "t", "difference"), 1);
    assert_true(warns(c, "u: has no y,loose"));
    assert_null(json_object_get(json_object_get(c, "benchmarks"), "u"));
    json_decref(c);
    assert_int_equal(compare_runs(&c, in_scratch("m"), in_scratch("n"), "z", false), ST_ARG);
    expect_words("no question in common with z");
}

static void unfinished_runs_are_compared_as_far_as_they_are(void **state)
{
    (void)state;
    json_t *c;
    write_run("a", false, 1);
    write_run("b", true, 1);
    assert_int_equal(unlink(in_scratch("b/results.json")), 0);
    Str half = scratch_read("b/samples_hits.jsonl");
    scratch_write("b/samples_hits.jsonl", half.at, half.n / 2); /* ends in half a line */
    str_drop(&half);
    assert_int_equal(compare_runs(&c, in_scratch("a"), in_scratch("b"), NULL, false), ST_OK);
    assert_true(warns(c, "is not finished"));
    double n = number(c, "benchmarks", "hits", "n");
    assert_true(n > 5 && n < 20);
    near(number(c, "benchmarks", "hits", "only_first"), 27 - n);
    json_decref(c);
    assert_int_equal(unlink(in_scratch("a/results.json")), 0);
    expect(ST_ARG, "a", "b", "which metric of hits counts is not known");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_tested),
        cmocka_unit_test(groups_and_warnings),
        cmocka_unit_test(a_run_against_itself),
        cmocka_unit_test(what_is_no_run_is_told),
        cmocka_unit_test(another_metric),
        cmocka_unit_test(unfinished_runs_are_compared_as_far_as_they_are),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
