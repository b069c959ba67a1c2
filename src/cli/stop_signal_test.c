#include "cli/stop_signal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void a_signal_asks_for_the_end(void **state)
{
    (void)state;
    const volatile sig_atomic_t *stop = stop_signal_watch();
    assert_int_equal(*stop, 0);
    raise(SIGTERM);
    assert_int_equal(*stop, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_asks_for_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
