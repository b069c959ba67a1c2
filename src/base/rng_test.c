#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* From a second implementation, in Python, of the same two papers' pseudo-code; seed 0. */
static void numbers_are_those_of_the_paper(void **state)
{
    (void)state;
    static const uint64_t want[] = {0x99EC5F36CB75F2B4, 0xBF6E1F784956452A, 0x1A5F849D4933E6E0,
                                    0x6AA594F1262D2D2C};
    Rng r;
    rng_seed(&r, 0);
    assert_true(r.s[0] == 0xE220A8397B1DCDAF);
    for (int i = 0; i < 4; i++)
        assert_true(rng_next(&r) == want[i]);
}

static void streams_of_one_seed_differ(void **state)
{
    (void)state;
    Rng a, b, c;
    int same = 0;
    rng_seed_pair(&a, 7, 0);
    rng_seed_pair(&b, 7, 1);
    rng_seed_pair(&c, 7, 0);
    for (int i = 0; i < 1000; i++) {
        uint64_t x = rng_next(&a);
        same += x == rng_next(&b);
        assert_true(x == rng_next(&c));
    }
    assert_int_equal(same, 0);
}

/* Each mean within five standard errors. */
static void distributions_have_their_moments(void **state)
{
    (void)state;
    enum { N = 200000 };
    double sum = 0, normal = 0, square = 0;
    Rng r;
    rng_seed(&r, 42);
    for (int i = 0; i < N; i++) {
        double u = rng_uniform(&r), z = rng_normal(&r);
        assert_true(u >= 0 && u < 1);
        assert_true(isfinite(z));
        sum += u;
        normal += z;
        square += z * z;
    }
    assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
    assert_true(fabs(normal / N) < 5 / sqrt(N));
    assert_true(fabs(square / N - 1) < 5 * sqrt(2.0 / N));
}

static void bounded_draws_are_even(void **state)
{
    (void)state;
    enum { SIDES = 6, N = 60000 };
    int count[SIDES] = {0};
    Rng r;
    rng_seed(&r, 1);
    for (int i = 0; i < N; i++)
        count[rng_below(&r, SIDES)]++;
    for (int i = 0; i < SIDES; i++)
        assert_true(fabs(count[i] - (double)N / SIDES) < 5 * sqrt((double)N / SIDES));
    for (int i = 0; i < 100; i++) {
        assert_int_equal(rng_below(&r, 1), 0);
        assert_true(rng_below(&r, UINT64_MAX) < UINT64_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_the_paper),
        cmocka_unit_test(streams_of_one_seed_differ),
        cmocka_unit_test(distributions_have_their_moments),
        cmocka_unit_test(bounded_draws_are_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
