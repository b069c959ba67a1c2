#include "env/sandbox_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* Exit status of a child under the filter: which of its calls went otherwise than it should, or 0. */
static int under_filter(Span program)
{
    struct sock_fprog filter = {(unsigned short)(program.n / sizeof(struct sock_filter)),
                                (struct sock_filter *)(void *)(uintptr_t)program.at};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
        return 1;
    if (getpid() <= 0 || write(-1, "", 1) != -1 || errno != EBADF)
        return 2;
    errno = 0;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != -1 || errno != ENOSYS)
        return 3;
    errno = 0;
    if (syscall(SYS_unshare, 0) != -1 || errno != ENOSYS)
        return 4;
    errno = 0;
    if (syscall(SYS_mount, "", "", "", 0, NULL) != -1 || errno != ENOSYS)
        return 5;
    errno = 0;
    return syscall(SYS_bpf, 0, NULL, 0) != -1 || errno != ENOSYS ? 6 : 0;
}

static void what_is_not_listed_is_not_there(void **state)
{
    (void)state;
    Span program, again;
    int status;
    assert_int_equal(sandbox_filter(&program), ST_OK);
    assert_int_equal(program.n % sizeof(struct sock_filter), 0);
    assert_int_equal(sandbox_filter(&again), ST_OK);
    assert_ptr_equal(program.at, again.at); /* made once */
    pid_t child = fork();
    if (child == 0)
        _exit(under_filter(program));
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_listed_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
