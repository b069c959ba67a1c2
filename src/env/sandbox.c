#include "env/sandbox.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "env/sandbox_host.h"
#include "env/sandbox_inside.h"
#include "env/sandbox_usage.h"
#include "env/sandbox_view.h"

enum { ENDING_MS = 1000 };

const char *sandbox_end_name(SandboxEnd end)
{
    static const char *const names[SANDBOX_END_COUNT] = {
        "exited",    "signalled", "wall time", "cpu time", "memory",
        "processes", "output",    "file size", "disk",     "killed",
    };
    check(end >= 0 && end < SANDBOX_END_COUNT);
    return names[end];
}

SandboxLimits sandbox_limits(void)
{
    return (SandboxLimits){
        .memory_bytes = 1 << 30,
        .disk_bytes = 256 << 20,
        .file_bytes = 128 << 20,
        .output_bytes = 1 << 20,
        .processes = 64,
        .cpu_seconds = 30,
        .wall_seconds = 30,
    };
}

Status sandbox_start(Sandbox **out, const SandboxSpec *spec)
{
    TRY(view_check(spec));
    if (!usage_can_be_told())
        return fail(ST_UNSUPPORTED, "no sandbox: this kernel does not list a process's children "
                                    "(CONFIG_PROC_CHILDREN), so limits cannot be kept");
    Sandbox *s = mem_new(Sandbox);
    s->limits = spec->limits;
    group_make(&s->group, &spec->limits);
    Status st = launch_start(&s->launch, spec, s->group.procs);
    if (st == ST_OK) {
        if (!s->launch.grouped)
            group_give_up(&s->group);
        st = watch_start(&s->watch, &s->launch, &spec->limits);
        if (st == ST_OK)
            st = launch_release(&s->launch, &spec->limits);
        if (st != ST_OK)
            watch_stop(&s->watch);
    }
    if (st != ST_OK) {
        launch_close(&s->launch);
        group_remove(&s->group);
        mem_free(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

/* Until `deadline`, in what poll takes. */
static int poll_ms(double deadline)
{
    double left = deadline - clock_now();
    return left <= 0 ? 0 : left > 1e6 ? 1000000000 : (int)ceil(left * 1e3);
}

ssize_t inside_write(int fd, const void *bytes, size_t n)
{
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    ssize_t done = write(fd, bytes, n);
    int error = errno;
    if (done < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE))
        while (sigtimedwait(&pipe_signal, NULL, &(struct timespec){0}) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return done;
}

Status sandbox_write(Sandbox *s, const void *bytes, size_t n, double deadline)
{
    const char *at = bytes;
    while (n) {
        ssize_t done = s->launch.in < 0 ? 0 : inside_write(s->launch.in, at, n);
        if (done > 0) {
            at += done;
            n -= (size_t)done;
            continue;
        }
        if (s->launch.in < 0 || (errno != EAGAIN && errno != EINTR))
            return fail(ST_PEER, "the sandboxed program's stdin is closed");
        struct pollfd on[] = {{.fd = s->launch.in, .events = POLLOUT},
                              {.fd = s->launch.bwrap_fd, .events = POLLIN}};
        if (poll(on, 2, poll_ms(deadline)) == 0)
            return fail(ST_LIMIT, "the sandboxed program does not read its stdin");
        if (on[1].revents)
            return fail(ST_PEER, "the sandboxed program has ended");
    }
    return ST_OK;
}

void sandbox_close_input(Sandbox *s)
{
    if (s->launch.in >= 0)
        close(s->launch.in);
    s->launch.in = -1;
}

void inside_end_rest(Sandbox *s)
{
    pidfd_send_signal(s->launch.init_fd, SIGKILL, NULL, 0);
}

/* Reads from one of the pipes; closes it at its end.  False: nothing there now. */
static bool take(int *fd, void *buf, size_t size, size_t *n)
{
    ssize_t got = *fd < 0 ? 0 : read(*fd, buf, size);
    if (got > 0) {
        *n = (size_t)got;
        return true;
    }
    if (got == 0 && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return false;
}

Status sandbox_read(Sandbox *s, void *buf, size_t size, double deadline, size_t *n, int *from)
{
    Launch *l = &s->launch;
    for (*n = 0;;) {
        *from = 1;
        if (take(&l->out, buf, size, n))
            return ST_OK;
        *from = 2;
        if (take(&l->err, buf, size, n) || (l->out < 0 && l->err < 0))
            return ST_OK;
        struct pollfd on[] = {{.fd = l->out, .events = POLLIN},
                              {.fd = l->err, .events = POLLIN},
                              {.fd = l->bwrap_fd, .events = POLLIN}};
        if (poll(on, 3, poll_ms(deadline)) == 0)
            return fail(ST_LIMIT, "the sandboxed program has said nothing in time");
        if (on[2].revents)
            inside_end_rest(s);
    }
}

void sandbox_interrupt(Sandbox *s)
{
    /* The program is in the process group of process 1, which ignores this one. */
    if (sandbox_running(s))
        kill(-s->launch.init, SIGINT);
}

void sandbox_kill(Sandbox *s)
{
    if (sandbox_running(s))
        watch_kill(&s->watch, SANDBOX_KILLED);
}

bool sandbox_running(const Sandbox *s)
{
    return !s->ended && poll(&(struct pollfd){.fd = s->launch.bwrap_fd, .events = POLLIN}, 1, 0) == 0;
}

/* What a status that no limit explains means. */
static void read_code(SandboxResult *r, const Sandbox *s, int code)
{
    if (code <= 128 || code > 128 + SIGRTMAX) {
        r->code = code;
        return;
    }
    r->end = SANDBOX_SIGNALLED;
    r->code = code - 128;
    if (r->code == SIGXFSZ)
        r->end = SANDBOX_FILE_SIZE;
    else if (r->code == SIGXCPU || (r->code == SIGKILL && r->cpu_seconds >= s->limits.cpu_seconds))
        r->end = SANDBOX_CPU_TIME; /* one process reached its rlimit before the watch looked */
    if (r->end != SANDBOX_SIGNALLED)
        r->code = 0;
}

/* A program whose output has ended is ending itself, and is given the time for it. */
static void let_it_end(const Sandbox *s)
{
    if (s->launch.out < 0 && s->launch.err < 0)
        poll(&(struct pollfd){.fd = s->launch.bwrap_fd, .events = POLLIN}, 1, ENDING_MS);
}

Status inside_end(Sandbox *s, SandboxResult *r, Span words)
{
    check(!s->ended);
    let_it_end(s);
    sandbox_kill(s);
    *r = (SandboxResult){.end = SANDBOX_EXITED, .wall_seconds = clock_now() - s->watch.started};
    watch_stop(&s->watch);
    int code, end = s->watch.end;
    launch_end(&s->launch, &code, &r->cpu_seconds);
    s->ended = true;
    r->cpu_seconds = fmax(r->cpu_seconds, s->watch.cpu_seconds);
    r->memory_bytes = s->watch.memory_bytes;
    if (end < 0 && group_out_of_memory(&s->group))
        end = SANDBOX_MEMORY;
    group_remove(&s->group);
    if (end >= 0)
        r->end = (SandboxEnd)end;
    else if (code >= 0)
        read_code(r, s, code);
    else
        return host_explain(words);
    return ST_OK;
}

Status sandbox_end(Sandbox *s, SandboxResult *r)
{
    char words[1024];
    ssize_t n = 0;
    if (!sandbox_running(s) && s->launch.err >= 0)
        n = read(s->launch.err, words, sizeof words);
    return inside_end(s, r, (Span){words, n > 0 ? (size_t)n : 0});
}

void sandbox_close(Sandbox *s)
{
    SandboxResult r;
    if (!s)
        return;
    if (!s->ended && sandbox_end(s, &r) != ST_OK)
        log_debug("%s", error_text());
    launch_close(&s->launch);
    mem_free(s);
}

Status sandbox_probe(Str *says)
{
    SandboxSpec spec = {.argv = (const char *[]){"/usr/bin/true", NULL}, .limits = sandbox_limits()};
    SandboxResult r;
    TRY(sandbox_run(&r, &spec, NULL));
    bool ran = r.end == SANDBOX_EXITED && r.code == 0;
    int code = r.code;
    SandboxEnd end = r.end;
    sandbox_result_drop(&r);
    if (!ran)
        return fail(ST_UNSUPPORTED, "no sandbox: /usr/bin/true ended in it with %s %d", sandbox_end_name(end),
                    code);
    const char *missing = group_missing();
    str_addf(says, "bubblewrap, seccomp, rlimits; limits of the whole by a watch every %d ms%s%s",
             SANDBOX_WATCH_MS, missing ? " alone: " : " and cgroups v2", missing ? missing : "");
    return ST_OK;
}
