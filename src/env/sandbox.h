/* Runs a program that nobody trusts: text written by a model, or a benchmark's own code.
 *
 * The program sees /usr and the few files of /etc that programs start with, all read-only, a /proc of its
 * own, five devices, and three private folders: /tmp, /work (where it starts) and /dev/shm.  It has no
 * network, none of the host's processes, environment, descriptors or users, no capabilities, and only the
 * system calls of sandbox_filter.c.  It is never root, also when the caller is.  Limits end it, and
 * everything that it started ends with it, whatever it forked or detached; so it does when the caller dies.
 * bubblewrap makes the walls, libseccomp the filter, rlimits, a watching thread and, where the host allows,
 * cgroups v2 keep the limits.  Where one of the walls cannot be had nothing runs: ST_UNSUPPORTED says why.
 *
 *     SandboxSpec spec = {.argv = (const char *[]){"python3", "-I", "-", NULL}, .limits = sandbox_limits()};
 *     SandboxResult r;
 *     TRY(sandbox_run(&r, &spec, &(SandboxInput){.at = text, .n = strlen(text)}));
 *     log_info("%s, %zu bytes", sandbox_end_name(r.end), r.out.n);
 *     sandbox_result_drop(&r);
 *
 * What it does not stop:
 *   - a hole in the kernel, which the program shares with everybody: only a virtual machine is a thicker
 * wall;
 *   - side channels: time, load and caches; /proc tells the host's kernel, processors, memory and uptime;
 *   - reading whatever /usr holds (keep no secrets there) and what the caller shows by `work`, `read_only`;
 *   - filling a folder given as `work` or `root`: file_bytes bounds each file there, nothing their number;
 *   - traps left in that folder, such as links to the caller's files: follow no links when reading there;
 *   - short bursts: the watch looks every SANDBOX_WATCH_MS (less often while the program idles), so a limit
 *     may be passed by what fits between two looks, and without cgroups the kernel's own buffers (sockets,
 *     pipes, names of files) are not counted;
 *   - processor time of children that nobody waits for (SIGCHLD ignored), but by wall_seconds;
 *   - lies: what it prints and how it exits is its own word; a grader in the same process can be fooled. */
#ifndef ENV_SANDBOX_H
#define ENV_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { SANDBOX_WATCH_MS = 10 };

/* How a run ended. */
typedef enum {
    SANDBOX_EXITED,    /* by itself; `code` is its exit status                                         */
    SANDBOX_SIGNALLED, /* by signal `code`; exit status 128 + n is read as signal n, as shells write it */
    SANDBOX_WALL_TIME,
    SANDBOX_CPU_TIME,
    SANDBOX_MEMORY,
    SANDBOX_PROCESSES,
    SANDBOX_OUTPUT,
    SANDBOX_FILE_SIZE,
    SANDBOX_DISK,   /* /tmp, /work or /dev/shm was full                         */
    SANDBOX_KILLED, /* by sandbox_kill, or because the caller closed it running */
    SANDBOX_END_COUNT
} SandboxEnd;
const char *sandbox_end_name(SandboxEnd end); /* "exited", "wall time", ... */

/* All must be above 0, processes at most 4096.  Each but file_bytes counts for the program and all that it
 * starts together. */
typedef struct {
    int64_t memory_bytes; /* what processes hold; files in the private folders come on top       */
    int64_t disk_bytes;   /* in each of the three private folders, which are memory of the host  */
    int64_t file_bytes;   /* in one file: SIGXFSZ, or an error to who ignores that               */
    int64_t output_bytes; /* stdout and stderr together; of sandbox_run only                     */
    int processes;        /* threads among them                                                  */
    double cpu_seconds, wall_seconds;
} SandboxLimits;
SandboxLimits sandbox_limits(void); /* for a small program: 1 GB, 64 processes, 30 s, 1 MB of output */

