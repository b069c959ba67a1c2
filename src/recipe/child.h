/* A command as a child of this process: what it says goes to the terminal and into a log. */
#ifndef RECIPE_CHILD_H
#define RECIPE_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct {
    int code; /* exit status; 128 + signal where one ended it */
    double seconds;
    int64_t memory; /* peak resident bytes of it and of what it waited for */
} ChildEnd;

/* Runs argv, ended by NULL.  Both its outputs are appended to the file `log`, and to stderr unless `quiet`.
 * Where `stopped` becomes true it is asked to end (SIGTERM, also to its own children) once, and waited for:
 * it may save.  keep_fd (-1: none) stays open in it: a lock that lasts as long as it does, even if this
 * process is killed; it is then asked to end, too.
 *   ST_IO  it cannot be started, or the log not written, or how it ended is not told (SIGCHLD is ignored);
 *          *out is not set where nothing was started */
MUST_CHECK Status child_run(ChildEnd *out, const char *const *argv, const char *log, bool quiet, int keep_fd,
                            bool (*stopped)(void *context), void *context);

#endif
