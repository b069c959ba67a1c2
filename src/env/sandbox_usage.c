#include "env/sandbox_usage.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

/* An inode of a tmpfs is about 1 kB of kernel memory that its size does not bound. */
enum { FILES_MAX = 100000 };

typedef struct {
    pid_t *at;
    size_t n, cap;
} Pids;

static void pids_add(Pids *p, pid_t pid)
{
    if (p->n == p->cap)
        p->at = mem_resize(p->at, p->cap = p->cap ? 2 * p->cap : 64, sizeof *p->at);
    p->at[p->n++] = pid;
}

/* A small file of /proc, NUL-terminated, cut to the buffer; false when its process is gone. */
static bool read_small(char *buf, size_t size, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, buf, size - 1);
    close(fd);
    buf[n > 0 ? n : 0] = 0;
    return n > 0;
}

static void add_children_of_thread(Pids *p, pid_t pid, long thread)
{
    char path[64], buf[64 * 1024]; /* of more than VIEW_PROCESSES_MAX */
    snprintf(path, sizeof path, "/proc/%d/task/%ld/children", (int)pid, thread);
    if (!read_small(buf, sizeof buf, path))
        return;
    char *end;
    for (char *at = buf; *at; at = end) {
        long child = strtol(at, &end, 10);
        if (end == at || !*end) /* a number that the buffer cut may be another process's */
            break;
        pids_add(p, (pid_t)child);
    }
}

static void add_children(Pids *p, pid_t pid, int threads)
{
    if (threads <= 1) {
        add_children_of_thread(p, pid, pid);
        return;
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *e; tasks && (e = readdir(tasks));)
        if (isdigit((unsigned char)e->d_name[0]))
            add_children_of_thread(p, pid, strtol(e->d_name, NULL, 10));
    if (tasks)
        closedir(tasks);
}

/* The number behind "Name:" in /proc/PID/status and its like. */
static int64_t field(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? strtoll(at + strlen(name), NULL, 10) : 0;
}

/* Fields 14 to 17 of proc(5)'s stat: user and system time of itself and of its waited-for children. */
static double cpu_of(pid_t pid)
{
    char path[64], buf[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (!read_small(buf, sizeof buf, path))
        return 0;
    const char *at = strrchr(buf, ')'); /* the name may hold anything */
    for (int skip = 0; at && skip < 12; skip++)
        at = strchr(at + 1, ' ');
    long long ticks = 0;
    char *end = NULL;
    for (int i = 0; at && i < 4; i++, at = end)
        ticks += strtoll(at, &end, 10);
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

/* One of ours, by its size: while bwrap still builds, these paths are the host's. */
static bool full(const struct statfs *s, int64_t size)
{
    bool ours = s->f_type == TMPFS_MAGIC && ((int64_t)s->f_blocks - 1) * s->f_bsize < size &&
                (int64_t)s->f_blocks * s->f_bsize >= size;
    return ours && (s->f_bavail == 0 || s->f_files - s->f_ffree > FILES_MAX);
}

static bool disk_full(pid_t init, int64_t size)
{
    static const char *const folders[] = {"/tmp", "/dev/shm", "/work"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[64];
        struct statfs s;
        snprintf(path, sizeof path, "/proc/%d/root%s", (int)init, folders[i]);
        if (statfs(path, &s) == 0 && full(&s, size))
            return true;
    }
    return false;
}

Usage usage_of(pid_t init, int64_t disk_bytes)
{
    Usage u = {.disk_full = disk_full(init, disk_bytes)};
    Pids p = {0};
    pids_add(&p, init);
    for (size_t i = 0; i < p.n; i++) {
        char path[64], buf[4096];
        snprintf(path, sizeof path, "/proc/%d/status", (int)p.at[i]);
        if (!read_small(buf, sizeof buf, path))
            continue;
        int threads = (int)field(buf, "\nThreads:");
        u.processes += threads;
        u.memory_bytes +=
            1024 * (field(buf, "\nRssAnon:") + field(buf, "\nRssShmem:") + field(buf, "\nVmPTE:"));
        u.cpu_seconds += cpu_of(p.at[i]);
        add_children(&p, p.at[i], threads);
    }
    if (u.processes > 0) /* else process 1 is gone already */
        u.processes -= 1;
    mem_free(p.at);
    return u;
}

int64_t usage_memory_exact(pid_t init)
{
    int64_t bytes = 0;
    Pids p = {0};
    pids_add(&p, init);
    bool told = false;
    for (size_t i = 0; i < p.n; i++) {
        char path[64], buf[4096];
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)p.at[i]);
        if (read_small(buf, sizeof buf, path)) {
            told = told || strstr(buf, "\nPss_Anon:");
            bytes += 1024 * (field(buf, "\nPss_Anon:") + field(buf, "\nPss_Shmem:"));
        }
        snprintf(path, sizeof path, "/proc/%d/status", (int)p.at[i]);
        if (!read_small(buf, sizeof buf, path))
            continue;
        bytes += 1024 * field(buf, "\nVmPTE:");
        add_children(&p, p.at[i], (int)field(buf, "\nThreads:"));
    }
    mem_free(p.at);
    return told ? bytes : -1;
}

bool usage_can_be_told(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    return access(path, R_OK) == 0;
}
