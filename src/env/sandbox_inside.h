/* The struct behind a Sandbox, for sandbox.c and sandbox_run.c. */
#ifndef ENV_SANDBOX_INSIDE_H
#define ENV_SANDBOX_INSIDE_H

#include "env/sandbox_group.h"
#include "env/sandbox_launch.h"
#include "env/sandbox_watch.h"

struct Sandbox {
    Launch launch;
    Group group;
    Watch watch;
    SandboxLimits limits;
    bool ended;
};

/* write(2) without SIGPIPE, whatever the caller does with that signal: errno is EPIPE instead. */
ssize_t inside_write(int fd, const void *bytes, size_t n);
/* The program has ended: ends what it left behind, so that its pipes come to their end. */
void inside_end_rest(Sandbox *s);
/* sandbox_end, with what bwrap has said for the case that the program never began. */
MUST_CHECK Status inside_end(Sandbox *s, SandboxResult *r, Span words);

#endif
