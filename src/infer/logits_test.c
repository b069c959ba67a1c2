#include "infer/logits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

enum { MANY = 3001 };

static void fill(float *out, Rng *r, bool few_values)
{
    for (int i = 0; i < MANY; i++)
        out[i] = few_values ? (float)rng_below(r, 5) : (float)(rng_normal(r) * 6);
}

/* By counting, which is slow and needs no order: id is at place k when k others come before it. */
static int64_t place(const float *logits, int32_t id)
{
    int64_t n = 0;
    for (int32_t i = 0; i < MANY; i++)
        n += logits[i] > logits[id] || (logits[i] == logits[id] && i < id);
    return n;
}

static void the_top_is_a_sort_cut_short(void **state)
{
    (void)state;
    static float logits[MANY];
    static const int64_t counts[] = {1, 2, 20, 700, MANY - 1, MANY, MANY + 5};
    Candidates c = {0};
    Rng r;
    rng_seed(&r, 2);
    for (int round = 0; round < 6; round++) {
        fill(logits, &r, round % 2);
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
            logits_top(&c, logits, MANY, counts[i]);
            int64_t n = counts[i] < MANY ? counts[i] : MANY;
            assert_int_equal(c.n, n);
            for (int64_t k = 0; k < n; k += 1 + n / 50) {
                assert_int_equal(place(logits, c.at[k].id), k);
                assert_true(c.at[k].logit == logits[c.at[k].id]);
            }
        }
        logits_top(&c, logits, MANY, 1);
        assert_int_equal(logits_argmax(logits, MANY), c.at[0].id);
        for (int32_t id = 0; id < MANY; id += 97)
            assert_int_equal(logits_rank(logits, MANY, id), place(logits, id) + 1);
    }
    array_drop(&c);
}

static void sorted_rows_are_no_bad_case(void **state)
{
    (void)state;
    static float logits[MANY];
    Candidates c = {0};
    for (int up = 0; up < 2; up++) {
        for (int i = 0; i < MANY; i++)
            logits[i] = (float)(up ? i : -i);
        logits_top(&c, logits, MANY, 3);
        for (int k = 0; k < 3; k++)
            assert_int_equal(c.at[k].id, up ? MANY - 1 - k : k);
    }
    array_drop(&c);
}

static void what_is_no_number_is_no_candidate(void **state)
{
    (void)state;
    float odd[6] = {NAN, -INFINITY, 1, NAN, 1, -INFINITY}, none[3] = {NAN, -INFINITY, NAN}, p[6];
    Candidates c = {0};
    assert_int_equal(logits_argmax(odd, 6), 2);
    assert_int_equal(logits_argmax(none, 3), -1);
    logits_top(&c, odd, 6, 5);
    assert_int_equal(c.n, 2);
    assert_int_equal(c.at[1].id, 4);
    logits_top(&c, none, 3, 2);
    assert_int_equal(c.n, 0);
    assert_true(fabs(logits_log_sum(odd, 6) - 1 - log(2)) < 1e-6);
    assert_true(logits_log_sum(none, 3) == -INFINITY);
    odd[4] = INFINITY;
    assert_true(logits_exp(p, odd, 6, INFINITY, 1) == 1);
    assert_true(p[4] == 1 && p[2] == 0 && p[0] == 0);
    array_drop(&c);
}

static void sums_are_near_the_exact_ones(void **state)
{
    (void)state;
    static float logits[MANY], p[MANY];
    Rng r;
    rng_seed(&r, 5);
    for (int round = 0; round < 4; round++) {
        double sum = 0;
        fill(logits, &r, round == 3);
        for (int i = 0; i < MANY; i++)
            sum += exp((double)logits[i]);
        assert_true(fabs(logits_log_sum(logits, MANY) - log(sum)) < 2e-6);
        float most = logits[logits_argmax(logits, MANY)];
        double total = logits_exp(p, logits, MANY, most, 0.7f), wanted = 0;
        for (int i = 0; i < MANY; i++) {
            double exact = exp(((double)logits[i] - (double)most) * (double)0.7f);
            wanted += exact;
            assert_true(fabs((double)p[i] - exact) <= 4e-6 * exact);
        }
        assert_true(fabs(total - wanted) < 2e-6 * wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_top_is_a_sort_cut_short),
        cmocka_unit_test(sorted_rows_are_no_bad_case),
        cmocka_unit_test(what_is_no_number_is_no_candidate),
        cmocka_unit_test(sums_are_near_the_exact_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
