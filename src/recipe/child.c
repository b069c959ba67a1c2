#include "recipe/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { POLL_MS = 100, CANNOT_START = 127 };

/* In the child.  A process group of its own: Ctrl-C is the parent's to hand on, once. */
static void become(const char *const *argv, int out, int keep_fd, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(CANNOT_START);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(out, STDERR_FILENO) < 0)
        _exit(CANNOT_START);
    if (keep_fd >= 0)
        fcntl(keep_fd, F_SETFD, 0);
    execvp(argv[0], (char *const *)argv);
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(CANNOT_START);
}

/* What it says, until it closes its outputs; whoever of its own children keeps them open is not waited for.
 */
static bool copy_some(int from, FILE *log, bool quiet)
{
    char bytes[8192];
    ssize_t n = read(from, bytes, sizeof bytes);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    fwrite(bytes, 1, (size_t)n, log);
    fflush(log);
    if (!quiet)
        fwrite(bytes, 1, (size_t)n, stderr);
    return n > 0;
}

/* False: how it ended cannot be known, as where SIGCHLD is ignored; errno says why. */
static bool watch(pid_t pid, int from, FILE *log, bool quiet, bool (*stopped)(void *context), void *context,
                  int *status, struct rusage *usage)
{
    bool asked = false, open = true;
    pid_t ended;
    while ((ended = wait4(pid, status, WNOHANG, usage)) == 0) {
        struct pollfd p = {.fd = open ? from : -1, .events = POLLIN};
        if (poll(&p, 1, POLL_MS) > 0)
            open = copy_some(from, log, quiet);
        if (!asked && stopped && stopped(context))
            asked = kill(-pid, SIGTERM) == 0; /* the group: a shell's pipeline ends, too */
    }
    int why = errno;
    fcntl(from, F_SETFL, O_NONBLOCK);
    struct pollfd rest = {.fd = from, .events = POLLIN};
    while (open && poll(&rest, 1, 0) > 0 && copy_some(from, log, quiet))
        ;
    errno = why;
    return ended > 0;
}

Status child_run(ChildEnd *out, const char *const *argv, const char *log, bool quiet, int keep_fd,
                 bool (*stopped)(void *context), void *context)
{
    int pipe_fds[2], status = 0;
    struct rusage usage = {0};
    double start = clock_now();
    FILE *f = fopen(log, "ae");
    if (!f)
        return fail_errno(ST_IO, "cannot write %s", log);
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        Status st = fail_errno(ST_IO, "no pipe");
        fclose(f);
        return st;
    }
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        become(argv, pipe_fds[1], keep_fd, parent);
    Status st = pid < 0 ? fail_errno(ST_IO, "cannot start %s", argv[0]) : ST_OK;
    close(pipe_fds[1]);
    if (st == ST_OK && !watch(pid, pipe_fds[0], f, quiet, stopped, context, &status, &usage))
        st = fail_errno(ST_IO, "cannot tell how %s ended", argv[0]);
    close(pipe_fds[0]);
    bool lost = ferror(f) != 0;
    lost = fclose(f) != 0 || lost;
    *out = (ChildEnd){.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                      .seconds = clock_now() - start,
                      .memory = (int64_t)usage.ru_maxrss * 1024};
    return st == ST_OK && lost ? fail(ST_IO, "cannot write %s", log) : st;
}
