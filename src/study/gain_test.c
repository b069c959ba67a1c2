/* Four conditions of made-up runs, counted by hand. */
#include "study/gain.h"

#include "base/scratch_test.h"
#include "study/report_parts.h"

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

/* A run of these settings; `solved`: for each task the answer that solved it, as a digit, '-': none, '.': the
 * task is not in the run. */
static void write_run(const char *folder, const char *benchmark, const char *extra, int steps,
                      const char *solved)
{
    Str lines = {0};
    char *results =
        mem_format("{\"config\": {%s, \"benchmarks\": {\"%s\": {\"data_sha256\": \"d\", \"facts\": "
                   "{\"max_steps\": %d}}}}}",
                   extra, benchmark, steps);
    char *name = mem_format("%s/results.json", folder),
         *path = mem_format("%s/transcripts_%s.jsonl", folder, benchmark);
    scratch_text(name, results);
    for (size_t i = 0; solved[i]; i++) {
        int n = solved[i] == '-' ? steps : solved[i] - '0';
        if (solved[i] == '.')
            continue;
        str_addf(&lines, "{\"task\": \"%zu\", \"success\": %s, \"steps\": [", i,
                 solved[i] == '-' ? "false" : "true");
        for (int k = 0; k < n; k++)
            str_addf(&lines, "%s{\"action\": \"code\"}", k ? ", " : "");
        str_adds(&lines, "]}\n");
    }
    scratch_text(path, str_c(&lines));
    str_drop(&lines);
    mem_free(results);
    mem_free(name);
    mem_free(path);
}

#define MODEL "\"model\": {\"kind\": \"local\", \"name\": \"small\", \"hash\": \"1\", \"path\": \"a\"}"
#define MOVED "\"model\": {\"kind\": \"local\", \"name\": \"moved\", \"hash\": \"1\", \"path\": \"b\"}"
#define OTHER "\"model\": {\"kind\": \"local\", \"name\": \"other\", \"hash\": \"2\"}"
#define BLIND "\"settings\": {\"observations\": false}"
#define SEES "\"settings\": {\"observations\": true}"
#define TOLD "\"feedback_model\": {\"kind\": \"hints\"}"

static void settings_tell_the_condition(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        GainCondition is;
    } cases[] = {
        {"{\"settings\": {}, \"benchmarks\": {\"x\": {\"facts\": {\"max_steps\": 5}}}}", GAIN_ENVIRONMENT},
        {"{" BLIND ", \"benchmarks\": {\"x\": {\"facts\": {\"max_steps\": 5}}}}", GAIN_NEITHER},
        {"{" BLIND ", " TOLD ", \"benchmarks\": {\"x\": {\"facts\": {\"max_steps\": 5}}}}", GAIN_LANGUAGE},
        {"{" SEES ", " TOLD ", \"benchmarks\": {\"x\": {\"facts\": {\"max_steps\": 2}}}}", GAIN_BOTH},
        {"{" SEES ", " TOLD ", \"benchmarks\": {\"x\": {\"facts\": {\"max_steps\": 1}}}}", GAIN_NEITHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *config = json_loads(cases[i].config, 0, NULL);
        assert_non_null(config);
        if (gain_condition(config, "x") != cases[i].is)
            fail_msg("case %zu is \"%s\"", i, gain_condition_names[gain_condition(config, "x")]);
        json_decref(config);
    }
}

static json_t *study_of(const char *untuned, const char *const *names)
{
    const char *runs[8];
    GainSpec spec = {.runs = runs, .untuned = untuned};
    json_t *study = NULL;
    for (; names[spec.runs_n]; spec.runs_n++)
        runs[spec.runs_n] = in_scratch(names[spec.runs_n]);
    must(gain_study(&study, &spec));
    return study;
}

static const json_t *group_at(const json_t *study, const char *list, size_t i)
{
    const json_t *g = json_array_get(json_object_get(study, list), i);
    assert_non_null(g);
    return g;
}

static const json_t *gain_of(const json_t *group, const char *of)
{
    const json_t *list = json_object_get(group, "gains");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(report_text(json_array_get(list, i), "of"), of) == 0)
            return json_array_get(list, i);
    fail_msg("no gain of %s", of);
    return NULL;
}

static void near(double is, double want)
{
    if (!(is > want - 1e-6 && is < want + 1e-6))
        fail_msg("%g, not %g", is, want);
}

static double ci(const json_t *o, size_t i)
{
    return json_number_value(json_array_get(json_object_get(o, "ci95"), i));
}

