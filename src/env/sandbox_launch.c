#include "env/sandbox_launch.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "env/sandbox_filter.h"
#include "env/sandbox_host.h"
#include "env/sandbox_view.h"

enum {
    START_SECONDS = 30, /* until bwrap's first word, on a machine that swaps */
    CHILD_STACK = 64 * 1024,
    OPEN_FILES = 512,
};

/* The descriptors that bwrap finds open.  HOLD is the end of the pipe BLOCK that is written to: process 1
 * keeps it (--sync-fd), so that BLOCK never ends.  If it ended with its writer, a caller who dies at this
 * moment would let the program begin without limits; so process 1 waits for ever, which is harmless. */
enum {
    FD_IN,
    FD_OUT,
    FD_ERR,
    FD_ARGS = VIEW_FD_ARGS,
    FD_FILTER = VIEW_FD_FILTER,
    FD_STATUS = VIEW_FD_STATUS,
    FD_BLOCK = VIEW_FD_BLOCK,
    FD_HOLD = VIEW_FD_HOLD,
    FD_COUNT
};

/* What the child needs, prepared before it exists: it shares our memory and may only make system calls. */
typedef struct {
    char *path;
    const char **argv;
    int fds[FD_COUNT], group;
    SandboxUser user;
    pid_t parent;
    bool grouped;
    const char *doing; /* what failed in the child, and its errno */
    int error;
} Child;

/* The child's functions end in execve and not by returning: AddressSanitizer would hold their frames, in a
 * stack that is given back, for poisoned ever after. */
#define CHILD __attribute__((no_sanitize_address))

CHILD static bool child_becomes(const SandboxUser *user)
{
    /* Not the C library's functions, which would change every thread of the caller. */
    return !user->become || (syscall(SYS_setgroups, 0, NULL) == 0 &&
                             syscall(SYS_setresgid, user->gid, user->gid, user->gid) == 0 &&
                             syscall(SYS_setresuid, user->uid, user->uid, user->uid) == 0);
}

CHILD static bool child_arranges_fds(const int fds[FD_COUNT])
{
    int high[FD_COUNT];
    for (int i = 0; i < FD_COUNT; i++)
        if ((high[i] = fcntl(fds[i], F_DUPFD, FD_COUNT)) < 0)
            return false;
    for (int i = 0; i < FD_COUNT; i++)
        if (dup2(high[i], i) < 0)
            return false;
    return close_range(FD_COUNT, ~0u, 0) == 0; /* nothing of the caller's goes inside */
}

CHILD static int child_run(void *arg)
{
    Child *c = arg;
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL); /* before any can be delivered; those that cannot be set need not be */
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0); /* a terminal's Ctrl-C is the caller's, who may want to stop something gently */
    c->grouped = c->group >= 0 && write(c->group, "0", 1) == 1;
    errno = 0;
    c->doing = "becoming another user than root, as a sandboxed program must,";
    bool ready = child_becomes(&c->user);
    if (ready) {
        c->doing = "starting bwrap";
        ready = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == c->parent &&
                child_arranges_fds(c->fds) && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
    }
    if (ready)
        execve(c->path, (char *const *)(uintptr_t)c->argv, (char *[]){NULL});
    c->error = errno ? errno : ESRCH;
    _exit(127);
}

/* As vfork: a caller with a large model mapped would wait long for a fork to copy its page tables. */
static Status child_start(Child *c, Launch *l)
{
    char *stack =
        mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED)
        return fail_errno(ST_IO, "no memory to start bwrap");
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    host_remember();
    l->bwrap = clone(child_run, stack + CHILD_STACK, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, c,
                     &l->bwrap_fd);
    int error = l->bwrap < 0 ? errno : c->error;
    if (c->user.become) /* the change of user has cleared it for the memory that we share */
        host_restore();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munmap(stack, CHILD_STACK);
    l->grouped = c->grouped;
    l->user = c->user;
    if (l->bwrap < 0) {
        l->bwrap = 0;
        l->bwrap_fd = -1;
    }
    errno = error;
    return error ? fail_errno(ST_UNSUPPORTED, "no sandbox: %s failed", c->doing ? c->doing : "a new process")
                 : ST_OK;
}

