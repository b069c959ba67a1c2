#include "env/sandbox_filter.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* What Python, compilers and shells use, after the default profile of moby/moby
 * (profiles/seccomp/default.json), without: namespaces and mounts, tracing and reading of other processes,
 * keys, io_uring, bpf, perf, userfaultfd, modules, clocks, other users' identities; and without memory that
 * no process is seen to hold (memfd_create, System V shared memory, message queues), which would escape the
 * watch.  Names that an architecture does not have are passed over. */
/* clang-format off */
static const char *const allowed[] = {
    /* memory */
    "brk", "mmap", "mmap2", "munmap", "mprotect", "mremap", "madvise", "msync", "mincore", "mlock",
    "mlock2", "munlock", "mlockall", "munlockall", "membarrier", "pkey_alloc", "pkey_free",
    "pkey_mprotect", "get_mempolicy",
    /* files */
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev", "pwritev2",
    "open", "openat", "openat2", "creat", "close", "close_range", "lseek", "_llseek", "dup", "dup2",
    "dup3", "fcntl", "fcntl64", "flock", "stat", "stat64", "lstat", "lstat64", "fstat", "fstat64",
    "newfstatat", "fstatat64", "statx", "statfs", "statfs64", "fstatfs", "fstatfs64", "access",
    "faccessat", "faccessat2", "chdir", "fchdir", "getcwd", "getdents", "getdents64", "mkdir", "mkdirat",
    "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
    "symlinkat", "readlink", "readlinkat", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown",
    "fchownat", "lchown", "truncate", "truncate64", "ftruncate", "ftruncate64", "fallocate", "fadvise64",
    "fadvise64_64", "fsync", "fdatasync", "sync_file_range", "utime", "utimes", "utimensat", "futimesat",
    "umask", "sendfile", "sendfile64", "copy_file_range", "splice", "tee", "vmsplice", "readahead",
    "getxattr", "lgetxattr", "fgetxattr", "listxattr", "llistxattr", "flistxattr", "inotify_init",
    "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "mknod", "mknodat",
    /* waiting, pipes, sockets of this machine */
    "pipe", "pipe2", "poll", "ppoll", "select", "_newselect", "pselect6", "epoll_create", "epoll_create1",
    "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "signalfd",
    "signalfd4", "timerfd_create", "timerfd_settime", "timerfd_gettime", "socketpair", "bind", "connect",
    "listen", "accept", "accept4", "getsockname", "getpeername", "getsockopt", "setsockopt", "send",
    "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg", "shutdown",
    /* processes and signals */
    "fork", "vfork", "execve", "execveat", "exit", "exit_group", "wait4", "waitid", "waitpid", "kill",
    "tkill", "tgkill", "pidfd_open", "pidfd_send_signal", "getpid", "getppid", "gettid", "getpgrp",
    "getpgid", "setpgid", "getsid", "setsid", "getuid", "geteuid", "getgid", "getegid", "getresuid",
    "getresgid", "getgroups", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid",
    "setgroups", "setfsuid", "setfsgid", "capget", "capset", "prctl", "arch_prctl", "set_tid_address",
    "set_robust_list", "get_robust_list", "rseq", "futex", "futex_waitv", "futex_time64", "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigsuspend", "rt_sigtimedwait",
    "rt_sigqueueinfo", "rt_tgsigqueueinfo", "sigaltstack", "sigaction", "sigprocmask", "sigreturn",
    "alarm", "pause", "getitimer", "setitimer", "timer_create", "timer_settime", "timer_gettime",
    "timer_getoverrun", "timer_delete", "restart_syscall", "sched_yield", "sched_getaffinity",
    "sched_setaffinity", "sched_getparam", "sched_setparam", "sched_getscheduler", "sched_setscheduler",
    "sched_get_priority_max", "sched_get_priority_min", "sched_rr_get_interval", "sched_getattr",
    "getpriority", "setpriority", "getrlimit", "ugetrlimit", "setrlimit", "prlimit64", "getrusage",
    "times", "seccomp", "set_thread_area", "get_thread_area",
    /* time and the machine */
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday",
    "time", "getrandom", "uname", "sysinfo", "getcpu",
};
/* clang-format on */

/* Namespaces, which clone can make as well as unshare; clone3 hides its flags from a filter and is not
 * listed, and libraries fall back on clone. */
static const unsigned long long new_namespaces =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

static int allow_all(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        int number = seccomp_syscall_resolve_name(allowed[i]);
        if (number < 0) /* of another architecture, or newer than libseccomp */
            continue;
        int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* The calls whose arguments matter. */
static int allow_some(scmp_filter_ctx filter)
{
    int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                              SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, new_namespaces, 0));
    if (rc == 0)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                              SCMP_CMP64(0, SCMP_CMP_EQ, AF_UNIX, 0));
    if (rc == 0) /* others are told that it is forbidden rather than absent: the sentence a person reads is
                    better */
        rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1,
                              SCMP_CMP64(0, SCMP_CMP_NE, AF_UNIX, 0));
    /* No requests that type into a terminal or change a device.  The kernel ignores the number's upper half,
     * so the filter does too. */
    const unsigned requests[] = {TCGETS, TIOCGWINSZ, TIOCGPGRP, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX};
    for (size_t i = 0; rc == 0 && i < sizeof requests / sizeof requests[0]; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                              SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, 0xFFFFFFFFu, requests[i]));
    return rc;
}

static int build(scmp_filter_ctx filter, int fd)
{
    int rc = allow_all(filter);
    if (rc == 0)
        rc = allow_some(filter);
    /* A tree instead of some 200 comparisons before each call; an older libseccomp keeps the chain. */
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    return rc < 0 ? rc : seccomp_export_bpf(filter, fd);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static Str made;
static int made_error;

static void make(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int fd = memfd_create("filter", MFD_CLOEXEC);
    made_error = filter && fd >= 0 ? build(filter, fd) : -ENOMEM;
    char buf[4096];
    for (off_t at = 0; made_error == 0;) {
        ssize_t n = pread(fd, buf, sizeof buf, at);
        if (n < 0)
            made_error = -errno;
        if (n <= 0)
            break;
        str_add(&made, buf, (size_t)n);
        at += n;
    }
    if (fd >= 0)
        close(fd);
    seccomp_release(filter);
}

Status sandbox_filter(Span *program)
{
    pthread_once(&once, make);
    if (made_error || made.n == 0)
        return fail(ST_UNSUPPORTED, "the filter of system calls cannot be made: libseccomp says %s",
                    strerror(-made_error));
    *program = str_span(&made);
    return ST_OK;
}
