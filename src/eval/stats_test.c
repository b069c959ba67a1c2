/* Against scipy 1.x and numpy; each golden's generator stands above it. */
#include "eval/stats.h"

#include <math.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-9 * fmax(1e-3, fabs(want))))
        fail_msg("%.17g is not %.17g", got, want);
}

static void means_and_their_errors(void **state)
{
    (void)state;
    static const double x[] = {0.25, 1, 0.5, 0.75, 0, 0.125};
    near(stats_mean(x, 6), 2.625 / 6);
    /* np.std(x, ddof=1) / np.sqrt(6) */
    near(stats_stderr(x, 6), 0.15728821740147395);
    near(stats_normal(x, 6).low, 2.625 / 6 - 1.959963984540054 * 0.15728821740147395);
    near(stats_normal(x, 6).high, 2.625 / 6 + 1.959963984540054 * 0.15728821740147395);
    static const double high[] = {1, 0.9, 1, 0.95};
    near(stats_normal(high, 4).high, 1); /* cut */
    near(stats_mean(x, 0), 0);
    near(stats_stderr(x, 1), 0);
    near(stats_normal(x, 1).high - stats_normal(x, 1).low, 1);
}

static void few_values(void **state)
{
    (void)state;
    /* By numerical integration of the density, halved until the digits stand; any table of t begins so. */
    static const struct {
        int64_t n;
        double t;
    } cases[] = {{2, 12.706204736174705},   {3, 4.302652729749353},  {4, 3.1824463052837126},
                 {5, 2.7764451051979124},   {6, 2.5705818356363985}, {31, 2.0422724563012675},
                 {1001, 1.9623390808257783}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double x[1001];
        for (int64_t k = 0; k < cases[i].n; k++)
            x[k] = 5 + (k == 0) - (k == 1);
        Interval t = stats_student(x, cases[i].n);
        near((t.high - t.low) / 2, cases[i].t * stats_stderr(x, cases[i].n));
        near((t.high + t.low) / 2, 5);
    }
    assert_true(isinf(stats_student((double[]){1}, 1).high));
}

static void shares(void **state)
{
    (void)state;
    /* binomtest(hits, n).proportion_ci(method='wilson') */
    static const struct {
        int64_t hits, n;
        double low, high;
    } golden[] = {{0, 10, 0, 0.27753279986288926},
                  {10, 10, 0.7224672001371109, 1},
                  {28, 48, 0.4428133228397627, 0.7115033222158843},
                  {1, 1, 0.20654931437723745, 1},
                  {8000, 14042, 0.5615122710586905, 0.5778884195827655},
                  {0, 0, 0, 1}};
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        Interval got = stats_wilson(golden[i].hits, golden[i].n);
        near(got.low, golden[i].low);
        near(got.high, golden[i].high);
    }
}

static void who_solved_what_alone(void **state)
{
    (void)state;
    /* binomtest(first, first + second, .5).pvalue */
    near(stats_mcnemar(0, 0), 1);
    near(stats_mcnemar(1, 0), 1);
    near(stats_mcnemar(5, 5), 1);
    near(stats_mcnemar(10, 3), 0.09228515625);
    near(stats_mcnemar(3, 10), 0.09228515625);
    near(stats_mcnemar(0, 8), 0.0078125);
    near(stats_mcnemar(200, 150), 0.008720036530555947);
    assert_true(fabs(stats_mcnemar(40000, 39000) - 0.00037894900970468265) < 1e-10);
    assert_true(stats_mcnemar(5000, 0) < 1e-300);
    near(stats_mcnemar_better(0, 0), 1);
    near(stats_mcnemar_better(7, 0), 1);
    near(stats_mcnemar_better(0, 1), 0.5);
    near(stats_mcnemar_better(0, 5), 0.03125);
    near(stats_mcnemar_better(3, 10), 0.046142578125);
    near(stats_mcnemar_better(10, 3), 0.98876953125); /* 1 - (1 + 13 + 78) / 2^13 */
    near(stats_mcnemar_better(2, 2), 0.6875);         /* 11 / 16 */
    assert_true(stats_mcnemar_better(5000, 0) == 1 && stats_mcnemar_better(0, 5000) < 1e-300);
}

