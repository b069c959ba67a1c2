/* A thread that looks at one inside every SANDBOX_WATCH_MS and ends it when it has passed a limit. */
#ifndef ENV_SANDBOX_WATCH_H
#define ENV_SANDBOX_WATCH_H

#include <stdatomic.h>

#include "base/thread.h"
#include "env/sandbox.h"
#include "env/sandbox_launch.h"

typedef struct {
    const Launch *launch; /* kept; its processes stay ours until watch_stop  */
    SandboxLimits limits;
    double started;
    int stop; /* eventfd */
    Thread *thread;
    _Atomic int end;              /* a SandboxEnd, or -1: nobody has ended it */
    _Atomic int64_t memory_bytes; /* the most seen                            */
    _Atomic double cpu_seconds;   /* the last seen                            */
} Watch;

MUST_CHECK Status watch_start(Watch *w, const Launch *launch, const SandboxLimits *limits);
/* Kills the inside and remembers why, unless it has another reason already.  Any thread. */
void watch_kill(Watch *w, SandboxEnd why);
void watch_stop(Watch *w); /* before launch_end */

#endif