static double at_turns(const json_t *o, const char *key, int turns)
{
    const json_t *by = json_object_get(o, "by_turns");
    for (size_t i = 0; i < json_array_size(by); i++)
        if (report_number(json_array_get(by, i), "turns") == turns)
            return report_number(json_array_get(by, i), key);
    fail_msg("nothing by %d turns", turns);
    return 0;
}

/*          task  0 1 2 3 4 5 6 7
 * neither        1 - - - - - - -
 * language       1 2 - - - - - .
 * environment    1 2 3 4 5 5 - -
 * both           2 1 1 3 2 3 2 -   */
static void write_four(const char *benchmark)
{
    char *folder[4];
    static const char *const names[] = {"neither", "language", "environment", "both"};
    for (int i = 0; i < 4; i++)
        folder[i] = mem_format("%s_%s", benchmark, names[i]);
    write_run(folder[0], benchmark, MODEL ", " BLIND, 5, "1-------");
    write_run(folder[1], benchmark, MOVED ", " TOLD ", " BLIND, 5, "12-----.");
    write_run(folder[2], benchmark, MODEL ", " SEES, 5, "123455--");
    write_run(folder[3], benchmark, MODEL ", " TOLD, 5, "2113232-");
    for (int i = 0; i < 4; i++)
        mem_free(folder[i]);
}

static void gains_are_paired(void **state)
{
    (void)state;
    write_four("x");
    json_t *study =
        study_of(NULL, (const char *[]){"x_neither", "x_language", "x_environment", "x_both", NULL});
    const json_t *g = group_at(study, "groups", 0), *c = json_object_get(g, "conditions");
    assert_string_equal(report_text(study, "study"), "feedback");
    assert_int_equal(json_array_size(json_object_get(study, "groups")), 1);
    assert_int_equal(json_array_size(json_object_get(study, "pooled")), 0);
    assert_null(json_object_get(g, "untuned"));
    near(report_number(c, "neither.success"), 0.125);
    near(report_number(c, "language.success"), 2.0 / 7);
    near(report_number(c, "language.n"), 7);
    near(report_number(c, "environment.success"), 0.75);
    near(report_number(c, "both.success"), 0.875);
    /* Wilson of 6 of 8 */
    assert_true(ci(json_object_get(c, "environment"), 0) > 0.409 &&
                ci(json_object_get(c, "environment"), 0) < 0.410);
    assert_true(ci(json_object_get(c, "environment"), 1) > 0.928 &&
                ci(json_object_get(c, "environment"), 1) < 0.929);
    near(at_turns(json_object_get(c, "environment"), "success", 3), 0.375);
    near(at_turns(json_object_get(c, "both"), "success", 1), 0.25);

    const json_t *e = gain_of(g, "environment");
    near(report_number(e, "n"), 8);
    near(report_number(e, "gain"), 0.625);
    near(report_number(e, "gained"), 5);
    near(report_number(e, "lost"), 0);
    near(report_number(e, "p"), 0.0625); /* 2 / 2^5 */
    near(at_turns(e, "gain", 1), 0);
    near(at_turns(e, "gain", 2), 0.125);
    near(at_turns(e, "gain", 5), 0.625);
    assert_true(ci(e, 0) > 0.2 && ci(e, 0) < 0.625 && ci(e, 1) > 0.625 && ci(e, 1) <= 1);
    near(report_number(gain_of(g, "language"), "n"), 7);
    near(report_number(gain_of(g, "language"), "gain"), 1.0 / 7);
    near(report_number(gain_of(g, "environment, beside language"), "gain"), 5.0 / 7);
    near(report_number(gain_of(g, "language, beside environment"), "gain"), 0.125);
    near(at_turns(gain_of(g, "language, beside environment"), "gain", 1), 0.125); /* +2 -1 of 8 */
    near(report_number(gain_of(g, "both"), "gain"), 0.75);
    /* the smallest of five: 6 of 6, 2 / 2^6 */
    near(report_number(gain_of(g, "both"), "p_holm"), 5 * 0.03125);
    gain_print(stdout, study);
    json_decref(study);
}

