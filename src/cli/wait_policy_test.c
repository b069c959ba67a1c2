#include "cli/wait_policy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static char **started_with;

/* The exit status of a child with this GOMP_SPINCOUNT (NULL: none) that applies the policy: 40 where it was
 * started again with the setting, 41 with another, 50 where wait_policy_apply returned. */
static int child(const char *spin_count)
{
    pid_t pid = fork();
    if (pid == 0) {
        unsetenv("OMP_WAIT_POLICY");
        unsetenv("GOMP_SPINCOUNT");
        if (spin_count)
            setenv("GOMP_SPINCOUNT", spin_count, 1);
        setenv("WAIT_POLICY_CHILD", "1", 1);
        wait_policy_apply(started_with);
        _exit(50);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void the_setting_is_there_before_libraries_start(void **state)
{
    (void)state;
    assert_int_equal(child(NULL), 40);
}

static void what_the_user_set_stays(void **state)
{
    (void)state;
    assert_int_equal(child("7"), 50);
}

int main(int argc, char **argv)
{
    (void)argc;
    if (getenv("WAIT_POLICY_CHILD")) {
        const char *count = getenv("GOMP_SPINCOUNT");
        return count && strcmp(count, "1000") == 0 ? 40 : 41;
    }
    started_with = argv;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_setting_is_there_before_libraries_start),
        cmocka_unit_test(what_the_user_set_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
