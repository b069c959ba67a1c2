#include "corpus/stop.h"

#include <signal.h>

#include "corpus/scratch_test.h"

static void a_signal_asks(void **state)
{
    (void)state;
    assert_false(stop_asked());
    assert_int_equal(stop_check(), ST_OK);
    stop_on_signals();
    raise(SIGTERM);
    assert_true(stop_asked());
    assert_int_equal(stop_check(), ST_CANCELLED);
    stop_ask(false);
    assert_int_equal(stop_check(), ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_signal_asks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
