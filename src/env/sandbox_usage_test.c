#include "env/sandbox_usage.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { HELD = 40 << 20 };

/* Two children below one; the second holds memory.  A byte comes when all are there. */
static pid_t family(void)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t first = fork();
    if (first == 0) {
        for (int i = 0; i < 2; i++)
            if (fork() == 0) {
                static char held[HELD];
                if (i == 1)
                    memset(held, 1, sizeof held);
                ssize_t written = write(ready[1], "x", 1);
                alarm(60);
                for (; written == 1;)
                    pause();
            }
        alarm(60);
        for (;;)
            pause();
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return first;
}

static void all_below_are_counted(void **state)
{
    (void)state;
    if (!usage_can_be_told()) {
        print_message("SKIP the kernel does not list children\n");
        skip();
    }
    setpgid(0, 0);
    pid_t first = family();
    Usage u = usage_of(first, 1 << 20);
    int64_t exact = usage_memory_exact(first);
    assert_int_equal(u.processes, 2);
    assert_true(u.memory_bytes >= HELD && u.memory_bytes < 10 * (int64_t)HELD);
    assert_true(exact == -1 || (exact >= HELD && exact <= u.memory_bytes + HELD));
    assert_true(u.cpu_seconds >= 0 && u.cpu_seconds < 60);
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    waitpid(first, NULL, 0);
    u = usage_of(first, 1 << 20); /* gone: nothing, and no failure */
    assert_int_equal(u.processes, 0);
    assert_int_equal(u.memory_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_below_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
