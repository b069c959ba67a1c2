#include "train/budget.h"

#include "base/scratch_test.h"

static double evaluation_seconds(const BudgetNeeds *n, const Budget *b)
{
    int64_t rounds = (b->eval_rows + n->round_rows - 1) / n->round_rows;
    return (double)(b->evaluations * rounds) * n->batch_seconds;
}

static double seconds_of(const BudgetNeeds *n, const Budget *b)
{
    return (double)b->steps * n->step_seconds + evaluation_seconds(n, b);
}

static void a_long_run_evaluates_what_was_set(void **state)
{
    (void)state;
    BudgetNeeds n = {.seconds = 240, .step_seconds = 0.25, .batch_seconds = 0.05, .round_rows = 8,
                     .eval_every = 250, .eval_rows = 64};
    Budget b = budget_fit(&n);
    assert_int_equal(b.eval_rows, 64);
    assert_true(b.steps > 900 && seconds_of(&n, &b) <= 241);
    n.eval_every = -1;
    b = budget_fit(&n);
    assert_true(b.steps == 960 && b.evaluations == 0);
    n.eval_every = 250;
    n.eval_rows = 0; /* nothing is held out */
    assert_int_equal(budget_fit(&n).steps, 960);
}

/* Whatever the minutes, evaluations take a third of them at most, but for one round that must be. */
static void a_short_run_evaluates_fewer_rows(void **state)
{
    (void)state;
    static const int64_t every[] = {0, 1, 7, 250};
    for (int k = 0; k < 4; k++)
        for (double seconds = 1; seconds < 3000; seconds *= 1.7) {
            BudgetNeeds n = {.seconds = seconds, .step_seconds = 0.25, .batch_seconds = 0.06, .round_rows = 8,
                             .eval_every = every[k], .eval_rows = 1000};
            Budget b = budget_fit(&n);
            assert_true(b.eval_rows >= 8 && b.eval_rows <= 1000);
            assert_true(b.eval_rows % 8 == 0);
            assert_true(evaluation_seconds(&n, &b) <= seconds / 3 + 1e-9);
            assert_true(seconds_of(&n, &b) <= seconds + n.step_seconds);
            assert_true(seconds_of(&n, &b) >= seconds / 2 || b.steps < 8); /* and the rest is used */
        }
}

static void far_too_little_time_is_still_a_run(void **state)
{
    (void)state;
    BudgetNeeds n = {.seconds = -1, .step_seconds = 0.25, .batch_seconds = 0.06, .round_rows = 8,
                     .eval_every = 250, .eval_rows = 5};
    Budget b = budget_fit(&n);
    assert_true(b.steps == 1 && b.evaluations == 1 && b.eval_rows == 5);
}

static void evaluations_are_counted(void **state)
{
    (void)state;
    assert_int_equal(budget_times(40, 6), 7);
    assert_int_equal(budget_times(42, 6), 7);
    assert_int_equal(budget_times(42, 0), 1);
    assert_int_equal(budget_times(42, -1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_run_evaluates_what_was_set),
        cmocka_unit_test(a_short_run_evaluates_fewer_rows),
        cmocka_unit_test(far_too_little_time_is_still_a_run),
        cmocka_unit_test(evaluations_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
