/* Commands as children of this process: what they say goes to the terminal and into logs. */
#ifndef RECIPE_CHILD_H
#define RECIPE_CHILD_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct {
    const char *const *argv; /* ended by NULL */
    const char *log;         /* file that both its outputs are appended to; they go to stderr as well ... */
    bool quiet;              /* ... unless this is set ... */
    const char *name;        /* ... line by line, each behind this and ": "; NULL: as they come */
    const cpu_set_t *cpus;   /* processors it may run on; NULL: as this process */
    const int *keep; /* stay open in it: locks that last as long as it does, even if this process is killed;
                      * it is then asked to end, too */
    size_t keep_n;
} ChildSpec;

typedef struct {
    int code;   /* exit status; 128 + signal where one ended it */
    bool asked; /* to end */
    double seconds;
    int64_t memory; /* peak resident bytes of it and of what it waited for */
} ChildEnd;

typedef struct Child Child;

/* The spec is needed for this call only.
 *   ST_IO  it cannot be started, or its log not written; *out is NULL then */
MUST_CHECK Status child_start(Child **out, const ChildSpec *spec);
/* Passes on what any of these says, and returns soon, also if none does.  With a name a line ends also where
 * it goes back to its beginning, as progress does on a terminal. */
void children_listen(Child *const *children, size_t n);
bool child_ended(Child *c);
/* Asks it, and its own children, to end (SIGTERM), the first time this is called: it may save. */
void child_ask_to_end(Child *c);
/* Of a child that has ended: passes on the last it said, tells how it ended and frees it.
 *   ST_IO  its log could not be written, or how it ended is not told (SIGCHLD is ignored) */
MUST_CHECK Status child_end(ChildEnd *out, Child *c);

#endif
