#include "env/sandbox_group.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define NAME "lemur-sandbox-"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char *parent;                /* the group that ours are made in; set once, NULL: none */
static const char *_Atomic missing; /* why there is none                                      */
static _Atomic unsigned next_number;

static Str text_of(const char *folder, const char *name)
{
    Str text = {0};
    char *path = path_join(folder, name);
    if (file_read(&text, path, 1 << 20) != ST_OK)
        str_clear(&text);
    mem_free(path);
    return text;
}

/* Where cgroups v2 are mounted; NULL: nowhere.  Caller frees.  proc(5), mountinfo: "36 35 98:0 /root /mount
 * options - type" */
static char *mount_point(void)
{
    Str table = text_of("/proc/self", "mountinfo");
    char *found = NULL, *save = NULL;
    for (char *line = table.at ? strtok_r(table.at, "\n", &save) : NULL; line && !found;
         line = strtok_r(NULL, "\n", &save)) {
        char path[256];
        if (strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s %*s %255s", path) == 1)
            found = mem_str(path);
    }
    str_drop(&table);
    return found;
}

static bool hands_out(const char *group)
{
    Str controllers = text_of(group, "cgroup.subtree_control");
    const char *c = str_c(&controllers);
    char *procs = path_join(group, "cgroup.procs");
    bool yes =
        strstr(c, "memory") && strstr(c, "pids") && access(group, W_OK) == 0 && access(procs, W_OK) == 0;
    mem_free(procs);
    str_drop(&controllers);
    return yes;
}

/* Groups of callers that were killed. */
static void sweep(void)
{
    FolderList names = {0};
    if (folder_list(&names, parent) != ST_OK)
        return;
    for (size_t i = 0; i < names.n; i++)
        if (strncmp(names.at[i], NAME, strlen(NAME)) == 0 &&
            kill((pid_t)strtol(names.at[i] + strlen(NAME), NULL, 10), 0) < 0 && errno == ESRCH) {
            char *path = path_join(parent, names.at[i]);
            rmdir(path);
            mem_free(path);
        }
    folder_list_drop(&names);
}

static void find_parent(void)
{
    char *mount = mount_point();
    Str own = text_of("/proc/self", "cgroup");
    const char *at = own.n ? strstr(own.at, "0::/") : NULL;
    if (!mount || !at) {
        missing = "cgroups v2 are not mounted";
    } else {
        char *group = mem_format("%s%.*s", mount, (int)strcspn(at + 3, "\n"), at + 3);
        size_t top = strlen(mount);
        while (!hands_out(group) && strlen(group) > top)
            *strrchr(group, '/') = 0;
        if (strlen(group) > top || hands_out(group))
            parent = mem_str(group);
        else
            missing = "cgroups v2 hand no memory and pids to this user";
        mem_free(group);
    }
    mem_free(mount);
    str_drop(&own);
    if (parent)
        sweep();
}

static bool set(const Group *g, const char *name, int64_t value)
{
    char *path = path_join(g->path, name), text[32];
    int fd = open(path, O_WRONLY | O_CLOEXEC), n = snprintf(text, sizeof text, "%lld", (long long)value);
    bool done = fd >= 0 && write(fd, text, (size_t)n) == n;
    if (fd >= 0)
        close(fd);
    mem_free(path);
    return done;
}

void group_make(Group *g, const SandboxLimits *limits)
{
    *g = (Group){.procs = -1};
    pthread_once(&once, find_parent);
    if (missing)
        return;
    g->path = mem_format("%s/" NAME "%d-%u", parent, (int)getpid(), atomic_fetch_add(&next_number, 1));
    if (mkdir(g->path, 0755) < 0) {
        mem_free(g->path);
        g->path = NULL;
        return;
    }
    /* The private folders are memory too; bwrap and process 1 are processes too, and one more is for the
     * watch to see. */
    bool kept = set(g, "memory.max", limits->memory_bytes + 3 * limits->disk_bytes + (16 << 20)) &&
                set(g, "pids.max", limits->processes + 3);
    set(g, "memory.swap.max", 0); /* absent where there is no swap */
    set(g, "memory.oom.group", 1);
    char *procs = path_join(g->path, "cgroup.procs");
    g->procs = kept ? open(procs, O_WRONLY | O_CLOEXEC) : -1;
    mem_free(procs);
    if (g->procs < 0)
        group_remove(g);
}

bool group_out_of_memory(const Group *g)
{
    if (!g->path)
        return false;
    Str events = text_of(g->path, "memory.events");
    const char *at = strstr(str_c(&events), "oom_kill ");
    bool yes = at && strtol(at + strlen("oom_kill "), NULL, 10) > 0;
    str_drop(&events);
    return yes;
}

void group_remove(Group *g)
{
    if (g->procs >= 0)
        close(g->procs);
    /* The kernel counts a process as a member for a moment after it has ended. */
    for (int tries = 0; g->path && rmdir(g->path) < 0 && errno == EBUSY && tries < 100; tries++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    mem_free(g->path);
    *g = (Group){.procs = -1};
}

void group_give_up(Group *g)
{
    if (g->path)
        missing = "this user may make control groups and not enter them";
    group_remove(g);
}

const char *group_missing(void)
{
    pthread_once(&once, find_parent);
    return missing;
}
