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
#include "base/mem.h"
#include "base/str.h"

enum { POLL_MS = 100, CANNOT_START = 127, LINE_MOST = 4096 };

struct Child {
    pid_t pid;
    int from; /* both its outputs; -1: it closed them */
    FILE *log;
    bool quiet, asked;
    char *name, *program, *log_path; /* of the spec; name may be NULL */
    Str line;                        /* with a name: what is not yet a whole one */
    double start;
    struct rusage usage;
    int status, why; /* how it ended; why: errno where that is not told */
};

/* In the child.  A process group of its own: Ctrl-C is the parent's to hand on, once. */
static void become(const ChildSpec *spec, int out, pid_t parent)
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
    for (size_t i = 0; i < spec->keep_n; i++)
        fcntl(spec->keep[i], F_SETFD, 0);
    if (spec->cpus)
        sched_setaffinity(0, sizeof *spec->cpus, spec->cpus); /* refused: all of them, as slow as that is */
    execvp(spec->argv[0], (char *const *)spec->argv);
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", spec->argv[0], strerror(errno));
    _exit(CANNOT_START);
}

static void drop(Child *c)
{
    if (c->from >= 0)
        close(c->from);
    if (c->log)
        fclose(c->log);
    mem_free(c->name);
    mem_free(c->program);
    mem_free(c->log_path);
    str_drop(&c->line);
    mem_free(c);
}

Status child_start(Child **out, const ChildSpec *spec)
{
    int fds[2];
    Child *c = mem_new(Child);
    *out = NULL;
    *c = (Child){.from = -1,
                 .log = fopen(spec->log, "ae"),
                 .quiet = spec->quiet,
                 .name = spec->name ? mem_str(spec->name) : NULL,
                 .program = mem_str(spec->argv[0]),
                 .log_path = mem_str(spec->log),
                 .start = clock_now()};
    Status st = !c->log                      ? fail_errno(ST_IO, "cannot write %s", spec->log)
                : pipe2(fds, O_CLOEXEC) != 0 ? fail_errno(ST_IO, "no pipe")
                                             : ST_OK;
    if (st != ST_OK) {
        drop(c);
        return st;
    }
    pid_t parent = getpid();
    c->from = fds[0];
    c->pid = fork();
    if (c->pid == 0)
        become(spec, fds[1], parent);
    if (c->pid < 0)
        st = fail_errno(ST_IO, "cannot start %s", spec->argv[0]);
    close(fds[1]);
    if (st == ST_OK)
        *out = c;
    else
        drop(c);
    return st;
}

/* With a name, whole lines only: several children's would mix else. */
static void tell(Child *c, const char *bytes, size_t n)
{
    if (!c->name) {
        fwrite(bytes, 1, n, stderr);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        bool ends = bytes[i] == '\n' || bytes[i] == '\r' || c->line.n == LINE_MOST;
        if (bytes[i] != '\n' && bytes[i] != '\r')
            str_addc(&c->line, bytes[i]);
        if (ends && c->line.n) {
            fprintf(stderr, "%s: ", c->name);
            fwrite(c->line.at, 1, c->line.n, stderr);
            fputc('\n', stderr);
            str_clear(&c->line);
        }
    }
}

/* False: it has closed its outputs. */
static bool copy_some(Child *c)
{
    char bytes[8192];
    ssize_t n = read(c->from, bytes, sizeof bytes);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    fwrite(bytes, 1, (size_t)n, c->log);
    fflush(c->log);
    if (!c->quiet)
        tell(c, bytes, (size_t)n);
    return n > 0;
}

void children_listen(Child *const *children, size_t n)
{
    struct pollfd *p = mem_zeroed(n, sizeof *p);
    for (size_t i = 0; i < n; i++)
        p[i] = (struct pollfd){.fd = children[i]->from, .events = POLLIN};
    bool any = poll(p, n, POLL_MS) > 0;
    for (size_t i = 0; any && i < n; i++)
        if (p[i].revents && !copy_some(children[i])) {
            close(children[i]->from);
            children[i]->from = -1;
        }
    mem_free(p);
}

bool child_ended(Child *c)
{
    pid_t ended = c->pid ? wait4(c->pid, &c->status, WNOHANG, &c->usage) : 0;
    if (ended < 0)
        c->why = errno;
    if (ended != 0)
        c->pid = 0;
    return c->pid == 0;
}

void child_ask_to_end(Child *c)
{
    if (!c->asked && c->pid)
        c->asked = kill(-c->pid, SIGTERM) == 0; /* the group: a shell's pipeline ends, too */
}

/* Whoever of its own children keeps its outputs open is not waited for. */
static void copy_rest(Child *c)
{
    struct pollfd rest = {.fd = c->from, .events = POLLIN};
    if (c->from >= 0)
        fcntl(c->from, F_SETFL, O_NONBLOCK);
    while (c->from >= 0 && poll(&rest, 1, 0) > 0 && copy_some(c))
        ;
    if (c->line.n)
        tell(c, "\n", 1);
}

Status child_end(ChildEnd *out, Child *c)
{
    copy_rest(c);
    *out = (ChildEnd){.asked = c->asked,
                      .code = WIFEXITED(c->status) ? WEXITSTATUS(c->status) : 128 + WTERMSIG(c->status),
                      .seconds = clock_now() - c->start,
                      .memory = (int64_t)c->usage.ru_maxrss * 1024};
    bool lost = ferror(c->log) != 0;
    lost = fclose(c->log) != 0 || lost;
    c->log = NULL;
    Status st = ST_OK;
    errno = c->why;
    if (c->why)
        st = fail_errno(ST_IO, "cannot tell how %s ended", c->program);
    else if (lost)
        st = fail(ST_IO, "cannot write %s", c->log_path);
    drop(c);
    return st;
}
