#include "tensor/comm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* Whatever is summed over one rank is what it was. */
static void one_rank_is_alone(void **state)
{
    (void)state;
    Device *dev;
    Comm *c;
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(comm_open(&c, dev), ST_OK);
    assert_int_equal(comm_rank(c), 0);
    assert_int_equal(comm_size(c), 1);
    float data[3] = {1, -2, 3};
    double host[2] = {0.5, 4};
    Tensor t = tensor_view(data, DTYPE_F32, 1, 3);
    comm_sum(c, &t);
    assert_int_equal(comm_sum_host(c, host, 2), ST_OK);
    assert_int_equal(comm_barrier(c), ST_OK);
    assert_true(data[0] == 1 && data[1] == -2 && data[2] == 3 && host[0] == 0.5 && host[1] == 4);
    assert_int_equal(device_sync(dev), ST_OK);
    comm_close(c);
    comm_close(NULL);
    device_close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_rank_is_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
