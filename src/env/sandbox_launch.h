/* One bwrap process: started, held before the program begins, let go, and ended with all that is inside. Only
 * the sandbox's own files use it. */
#ifndef ENV_SANDBOX_LAUNCH_H
#define ENV_SANDBOX_LAUNCH_H

#include <sys/types.h>

#include "env/sandbox.h"
#include "env/sandbox_host.h"

typedef struct {
    pid_t bwrap;      /* our child, 0 when there is none                                              */
    int bwrap_fd;     /* pidfd of it                                                                  */
    pid_t init;       /* process 1 of the inside; the kernel ends all others before this one is gone  */
    int init_fd;      /* pidfd of it                                                                  */
    int in, out, err; /* our ends of the program's pipes; they do not block                           */
    int status;       /* what bwrap reports                                                           */
    int hold;         /* a byte written here lets the program begin                                   */
    SandboxUser user; /* whose it is                                                                  */
    bool grouped;     /* it joined the control group                                                  */
} Launch;

/* Starts bwrap, which builds the inside and waits.  `group` is an open cgroup.procs to join first if that is
 * allowed, or -1.  ST_UNSUPPORTED, ST_ARG, ST_IO as of sandbox_run; nothing is left then. */
MUST_CHECK Status launch_start(Launch *l, const SandboxSpec *spec, int group);
/* Sets the rlimits of the inside and lets the program begin.  ST_IO. */
MUST_CHECK Status launch_release(Launch *l, const SandboxLimits *limits);
/* Kills what is left, waits until nothing is, and closes all but `out`, `err`.  *code: the program's exit
 * status as bwrap reports it, or -1: it never began.  *cpu_seconds: of what was waited for inside. */
void launch_end(Launch *l, int *code, double *cpu_seconds);
void launch_close(Launch *l); /* launch_end, then `out` and `err` */

#endif
