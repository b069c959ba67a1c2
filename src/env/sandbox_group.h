/* A control group (cgroups v2) around one sandbox, where this user may make one.  It bounds what the watch
 * sees late or not at all: bursts, and memory of the kernel. */
#ifndef ENV_SANDBOX_GROUP_H
#define ENV_SANDBOX_GROUP_H

#include <stdbool.h>

#include "env/sandbox.h"

typedef struct {
    char *path; /* NULL: there is none, and all calls do nothing */
    int procs;  /* open cgroup.procs, or -1                       */
} Group;

/* A group below the nearest of our own groups that hands out memory and pids; none where there is no such. */
void group_make(Group *g, const SandboxLimits *limits);
/* The processes in it were killed for want of memory. */
bool group_out_of_memory(const Group *g);
void group_remove(Group *g);  /* when all its processes are gone */
void group_give_up(Group *g); /* it may be made and not joined: removes it and makes no more */
/* Why there is none, or NULL: for people.  Lives as long as the process. */
const char *group_missing(void);

#endif
