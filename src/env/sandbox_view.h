/* What the inside of a sandbox looks like, in bwrap's words. */
#ifndef ENV_SANDBOX_VIEW_H
#define ENV_SANDBOX_VIEW_H

#include "env/sandbox.h"

/* The numbers of the descriptors that the words name; sandbox_launch.c opens them. */
enum { VIEW_FD_ARGS = 3, VIEW_FD_FILTER, VIEW_FD_STATUS, VIEW_FD_BLOCK, VIEW_FD_HOLD };

/* The most that limits.processes may be: what the watch can list at once. */
enum { VIEW_PROCESSES_MAX = 4096 };

/* ST_ARG: an argument, variable, path or limit that cannot be meant. */
MUST_CHECK Status view_check(const SandboxSpec *spec);
/* The options, each ended by a NUL byte, for bwrap --args: a command line would show them to the inside in
 * /proc/1. */
void view_options(Str *options, const SandboxSpec *spec);
/* The short command line: bwrap, --args, the program.  NULL-terminated; caller frees the list, whose words
 * are borrowed. */
const char **view_command(const SandboxSpec *spec);

#endif
