#include "env/sandbox_watch.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "env/sandbox_usage.h"

/* Looks at an inside that uses no processor are rarer: many wait for a model most of their time. */
enum { IDLE_MS = 50, IDLE_LOOKS = 20 };

void watch_kill(Watch *w, SandboxEnd why)
{
    int none = -1;
    atomic_compare_exchange_strong(&w->end, &none, (int)why);
    pidfd_send_signal(w->launch->init_fd, SIGKILL, NULL, 0);
}

/* The limit that is passed, or -1. */
static int passed(Watch *w, const Usage *u)
{
    const SandboxLimits *l = &w->limits;
    if (u->memory_bytes > w->memory_bytes)
        w->memory_bytes = u->memory_bytes;
    w->cpu_seconds = u->cpu_seconds;
    if (clock_now() - w->started >= l->wall_seconds)
        return SANDBOX_WALL_TIME;
    if (u->cpu_seconds >= l->cpu_seconds)
        return SANDBOX_CPU_TIME;
    if (u->processes > l->processes)
        return SANDBOX_PROCESSES;
    if (u->disk_full)
        return SANDBOX_DISK;
    if (u->memory_bytes > l->memory_bytes) {
        int64_t exact = usage_memory_exact(w->launch->init);
        if (exact < 0 || exact > l->memory_bytes)
            return SANDBOX_MEMORY;
    }
    return -1;
}

static void watch(void *context)
{
    Watch *w = context;
    host_act_as(&w->launch->user);
    double cpu_before = 0;
    for (int idle = 0;;) {
        double left = w->started + w->limits.wall_seconds - clock_now();
        double wait = fmin(idle < IDLE_LOOKS ? SANDBOX_WATCH_MS : IDLE_MS, ceil(fmax(0, left) * 1e3));
        struct pollfd on[] = {{.fd = w->stop, .events = POLLIN},
                              {.fd = w->launch->init_fd, .events = POLLIN}};
        if (poll(on, 2, (int)wait) > 0)
            return;
        Usage u = usage_of(w->launch->init, w->limits.disk_bytes);
        int end = passed(w, &u);
        idle = u.cpu_seconds > cpu_before ? 0 : idle + 1;
        cpu_before = u.cpu_seconds;
        if (end >= 0) {
            watch_kill(w, (SandboxEnd)end);
            return;
        }
    }
}

Status watch_start(Watch *w, const Launch *launch, const SandboxLimits *limits)
{
    w->launch = launch;
    w->limits = *limits;
    w->started = clock_now();
    w->thread = NULL;
    atomic_init(&w->end, -1);
    atomic_init(&w->memory_bytes, 0);
    atomic_init(&w->cpu_seconds, 0);
    w->stop = eventfd(0, EFD_CLOEXEC);
    if (w->stop < 0)
        return fail_errno(ST_IO, "watching a sandbox");
    return thread_start(&w->thread, watch, w);
}

void watch_stop(Watch *w)
{
    if (w->thread) {
        uint64_t one = 1;
        while (write(w->stop, &one, sizeof one) < 0 && errno == EINTR)
            ;
        thread_join(w->thread);
        w->thread = NULL;
    }
    if (w->stop >= 0)
        close(w->stop);
    w->stop = -1;
}