static void flipped_signs(void **state)
{
    (void)state;
    /* permutation_test((d,), np.mean, permutation_type='samples', n_resamples=np.inf) */
    static const double d[] = {.5, -.25, .75, .125, 1, .5, -.5, .25};
    near(stats_flip(d, 8, 1000, 1), 0.1640625);
    double some = stats_flip(d, 8, 255, 1); /* fewer rounds than ways: at random */
    assert_true(some != 0.1640625 && fabs(some - 0.164) < 0.08);
    near(stats_flip(d, 8, 255, 1), some); /* one seed, one value */
    static const double padded[] = {.5, 0, -.25, .75, 0, .125, 1, .5, -.5, .25, 0};
    near(stats_flip(padded, 11, 256, 1), 0.1640625); /* what is 0 has no sign */
    static const double none[3];
    near(stats_flip(none, 3, 100, 1), 1);
    near(stats_flip(none, 0, 100, 1), 1);
    double all[100];
    for (int i = 0; i < 100; i++)
        all[i] = 0.1 + i * 1e-3;
    near(stats_flip(all, 100, 999, 7), 0.001); /* never 0 */
}

static void drawn_again(void **state)
{
    (void)state;
    double d[400];
    for (int i = 0; i < 400; i++)
        d[i] = i % 4 == 0 ? 1 : i % 4 == 1 ? -1 : i % 4 == 2 ? 1 : 0; /* mean 1/4 */
    Interval got = stats_bootstrap(d, 400, 4000, 3);
    double se = stats_stderr(d, 400);
    assert_true(fabs(got.low - (0.25 - 1.96 * se)) < 0.1 * se);
    assert_true(fabs(got.high - (0.25 + 1.96 * se)) < 0.1 * se);
    Interval again = stats_bootstrap(d, 400, 4000, 3);
    assert_true(again.low == got.low && again.high == got.high);
    static const double same[] = {0.5, 0.5, 0.5};
    near(stats_bootstrap(same, 3, 100, 1).low, 0.5);
    near(stats_bootstrap(same, 3, 100, 1).high, 0.5);
    near(stats_bootstrap(same, 0, 100, 1).high, 0);
}

static void many_tests_at_once(void **state)
{
    (void)state;
    /* statsmodels multipletests([.01, .04, .03, .005], method='holm')[1] */
    double p[] = {.01, .04, .03, .005};
    stats_holm(p, 4);
    near(p[0], 0.03);
    near(p[1], 0.06);
    near(p[2], 0.06);
    near(p[3], 0.02);
    double large[] = {0.9, 0.8};
    stats_holm(large, 2);
    near(large[0], 1);
    near(large[1], 1);
    stats_holm(NULL, 0);
}

static void one_of_k_is_right(void **state)
{
    (void)state;
    /* openai/human-eval human_eval/evaluation.py:
     * 1.0 if n - c < k else 1.0 - np.prod(1.0 - k / np.arange(n - c + 1, n + 1)) */
    near(stats_pass_at_k(200, 3, 1), 0.015000000000000013);
    near(stats_pass_at_k(200, 3, 10), 0.1433074463225218);
    near(stats_pass_at_k(200, 3, 100), 0.8768844221105527);
    near(stats_pass_at_k(10, 0, 5), 0);
    near(stats_pass_at_k(10, 10, 1), 1);
    near(stats_pass_at_k(5, 3, 3), 1);
    near(stats_pass_at_k(1000, 1, 7), 0.007000000000000006);
    near(stats_pass_at_k(2, 0, 5), 0);
    near(stats_pass_at_k(2, 1, 5), 1);
    near(stats_pass_at_k(0, 0, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_and_their_errors),
        cmocka_unit_test(few_values),
        cmocka_unit_test(shares),
        cmocka_unit_test(who_solved_what_alone),
        cmocka_unit_test(flipped_signs),
        cmocka_unit_test(drawn_again),
        cmocka_unit_test(many_tests_at_once),
        cmocka_unit_test(one_of_k_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