/* Everything is borrowed for the call; the lists end with NULL.
 *   argv       looked up in /usr/local/bin:/usr/bin:/bin of the inside
 *   env        "NAME=value", beside PATH, HOME, TMPDIR, LANG, USER and OMP_NUM_THREADS=1; NULL: no more
 *   read_only  absolute host paths to show at the same place; NULL: none
 *   work       a host folder to be /work, writable; NULL: a private one, which goes with the run.
 *   place      an absolute path outside /usr where `work` is shown too, and where the program starts;
 *              NULL: /work
 *   root       a host folder, made ready by sandbox_root_prepare, to be the whole of / and writable, but for
 *              what is shown in it: /usr and its links, /etc, /dev, /proc; the program starts in /, and there
 *              is no /work and no /tmp but the folder's own; NULL: a root that nobody can write
 *              If the caller is root the program runs as the owner of `work` or `root`, who must be somebody
 *              else; one of the two at most is given. */
typedef struct {
    const char *const *argv, *const *env, *const *read_only;
    const char *work, *place, *root;
    SandboxLimits limits;
} SandboxSpec;

/* The program's stdin: bytes, then what `fd` gives until its end, if it is above 0.  `fd` is read here; the
 * program never has it. */
typedef struct {
    const void *at;
    size_t n;
    int fd;
} SandboxInput;

typedef struct {
    SandboxEnd end;
    int code;     /* see SandboxEnd; 0 otherwise                                      */
    Str out, err; /* as far as output_bytes allowed; any bytes                        */
    double wall_seconds, cpu_seconds;
    int64_t memory_bytes; /* the most that was seen; 0 for runs too short to be looked at */
} SandboxResult;

/* Makes what is shown in a `root` places to stand on; /etc is otherwise the folder's own, and read-only.  The
 * names of the places at the top are sandbox_root_names, NULL at the end.  ST_IO. */
MUST_CHECK Status sandbox_root_prepare(const char *root);
extern const char *const sandbox_root_names[];

/* Runs to the end.  However the program ends is data in *r; after a failure *r is empty.  Any thread, many at
 * once.  `input` may be NULL: an empty stdin.  Caller drops *r.
 *   ST_UNSUPPORTED  this host or user cannot have a sandbox; nothing ran; the sentence says what to do
 *   ST_ARG          the specification is wrong, or there is no such program inside
 *   ST_IO           no descriptors, threads or memory for it */
MUST_CHECK Status sandbox_run(SandboxResult *r, const SandboxSpec *spec, const SandboxInput *input);
void sandbox_result_drop(SandboxResult *r);

/* A program that stays, spoken to by pipes.  One thread at a time; the thread that starts it must outlive it,
 * since it dies with that thread. */
typedef struct Sandbox Sandbox;

/* Failures as of sandbox_run; those that show late (a mount that is refused) come from sandbox_end. */
MUST_CHECK Status sandbox_start(Sandbox **out, const SandboxSpec *spec);
/* All of the bytes.  `deadline` is of clock_now.  ST_LIMIT: it did not take them in time, or has closed its
 * stdin, which cannot be told from outside.  ST_PEER: it has ended, or sandbox_close_input came first. */
MUST_CHECK Status sandbox_write(Sandbox *s, const void *bytes, size_t n, double deadline);
void sandbox_close_input(Sandbox *s);
/* Some bytes of stdout (*from is 1) or stderr (2), as soon as there are any; *n is 0 when it has ended and
 * all is read.  ST_LIMIT: none until the deadline. */
MUST_CHECK Status sandbox_read(Sandbox *s, void *buf, size_t size, double deadline, size_t *n, int *from);
/* SIGINT to the program and those of its children that it did not detach, as Ctrl-C does. */
void sandbox_interrupt(Sandbox *s);
void sandbox_kill(Sandbox *s); /* all of it, at once */
bool sandbox_running(const Sandbox *s);
/* Ends what still runs, waits until nothing of it is left, and says how it ended (`out` and `err` stay
 * empty).  ST_UNSUPPORTED, ST_ARG: it never began, as of sandbox_run. */
MUST_CHECK Status sandbox_end(Sandbox *s, SandboxResult *r);
void sandbox_close(Sandbox *s); /* sandbox_end for those who do not ask; frees; NULL is fine */

/* Runs /usr/bin/true; appends what guards it on this host, in a line.  Failures as of sandbox_run. */
MUST_CHECK Status sandbox_probe(Str *says);

#endif
