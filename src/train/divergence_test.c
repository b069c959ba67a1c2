#include "train/divergence.h"

#include <math.h>

#include "base/scratch_test.h"

enum { V = 32000 }; /* ln V = 10.37 */

/* Losses of a run: `from` falls to `to` over `n` steps, with some noise. */
static void fall(Divergence *d, int64_t *step, double from, double to, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double noise = (i % 3 == 0 ? 0.4 : i % 3 == 1 ? -0.3 : -0.1);
        divergence_add(d, ++*step, to + (from - to) * exp(-4.0 * (double)i / (double)n) + noise, V);
    }
}

static void a_run_that_learns_does_not_diverge(void **state)
{
    (void)state;
    Divergence d = {0};
    int64_t step = 0;
    fall(&d, &step, 10.4, 3, 400);
    assert_int_equal(d.since, 0);
    assert_true(fabs(d.mean - 3.1) < 0.3 && d.best_step > 300);
    for (int i = 0; i < 3; i++)
        divergence_add(&d, ++step, 11, V); /* a spike */
    fall(&d, &step, 4, 3, 30);
    assert_false(divergence_is(&d));
    assert_int_equal(d.since, 0);
}

/* From 3 to 7, which is less than it began with, and no way back. */
static void a_loss_that_stays_far_above_its_best_is_told(void **state)
{
    (void)state;
    Divergence d = {0};
    int64_t step = 0;
    fall(&d, &step, 10.4, 3, 400);
    int64_t fine = step;
    for (int i = 0; !divergence_is(&d) && i < 40; i++)
        divergence_add(&d, ++step, 7, V);
    assert_true(divergence_is(&d));
    assert_true(d.since > fine && d.since <= fine + 10);
    assert_int_equal(step, d.since + DIVERGENCE_HOLD - 1);
    assert_true(d.best_step <= fine + 1 && d.best < 3.3);
    fall(&d, &step, 7, 3, 200); /* it may come back */
    assert_false(divergence_is(&d));
}

static void worse_than_guessing_from_the_start_is_told(void **state)
{
    (void)state;
    Divergence d = {0};
    for (int64_t step = 1; step <= 30; step++)
        divergence_add(&d, step, step < 3 ? 10.4 : 40, V);
    assert_true(divergence_is(&d));
    assert_int_equal(d.since, DIVERGENCE_LEAST);
}

/* A trained model that begins at 2 nats: half a nat more is not the end, two are. */
static void a_continued_model_is_judged_by_where_it_began(void **state)
{
    (void)state;
    static const double later[] = {2.5, 4};
    for (int k = 0; k < 2; k++) {
        Divergence d = {0};
        for (int64_t step = 1; step <= 100; step++)
            divergence_add(&d, step, step < 20 ? 2 : later[k], V);
        assert_int_equal(divergence_is(&d), k == 1);
    }
}

static void what_is_known_survives(void **state)
{
    (void)state;
    Divergence a = {0}, b;
    int64_t step = 0;
    fall(&a, &step, 10.4, 3, 100);
    for (int i = 0; i < 12; i++)
        divergence_add(&a, ++step, 9, V);
    json_t *j = divergence_to_json(&a);
    char *text = json_dumps(j, JSON_REAL_PRECISION(17));
    json_t *again = json_loads(text, 0, NULL);
    assert_int_equal(divergence_from_json(&b, again), ST_OK);
    divergence_add(&a, ++step, 1.0 / 3, V);
    divergence_add(&b, step, 1.0 / 3, V);
    assert_true(a.mean == b.mean && a.best == b.best && a.since == b.since && a.since_steps == b.since_steps);
    json_object_set_new(again, "best", json_string("x"));
    assert_int_equal(divergence_from_json(&b, again), ST_FORMAT);
    assert_int_equal(divergence_from_json(&b, NULL), ST_OK);
    assert_int_equal(b.seen, 0);
    json_decref(again);
    json_decref(j);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_learns_does_not_diverge),
        cmocka_unit_test(a_loss_that_stays_far_above_its_best_is_told),
        cmocka_unit_test(worse_than_guessing_from_the_start_is_told),
        cmocka_unit_test(a_continued_model_is_judged_by_where_it_began),
        cmocka_unit_test(what_is_known_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
