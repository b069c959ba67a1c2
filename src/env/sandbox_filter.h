/* The system calls that a sandboxed program may make, as a seccomp program for bwrap --seccomp.
 * What is not listed answers ENOSYS, as on a kernel that lacks it: libraries know what to do then. */
#ifndef ENV_SANDBOX_FILTER_H
#define ENV_SANDBOX_FILTER_H

#include "base/str.h"

/* The BPF program's bytes; made once, they live as long as the process.  Any thread.
 * ST_UNSUPPORTED: libseccomp refuses. */
MUST_CHECK Status sandbox_filter(Span *program);

#endif
