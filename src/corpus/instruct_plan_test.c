#include "corpus/instruct_plan.h"

#include <math.h>

#include "corpus/scratch_test.h"

enum { N = 3 };

/* Three sources of 100, 200 and 50 examples of 10 tokens, or of none (-1); the last need not be there. */
static Status plan(InstructPlanSource s[N], const char *set, Str *notes)
{
    static const int64_t sizes[N] = {100, 200, 50};
    InstructRecipe r = {0};
    InstructSource names[N] = {
        {.name = (char *)"a"}, {.name = (char *)"b"}, {.name = (char *)"c", .optional = true}};
    instruct_recipe_defaults(&r);
    json_t *settings = json_loads(set, 0, NULL);
    assert_non_null(settings);
    assert_int_equal(config_from_json(&instruct_table, &r.config, settings), ST_OK);
    for (int i = 0; i < N; i++) {
        s[i].examples = s[i].examples < 0 ? 0 : sizes[i];
        s[i].tokens = s[i].examples * 10;
        s[i].weight = s[i].weight > 0 ? s[i].weight : 1;
    }
    Status st = instruct_plan(&r.config, s, names, N, notes);
    json_decref(settings);
    instruct_recipe_drop(&r);
    return st;
}

static void expect_granted(const char *set, InstructPlanSource s[N], double a, double b, double c)
{
    Str notes = {0};
    assert_int_equal(plan(s, set, &notes), ST_OK);
    assert_true(fabs(s[0].granted - a) < 1e-6 && fabs(s[1].granted - b) < 1e-6 &&
                fabs(s[2].granted - c) < 1e-6);
    assert_int_equal(notes.n, 0);
    str_drop(&notes);
}

static void weights_multiply(void **state)
{
    (void)state;
    expect_granted("{}", (InstructPlanSource[N]){{0}}, 100, 200, 50);
    expect_granted("{}", (InstructPlanSource[N]){{.weight = 2.5}, {.weight = 0.5}, {0}}, 250, 100, 50);
    expect_granted("{\"mix\":\"tokens\"}", (InstructPlanSource[N]){{.weight = 2}, {0}, {0}}, 2000, 2000, 500);
    expect_granted("{\"total\":700}", (InstructPlanSource[N]){{0}}, 200, 400, 100);
    expect_granted("{\"total\":140,\"mix\":\"tokens\"}", (InstructPlanSource[N]){{0}}, 40, 80, 20);
}

static void shares_divide(void **state)
{
    (void)state;
    expect_granted("{\"total\":80}", (InstructPlanSource[N]){{.share = 2}, {.share = 1}, {.share = 1}}, 40,
                   20, 20);
    /* Without a total: as much as goes without repeating; c has 50. */
    expect_granted("{}", (InstructPlanSource[N]){{.share = 1}, {.share = 1}, {.share = 1}}, 50, 50, 50);
    InstructPlanSource some[N] = {{.share = 1}};
    assert_int_equal(plan(some, "{}", NULL), ST_ARG);
    expect_words("has no share");
}

static void expect_note(InstructPlanSource s[N], const char *set, const char *wanted)
{
    Str notes = {0};
    assert_int_equal(plan(s, set, &notes), ST_OK);
    assert_string_equal(str_c(&notes), wanted);
    str_drop(&notes);
}

/* Where a source has nothing, its share is not to be had; without a total the others go by theirs. */
static void empty_sources_are_named(void **state)
{
    (void)state;
    InstructPlanSource last[N] = {{.share = 1}, {.share = 1}, {.share = 1, .examples = -1}};
    expect_note(last, "{}", "c gives none of 100 examples: it has none to train on\n");
    assert_true(last[0].granted == 100 && last[1].granted == 100 && last[2].granted == 0);
    InstructPlanSource needed[N] = {{.share = 1}, {.share = 1, .examples = -1}, {.share = 1}};
    assert_int_equal(plan(needed, "{}", NULL), ST_ARG);
    expect_words("source b has a share, and no example of it is left");
    needed[1].examples = -1;
    expect_note(needed, "{\"total\":60}", "b gives none of 20 examples: it has none to train on\n");
}

static void repeats_end(void **state)
{
    (void)state;
    Str notes = {0};
    InstructPlanSource s[N] = {{.weight = 9}};
    assert_int_equal(plan(s, "{\"max_repeats\":3}", &notes), ST_OK);
    assert_true(s[0].granted == 300 && s[0].wanted == 900);
    assert_non_null(strstr(str_c(&notes), "a gives 300 of 900 examples"));
    str_drop(&notes);
}

static void every_repetition_takes_each_once(void **state)
{
    (void)state;
    uint32_t lengths[10], count[10] = {0};
    InstructOrder o = {0}, again = {0};
    for (uint32_t i = 0; i < 10; i++)
        lengths[i] = 5 + i;
    instruct_plan_order(&o, lengths, 10, 23, false, 7, 0);
    instruct_plan_order(&again, lengths, 10, 23, false, 7, 0);
    assert_int_equal(o.n, 23);
    assert_memory_equal(o.at, again.at, 23 * sizeof *o.at);
    for (size_t i = 0; i < 20; i++)
        count[o.at[i]]++;
    for (int i = 0; i < 10; i++)
        assert_int_equal(count[i], 2);
    assert_memory_not_equal(o.at, o.at + 10, 10 * sizeof *o.at); /* shuffled anew */
    /* By tokens: the nearest that whole examples come to. */
    instruct_plan_order(&o, lengths, 10, 100, true, 7, 0);
    int64_t sum = 0;
    for (size_t i = 0; i < o.n; i++)
        sum += lengths[o.at[i]];
    assert_true(sum >= 93 && sum <= 107);
    instruct_plan_order(&o, lengths, 0, 100, true, 7, 0);
    assert_int_equal(o.n, 0);
    array_drop(&o);
    array_drop(&again);
}

static void examples_stay_whole_and_rows_get_full(void **state)
{
    (void)state;
    enum { EXAMPLES = 5000, ROOM = 513 };
    static uint32_t lengths[EXAMPLES], left[EXAMPLES];
    static int64_t row[EXAMPLES];
    double sum = 0;
    for (uint32_t i = 0; i < EXAMPLES; i++) {
        lengths[i] = 1 + (i * 7919) % 300 + (i % 17 == 0 ? 213 : 0);
        sum += lengths[i];
        left[i] = ROOM;
    }
    int64_t rows = instruct_plan_rows(row, lengths, EXAMPLES, ROOM, false);
    for (int i = 0; i < EXAMPLES; i++) {
        assert_true(row[i] >= 0 && row[i] < rows && left[row[i]] >= lengths[i]);
        left[row[i]] -= lengths[i];
    }
    assert_true(sum / ((double)rows * ROOM) > 0.95);
    assert_int_equal(instruct_plan_rows(row, lengths, EXAMPLES, ROOM, true), EXAMPLES);
    for (int i = 0; i < EXAMPLES; i++)
        assert_int_equal(row[i], i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_multiply),
        cmocka_unit_test(shares_divide),
        cmocka_unit_test(empty_sources_are_named),
        cmocka_unit_test(repeats_end),
        cmocka_unit_test(every_repetition_takes_each_once),
        cmocka_unit_test(examples_stay_whole_and_rows_get_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
