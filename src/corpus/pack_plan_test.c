#include "corpus/pack_plan.h"

#include "corpus/scratch_test.h"

static PackConfig config(int64_t context, int64_t tokens)
{
    PackConfig c = {0};
    config_defaults(&pack_table, &c);
    c.context = context;
    c.tokens = tokens;
    return c;
}

static Status plan(PackConfig *c, PlanSource *s, size_t n, bool *noted)
{
    Str notes = {0};
    Status st = pack_plan(c, s, n, &notes);
    if (noted)
        *noted = notes.n > 0;
    str_drop(&notes);
    config_drop(&pack_table, c);
    return st;
}

static int64_t rows_of(const PlanSource *s, size_t n, ShardKind kind)
{
    int64_t rows = 0;
    for (size_t i = 0; i < n; i++)
        rows += s[i].kind == kind ? s[i].rows : 0;
    return rows;
}

static void code_is_used_once_and_text_follows(void **state)
{
    (void)state;
    PlanSource s[] = {
        {SHARD_CODE, 1009, 1, 0, 0}, {SHARD_CODE, 5555, 1, 0, 0}, {SHARD_TEXT, 100000, 1, 0, 0}};
    PackConfig c = config(9, 0);
    bool noted;
    assert_int_equal(plan(&c, s, 3, &noted), ST_OK);
    assert_int_equal(s[0].rows, 100); /* of 10 tokens; the rest of 9 is no row */
    assert_int_equal(s[1].rows, 555);
    assert_int_equal(s[2].rows, 66); /* 65.5: 720.5 rows in all, rounded up */
    assert_false(noted);
}

static void the_ratio_is_exact_to_the_row(void **state)
{
    (void)state;
    for (int64_t tokens = 100; tokens < 60000; tokens += 777) {
        PlanSource s[] = {{SHARD_CODE, 70001, 1, 0, 0},
                          {SHARD_TEXT, 20003, 1, 0, 0},
                          {SHARD_CODE, 3333, 2, 0, 0},
                          {SHARD_TEXT, 30011, 0.5, 0, 0}};
        PackConfig c = config(9, tokens);
        assert_int_equal(plan(&c, s, 4, NULL), ST_OK);
        int64_t total = tokens / 10, code = rows_of(s, 4, SHARD_CODE), text = rows_of(s, 4, SHARD_TEXT);
        assert_int_equal(code + text, total);
        assert_true((double)code - (double)total * 10 / 11 <= 0.5 &&
                    (double)total * 10 / 11 - (double)code <= 0.5);
        for (int i = 0; i < 4; i++) /* and so is each source's part of its kind */
            assert_true((double)s[i].rows - s[i].wanted / 10 < 2 && s[i].wanted / 10 - (double)s[i].rows < 2);
    }
}

static void weights_move_shares(void **state)
{
    (void)state;
    PlanSource s[] = {{SHARD_CODE, 10000, 3, 0, 0}, {SHARD_CODE, 10000, 1, 0, 0}};
    PackConfig c = config(9, 8000);
    c.ratio_text = 0;
    assert_int_equal(plan(&c, s, 2, NULL), ST_OK);
    assert_int_equal(s[0].rows, 600);
    assert_int_equal(s[1].rows, 200);
    PlanSource once[] = {{SHARD_CODE, 10000, 2, 0, 0}, {SHARD_CODE, 10000, 1, 0, 0}};
    c = config(9, 0);
    c.ratio_text = 0;
    assert_int_equal(plan(&c, once, 2, NULL), ST_OK);
    assert_int_equal(once[0].rows, 2000); /* twice */
    assert_int_equal(once[1].rows, 1000);
}

static void too_many_repetitions_cut_the_other_kind(void **state)
{
    (void)state;
    PlanSource s[] = {{SHARD_CODE, 100000, 1, 0, 0}, {SHARD_TEXT, 1000, 1, 0, 0}};
    PackConfig c = config(9, 0);
    bool noted;
    assert_int_equal(plan(&c, s, 2, &noted), ST_OK);
    assert_int_equal(s[1].rows, 400); /* four times 1000 tokens */
    assert_in_range(s[0].rows, 3995, 4005);
    assert_true(noted);
    PlanSource over[] = {{SHARD_CODE, 1000, 1, 0, 0}, {SHARD_TEXT, 1000, 1, 0, 0}};
    c = config(9, 1000000);
    assert_int_equal(plan(&c, over, 2, &noted), ST_OK);
    assert_int_equal(over[0].rows, 400);
    assert_int_equal(over[1].rows, 40);
    assert_true(noted);
}

/* A heavy source that meets its cap leaves its place to the others. */
static void a_cap_is_shared_out_again(void **state)
{
    (void)state;
    PlanSource s[] = {
        {SHARD_CODE, 100, 100, 0, 0}, {SHARD_CODE, 10000, 1, 0, 0}, {SHARD_CODE, 10000, 1, 0, 0}};
    PackConfig c = config(9, 10000);
    c.ratio_text = 0;
    assert_int_equal(plan(&c, s, 3, NULL), ST_OK);
    assert_int_equal(s[0].rows, 40);
    assert_int_equal(s[1].rows + s[2].rows, 960);
    assert_in_range(s[1].rows, 479, 481);
}

static void what_cannot_be_met_is_said(void **state)
{
    (void)state;
    PlanSource code[] = {{SHARD_CODE, 10000, 1, 0, 0}};
    PackConfig c = config(9, 0);
    assert_int_equal(plan(&c, code, 1, NULL), ST_ARG);
    assert_non_null(strstr(error_text(), "ratio_text"));
    c = config(9, 0);
    c.ratio_text = 0;
    assert_int_equal(plan(&c, code, 1, NULL), ST_OK);
    assert_int_equal(code[0].rows, 1000);
    c = config(9, 0);
    c.ratio_text = c.ratio_code = 0;
    assert_int_equal(plan(&c, code, 1, NULL), ST_ARG);
    c = config(2048, 100);
    c.ratio_text = 0;
    assert_int_equal(plan(&c, code, 1, NULL), ST_ARG);
    assert_non_null(strstr(error_text(), "not one row"));
    PlanSource none[] = {{SHARD_CODE, 0, 1, 0, 0}, {SHARD_TEXT, 100, 1, 0, 0}};
    c = config(9, 100);
    assert_int_equal(plan(&c, none, 2, NULL), ST_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_is_used_once_and_text_follows),
        cmocka_unit_test(the_ratio_is_exact_to_the_row),
        cmocka_unit_test(weights_move_shares),
        cmocka_unit_test(too_many_repetitions_cut_the_other_kind),
        cmocka_unit_test(a_cap_is_shared_out_again),
        cmocka_unit_test(what_cannot_be_met_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
