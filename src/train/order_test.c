#include "train/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_epoch_is_a_permutation(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 2, 3, 4, 5, 16, 17, 64, 65, 1000, 4097};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        for (int64_t epoch = 0; epoch < 3; epoch++) {
            char *seen = calloc((size_t)sizes[k], 1);
            for (int64_t i = 0; i < sizes[k]; i++) {
                int64_t at = order_at(42, epoch, sizes[k], i);
                assert_in_range(at, 0, sizes[k] - 1);
                assert_int_equal(seen[at]++, 0);
            }
            free(seen);
        }
    }
}

static void seeds_and_epochs_give_other_orders(void **state)
{
    (void)state;
    enum { N = 1000 };
    int same_seed = 0, same_epoch = 0, fixed = 0, neighbours = 0;
    for (int64_t i = 0; i < N; i++) {
        int64_t a = order_at(1, 0, N, i);
        same_seed += a == order_at(2, 0, N, i);
        same_epoch += a == order_at(1, 1, N, i);
        fixed += a == i;
        neighbours += i > 0 && llabs(a - order_at(1, 0, N, i - 1)) == 1;
        assert_int_equal(a, order_at(1, 0, N, i));
    }
    assert_in_range(same_seed, 0, 10);
    assert_in_range(same_epoch, 0, 10);
    assert_in_range(fixed, 0, 10);
    assert_in_range(neighbours, 0, 12);
}

/* Chi-squared of where the first tenth lands, in ten bins: 9 degrees of freedom, 27.9 is p = 0.001. */
static void the_first_rows_come_from_everywhere(void **state)
{
    (void)state;
    enum { N = 100000, TAKEN = N / 10 };
    double bins[10] = {0}, chi = 0;
    for (int64_t i = 0; i < TAKEN; i++)
        bins[order_at(7, 0, N, i) / (N / 10)]++;
    for (int b = 0; b < 10; b++)
        chi += (bins[b] - TAKEN / 10) * (bins[b] - TAKEN / 10) / (TAKEN / 10);
    assert_true(chi < 27.9);
}

static void large_sets_work(void **state)
{
    (void)state;
    int64_t n = ((int64_t)1 << 40) + 3;
    for (int64_t i = n - 100; i < n; i++)
        assert_in_range(order_at(3, 9, n, i), 0, n - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_epoch_is_a_permutation),
        cmocka_unit_test(seeds_and_epochs_give_other_orders),
        cmocka_unit_test(the_first_rows_come_from_everywhere),
        cmocka_unit_test(large_sets_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