/* A file in memory with these bytes, to be read from its beginning. */
static Status memory_file(int *fd, Span bytes)
{
    *fd = memfd_create("sandbox", MFD_CLOEXEC);
    if (*fd < 0)
        return fail_errno(ST_IO, "a file in memory");
    for (size_t at = 0; at < bytes.n;) {
        ssize_t n = write(*fd, bytes.at + at, bytes.n - at);
        if (n < 0)
            return fail_errno(ST_IO, "a file in memory");
        at += (size_t)n;
    }
    return lseek(*fd, 0, SEEK_SET) == 0 ? ST_OK : fail_errno(ST_IO, "a file in memory");
}

/* One end for the child, one for us, which does not block. */
static Status pipe_to(int *child, int *ours, bool child_reads)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail_errno(ST_IO, "a pipe to the sandbox");
    *child = ends[child_reads ? 0 : 1];
    *ours = ends[child_reads ? 1 : 0];
    return fcntl(*ours, F_SETFL, O_NONBLOCK) == 0 ? ST_OK : fail_errno(ST_IO, "a pipe to the sandbox");
}

static Status open_all(Child *c, Launch *l, const SandboxSpec *spec)
{
    Span filter;
    TRY(sandbox_filter(&filter));
    TRY(memory_file(&c->fds[FD_FILTER], filter));
    Str view = {0};
    view_options(&view, spec);
    Status st = memory_file(&c->fds[FD_ARGS], str_span(&view));
    str_drop(&view);
    TRY(st);
    TRY(pipe_to(&c->fds[FD_IN], &l->in, true));
    TRY(pipe_to(&c->fds[FD_OUT], &l->out, false));
    TRY(pipe_to(&c->fds[FD_ERR], &l->err, false));
    TRY(pipe_to(&c->fds[FD_STATUS], &l->status, false));
    TRY(pipe_to(&c->fds[FD_BLOCK], &l->hold, true));
    c->fds[FD_HOLD] = fcntl(l->hold, F_DUPFD_CLOEXEC, 0);
    return c->fds[FD_HOLD] >= 0 ? ST_OK : fail_errno(ST_IO, "a pipe to the sandbox");
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* The bytes that are there now, and with a deadline all until the end or until `until` is among them. */
static void drain(Str *to, int fd, double deadline, char until)
{
    for (;;) {
        char buf[1024];
        ssize_t n = read(fd, buf, sizeof buf);
        if (n > 0) {
            str_add(to, buf, (size_t)n);
            if (until && memchr(buf, until, (size_t)n))
                return;
            continue;
        }
        double left = deadline - clock_now();
        if (n == 0 || (errno != EAGAIN && errno != EINTR) || left <= 0)
            return;
        poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, (int)ceil(left * 1e3));
    }
}

/* bwrap's first line names process 1: {"child-pid": 123, ...}. */
static Status find_init(Launch *l)
{
    Str words = {0};
    drain(&words, l->status, clock_now() + START_SECONDS, '}');
    const char *at = strstr(str_c(&words), "\"child-pid\":");
    l->init = at ? (pid_t)strtol(at + strlen("\"child-pid\":"), NULL, 10) : 0;
    if (l->init > 1)
        l->init_fd = pidfd_open(l->init, 0);
    Status st = ST_OK;
    if (l->init_fd < 0) {
        str_clear(&words);
        drain(&words, l->err, clock_now() + 1, 0);
        st = host_explain(str_span(&words));
    }
    str_drop(&words);
    return st;
}

Status launch_start(Launch *l, const SandboxSpec *spec, int group)
{
    *l = (Launch){.bwrap_fd = -1, .init_fd = -1, .in = -1, .out = -1, .err = -1, .status = -1, .hold = -1};
    Child c = {.group = group, .parent = getpid()};
    for (int i = 0; i < FD_COUNT; i++)
        c.fds[i] = -1;
    Status st = view_check(spec);
    if (st == ST_OK)
        st = host_bwrap(&c.path);
    if (st == ST_OK)
        st = host_user(&c.user, spec->work ? spec->work : spec->root);
    if (st == ST_OK)
        st = open_all(&c, l, spec);
    if (st == ST_OK) {
        c.argv = view_command(spec);
        st = child_start(&c, l);
    }
    mem_free(c.argv);
    mem_free(c.path);
    for (int i = 0; i < FD_COUNT; i++)
        close_fd(&c.fds[i]);
    if (st == ST_OK)
        st = find_init(l);
    if (st != ST_OK)
        launch_close(l);
    return st;
}