static void families_are_pooled_and_marked(void **state)
{
    (void)state;
    write_four("x");
    write_run("y_neither\xff", "y", MODEL ", " BLIND, 3, "11--");
    write_run("y_environment", "y", MODEL ", " SEES, 3, "1-22");
    write_run("other", "y", OTHER ", " SEES, 3, "1-22");
    json_t *study = study_of(" y,", (const char *[]){"x_neither", "y_neither\xff", "x_environment",
                                                      "y_environment", "x_both", "other", NULL});
    assert_int_equal(json_array_size(json_object_get(study, "groups")), 3);
    const json_t *y = group_at(study, "groups", 1), *all = group_at(study, "pooled", 0);
    assert_true(json_is_true(json_object_get(y, "untuned")));
    const json_t *neither = json_object_get(json_object_get(y, "conditions"), "neither");
    assert_int_equal(json_array_size(json_object_get(neither, "runs")), 1); /* whatever its name's bytes */
    assert_true(json_is_false(json_object_get(group_at(study, "groups", 0), "untuned")));
    near(report_number(gain_of(y, "environment"), "gain"), 0.25);
    near(report_number(gain_of(y, "environment"), "gained"), 2);
    near(report_number(gain_of(y, "environment"), "lost"), 1);
    near(report_number(gain_of(y, "environment"), "p"), 1);
    assert_int_equal(json_array_size(json_object_get(group_at(study, "groups", 2), "gains")),
                     0); /* another model */
    assert_int_equal(json_array_size(json_object_get(study, "pooled")),
                     1); /* one untuned family needs no sum */
    assert_string_equal(report_text(all, "task"), "all");
    near(report_number(gain_of(all, "environment"), "n"), 12);
    near(report_number(gain_of(all, "environment"), "gain"), 0.5); /* (5 + 1) / 12 */
    near(report_number(gain_of(all, "both"), "n"), 8);             /* x alone has it */
    json_decref(study);
}

/* Of two runs of a condition the one with more steps counts; withheld observations before a single step. */
static void the_larger_run_stands_for_a_condition(void **state)
{
    (void)state;
    scratch_text("curve/curve.json", "{}");
    write_run("curve/steps_1", "x", MODEL ", " SEES, 1, "11-");
    write_run("curve/steps_2", "x", MODEL ", " SEES, 2, "12-");
    write_run("curve/steps_3", "x", MODEL ", " SEES, 3, "123");
    json_t *study = study_of(NULL, (const char *[]){"curve", NULL});
    const json_t *g = group_at(study, "groups", 0);
    near(report_number(gain_of(g, "environment"), "gain"), 1.0 / 3);
    near(report_number(g, "conditions.environment.steps"), 3);
    json_decref(study);
    write_run("blind", "x", MODEL ", " BLIND, 3, "---");
    study = study_of(NULL, (const char *[]){"curve", "blind", NULL});
    near(report_number(gain_of(group_at(study, "groups", 0), "environment"), "gain"), 1);
    json_decref(study);
}

static void refuses(Status code, const char *says, const char *untuned, const char *const *names)
{
    const char *runs[8];
    GainSpec spec = {.runs = runs, .untuned = untuned};
    json_t *study = NULL;
    for (; names[spec.runs_n]; spec.runs_n++)
        runs[spec.runs_n] = in_scratch(names[spec.runs_n]);
    assert_int_equal(gain_study(&study, &spec), code);
    assert_null(study);
    if (!strstr(error_text(), says))
        fail_msg("\"%s\" without \"%s\"", error_text(), says);
}

static void bad_runs_are_refused(void **state)
{
    (void)state;
    write_four("x");
    write_run("again", "x", MODEL ", " BLIND, 5, "--------");
    scratch_text("empty/results.json", "{\"config\": {}}");
    scratch_text("unfinished/transcripts_x.jsonl", "{}\n");
    refuses(ST_IO, "no finished run", NULL, (const char *[]){"absent", NULL});
    refuses(ST_IO, "no finished run", NULL, (const char *[]){"unfinished", NULL});
    refuses(ST_IO, "no transcripts", NULL, (const char *[]){"empty", NULL});
    refuses(ST_ARG, "nothing to compare", NULL, (const char *[]){"x_both", NULL});
    refuses(ST_ARG, "are both x of small with 5 steps, condition \"neither\"", NULL,
            (const char *[]){"x_neither", "again", NULL});
    refuses(ST_ARG, "no run has the benchmark \"xx\" (did you mean \"x\"?)", "x,xx",
            (const char *[]){"x_neither", "x_both", NULL});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_tell_the_condition),
        cmocka_unit_test(gains_are_paired),
        cmocka_unit_test(families_are_pooled_and_marked),
        cmocka_unit_test(the_larger_run_stands_for_a_condition),
        cmocka_unit_test(bad_runs_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
