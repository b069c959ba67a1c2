#include "train/ranks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* One rank: every agreement is with itself. */
static void one_rank_keeps_its_numbers(void **state)
{
    (void)state;
    Device *dev;
    Comm *comm;
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(comm_open(&comm, dev), ST_OK);
    RankSums sums = {2.5, 64};
    RankWishes wish = {.stop = false, .save = true};
    double value = 17;
    assert_int_equal(ranks_sum(comm, &sums), ST_OK);
    assert_int_equal(ranks_agree(comm, &wish), ST_OK);
    assert_int_equal(ranks_follow_first(comm, &value), ST_OK);
    assert_true(sums.nats == 2.5 && sums.tokens == 64 && value == 17);
    assert_true(wish.save && !wish.stop);
    comm_close(comm);
    device_close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_rank_keeps_its_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