/* Never above what the caller itself may have. */
static Status limit(pid_t pid, int what, double value)
{
    struct rlimit has;
    rlim_t want = (rlim_t)value;
    if (getrlimit((__rlimit_resource_t)what, &has) == 0 && want > has.rlim_max)
        want = has.rlim_max; /* RLIM_INFINITY is the largest number */
    if (prlimit(pid, (__rlimit_resource_t)what, &(struct rlimit){want, want}, NULL) < 0)
        return fail_errno(ST_IO, "setting a limit of the sandbox");
    return ST_OK;
}

/* Where the host runs out of memory it shall end this first, not whoever holds the model. */
static void offer_to_the_oom_killer(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int)pid);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, "1000", 4) != 4)
        log_debug("%s: not set", path);
    if (fd >= 0)
        close(fd);
}

Status launch_release(Launch *l, const SandboxLimits *limits)
{
    const struct {
        int what;
        double value;
    } all[] = {
        {RLIMIT_CORE, 0},
        {RLIMIT_MSGQUEUE, 0},
        {RLIMIT_NOFILE, OPEN_FILES},
        {RLIMIT_FSIZE, (double)limits->file_bytes},
        {RLIMIT_CPU, ceil(limits->cpu_seconds) + 1},
        /* Twice what the watch allows: one absurd request is an error that the program can report; growing
         * into the limit ends it by name. */
        {RLIMIT_DATA, 2 * (double)limits->memory_bytes},
        /* Counted for this inside alone, since it has a user namespace of its own (Linux 5.14); process 1,
         * and one more for the watch to see that the limit was passed. */
        {RLIMIT_NPROC, limits->processes + 2},
    };
    Status st = ST_OK;
    host_act_as(&l->user);
    for (size_t i = 0; st == ST_OK && i < sizeof all / sizeof all[0]; i++)
        st = limit(l->init, all[i].what, all[i].value);
    offer_to_the_oom_killer(l->init);
    host_act_as_before(&l->user);
    TRY(st);
    if (write(l->hold, "", 1) != 1)
        return fail_errno(ST_IO, "letting the sandbox begin");
    close_fd(&l->hold);
    return ST_OK;
}

static int exit_code(int status)
{
    Str words = {0};
    drain(&words, status, 0, 0);
    const char *at = strstr(str_c(&words), "\"exit-code\":");
    int code = at ? atoi(at + strlen("\"exit-code\":")) : -1;
    str_drop(&words);
    return code;
}

void launch_end(Launch *l, int *code, double *cpu_seconds)
{
    *code = -1;
    *cpu_seconds = 0;
    if (l->bwrap) {
        if (l->init_fd < 0 || pidfd_send_signal(l->init_fd, SIGKILL, NULL, 0) < 0)
            kill(l->bwrap, SIGKILL);
        struct rusage used = {0};
        while (wait4(l->bwrap, NULL, 0, &used) < 0 && errno == EINTR)
            ;
        *cpu_seconds = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                       1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
        /* bwrap does not wait for those that the program left behind. */
        while (l->init_fd >= 0 && poll(&(struct pollfd){.fd = l->init_fd, .events = POLLIN}, 1, -1) < 0 &&
               errno == EINTR)
            ;
        *code = exit_code(l->status);
        l->bwrap = 0;
    }
    close_fd(&l->bwrap_fd);
    close_fd(&l->init_fd);
    close_fd(&l->in);
    close_fd(&l->status);
    close_fd(&l->hold);
}

void launch_close(Launch *l)
{
    int code;
    double seconds;
    launch_end(l, &code, &seconds);
    close_fd(&l->out);
    close_fd(&l->err);
}
