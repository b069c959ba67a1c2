/* What attackers and clumsy models do, as programs that sandbox_test runs inside: it starts itself with an
 * attack's name. One that tries walls prints a line for each that gave way and returns how many did. */
#ifndef ENV_SANDBOX_ATTACKS_TEST_H
#define ENV_SANDBOX_ATTACKS_TEST_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int gave_way;

/* A call that must fail. */
static inline void refused(const char *what, long result)
{
    if (result < 0)
        return;
    printf("%s succeeded\n", what);
    gave_way++;
}

static inline void is(const char *what, int holds)
{
    if (holds)
        return;
    printf("not so: %s\n", what);
    gave_way++;
}

static inline int attack_forks(void)
{
    while (fork() >= -1)
        ;
    return 0;
}

/* how: "private", "shared" memory, or "spread" over processes. */
static inline int attack_memory(const char *how)
{
    for (int i = 0; i < 8 && strcmp(how, "spread") == 0; i++)
        if (fork() == 0)
            break;
    size_t piece = 4 << 20;
    int kind = strcmp(how, "shared") == 0 ? MAP_SHARED : MAP_PRIVATE;
    for (int i = 0; i < 1 << 20; i++) {
        char *p = mmap(NULL, piece, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
        if (p != MAP_FAILED)
            memset(p, 1, piece);
    }
    return 0;
}

/* Fills a folder and stays. */
static inline int attack_disk(const char *folder)
{
    static char block[1 << 20];
    memset(block, 1, sizeof block);
    for (int i = 0; i < 1 << 30; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%d", folder, i);
        int fd = open(path, O_CREAT | O_WRONLY, 0600);
        if (fd < 0 || write(fd, block, sizeof block) < (ssize_t)sizeof block)
            pause();
        close(fd);
    }
    return 0;
}

static inline int attack_one_file(void)
{
    static char block[1 << 20];
    int fd = open("big", O_CREAT | O_WRONLY, 0600);
    while (write(fd, block, sizeof block) > 0)
        ;
    return 0;
}

static inline int attack_files(void)
{
    for (int i = 0; i < 1 << 30; i++) {
        char path[64];
        snprintf(path, sizeof path, "/tmp/%d", i);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    return 0;
}

static inline int attack_output(void)
{
    static char block[65536];
    memset(block, 'x', sizeof block);
    for (;;)
        if (write(1, block, sizeof block) < 0)
            return 1;
}

/* Detached twice, deaf to signals, with stdout kept open. */
static inline int attack_daemon(void)
{
    if (fork() == 0) {
        setsid();
        for (int sig = 1; sig < 32; sig++)
            signal(sig, SIG_IGN);
        if (fork() == 0)
            for (;;)
                sleep(1);
        _exit(0);
    }
    usleep(20000);
    puts("left");
    return 5;
}

static inline int attack_signals(const char *host_pid)
{
    kill(getppid(), SIGKILL);
    kill(getppid(), SIGSTOP);
    kill(1, SIGKILL);
    kill(1, SIGTERM);
    refused("a signal to a process of the host", kill(atoi(host_pid), SIGKILL));
    kill(-1, SIGKILL);
    is("process 1 is there", kill(1, 0) == 0);
    return gave_way;
}

static inline int attack_files_of_host(const char *secret)
{
    char path[256];
    refused("reading a host file", open(secret, O_RDONLY));
    refused("/etc/shadow", open("/etc/shadow", O_RDONLY));
    refused("/etc/passwd", open("/etc/passwd", O_RDONLY));
    refused("/root", open("/root", O_RDONLY));
    refused("/home", open("/home", O_RDONLY));
    refused("/var", open("/var", O_RDONLY));
    refused("/sys", open("/sys", O_RDONLY));
    refused("/run", open("/run", O_RDONLY));
    is("a link", symlink(secret, "link") == 0 && symlink("/", "/tmp/top") == 0);
    refused("through a link", open("link", O_RDONLY));
    snprintf(path, sizeof path, "/tmp/top%s", secret);
    refused("through a link to /", open(path, O_RDONLY));
    snprintf(path, sizeof path, "/proc/1/root%s", secret);
    refused("through /proc/1/root", open(path, O_RDONLY));
    snprintf(path, sizeof path, "/proc/self/root/../../..%s", secret);
    refused("through /proc/self/root", open(path, O_RDONLY));
    snprintf(path, sizeof path, "/proc/1/cwd/../../../..%s", secret);
    refused("through /proc/1/cwd", open(path, O_RDONLY));
    /* Process 1 may be written to, and has nothing that this one has not. */
    char status[4096] = "";
    /* It takes its filter after it has forked the program, which may be faster. */
    for (int tries = 0; tries < 200 && !strstr(status, "Seccomp:\t2"); tries++) {
        int file = open("/proc/1/status", O_RDONLY);
        memset(status, 0, sizeof status);
        is("process 1 tells its status", read(file, status, sizeof status - 1) > 0);
        close(file);
        usleep(5000);
    }
    is("process 1 is filtered", strstr(status, "Seccomp:\t2") != NULL);
    is("process 1 has no capabilities", strstr(status, "CapPrm:\t0000000000000000") != NULL);
    refused("/proc/kcore", open("/proc/kcore", O_RDONLY));
    refused("/proc/sysrq-trigger", open("/proc/sysrq-trigger", O_WRONLY));
    refused("a kernel setting", open("/proc/sys/kernel/core_pattern", O_WRONLY));
    refused("a map of users", open("/proc/self/uid_map", O_WRONLY) >= 0 &&
                                      write(open("/proc/self/uid_map", O_WRONLY), "0 0 1", 5) == 5
                                  ? 0
                                  : -1);
    refused("chroot", chroot("/tmp"));
    refused("a device", mknod("/tmp/sda", S_IFBLK | 0600, (8 << 8)));
    refused("open_by_handle_at", syscall(SYS_open_by_handle_at, 3, NULL, 0));
    int others = 0;
    DIR *d = opendir("/proc");
    for (struct dirent *e; d && (e = readdir(d));)
        others += e->d_name[0] >= '1' && e->d_name[0] <= '9';
    is("only this and process 1 are seen", others == 2);
    return gave_way;
}

static inline int attack_runtime(void)
{
    refused("a file in /usr/bin", open("/usr/bin/mine", O_CREAT | O_WRONLY, 0600));
    refused("writing the shell", open("/bin/sh", O_WRONLY));
    refused("a file in /", open("/mine", O_CREAT | O_WRONLY, 0600));
    refused("a folder in /", mkdir("/mine", 0700));
    refused("a file in /etc", open("/etc/mine", O_CREAT | O_WRONLY, 0600));
    refused("a file in /dev", open("/dev/mine", O_CREAT | O_WRONLY, 0600));
    refused("removing /usr/bin/env", unlink("/usr/bin/env"));
    refused("chmod of /usr", chmod("/usr", 0777));
    refused("renaming /usr", rename("/usr", "/tmp/usr"));
    refused("renaming /work", rename("/work", "/tmp/work"));
    return gave_way;
}

static inline int attack_network(const char *abstract)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr = {htonl(0x08080808)}};
    int s = socket(AF_INET, SOCK_STREAM, 0);
    is("forbidden by name", s < 0 && errno == EACCES);
    refused("connect", connect(s, (struct sockaddr *)&to, sizeof to));
    const int families[] = {AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_VSOCK, AF_ALG, AF_BLUETOOTH, AF_KEY};
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        char what[32];
        snprintf(what, sizeof what, "family %d", families[i]);
        refused(what, socket(families[i], SOCK_DGRAM, 0));
        refused(what, socket(families[i], SOCK_RAW, 0));
    }
    /* Abstract names belong to a network, and the host's is another. */
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strncpy(name.sun_path + 1, abstract, sizeof name.sun_path - 2);
    s = socket(AF_UNIX, SOCK_STREAM, 0);
    is("a local socket", s >= 0);
    refused("a host's abstract socket",
            connect(s, (struct sockaddr *)&name,
                    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(abstract))));
    int pair[2];
    is("a pair of sockets", socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    return gave_way;
}

static inline int after_fork(int result) /* of a clone that should have failed; the child must not go on */
{
    if (result == 0)
        _exit(0);
    return result;
}

static inline int attack_privileges(void)
{
    char page[64];
    struct statvfs usr;
    is("no root", getuid() != 0 && geteuid() != 0);
    refused("setuid", setuid(0));
    refused("setresuid", setresuid(0, 0, 0));
    is("/usr gives no privileges",
       statvfs("/usr", &usr) == 0 && (usr.f_flag & ST_NOSUID) && (usr.f_flag & ST_RDONLY));
    int status = 0, out[2];
    is("a pipe", pipe(out) == 0);
    if (fork() == 0) { /* what a setuid program may do: its effective user would be root */
        dup2(out[1], 1);
        execl("/bin/sh", "sh", "-c", "grep -h NoNewPrivs /proc/self/status; su -c id", NULL);
        _exit(1);
    }
    close(out[1]);
    ssize_t n = read(out[0], page, sizeof page - 1);
    page[n > 0 ? n : 0] = 0;
    wait(&status);
    is("no new privileges", strstr(page, "1") != NULL);
    is("su fails", WIFEXITED(status) && WEXITSTATUS(status) != 0);
    refused("unshare of users", unshare(CLONE_NEWUSER));
    refused("unshare of mounts", unshare(CLONE_NEWNS));
    refused("a clone with users", after_fork((int)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)));
    struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    refused("clone3", after_fork((int)syscall(SYS_clone3, &args, sizeof args)));
    refused("setns", setns(open("/proc/1/ns/user", O_RDONLY), 0));
    refused("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
    refused("remount", mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL));
    refused("umount", umount2("/usr", MNT_DETACH));
    refused("pivot_root", syscall(SYS_pivot_root, "/tmp", "/tmp"));
    refused("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
    refused("ptrace of itself", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
    refused("ptrace of process 1", ptrace(PTRACE_ATTACH, 1, NULL, NULL));
    refused("process_vm_readv", syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0));
    refused("pidfd_getfd", syscall(SYS_pidfd_getfd, (int)syscall(SYS_pidfd_open, 1, 0), 0, 0));
    refused("bpf", syscall(SYS_bpf, 0, page, sizeof page));
    refused("io_uring", syscall(SYS_io_uring_setup, 1, (char[256]){0}));
    refused("perf", syscall(SYS_perf_event_open, (char[256]){0}, 0, -1, -1, 0));
    refused("userfaultfd", syscall(SYS_userfaultfd, 0));
    refused("keyctl", syscall(SYS_keyctl, 0, -3, 1));
    refused("add_key", syscall(SYS_add_key, "user", "x", "y", 1, -3));
    refused("memfd_create", syscall(SYS_memfd_create, "x", 0));
    refused("shmget", syscall(SYS_shmget, 0, 4096, 01600));
    refused("reboot", syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL));
    refused("swapoff", syscall(SYS_swapoff, "/x"));
    refused("the clock", syscall(SYS_clock_settime, 0, (struct timespec[1]){{0, 0}}));
    refused("the host's name", sethostname("x", 1));
    refused("typing into a terminal", ioctl(0, TIOCSTI, "x"));
    is("that call is filtered", errno == ENOSYS);
    refused("typing, with a long number", syscall(SYS_ioctl, 0, 0x100000000ul | TIOCSTI, "x"));
    is("that call is filtered too", errno == ENOSYS);
    return gave_way;
}

static inline int attack_belongings(void)
{
    extern char **environ;
    int fds = 0, variables = 0;
    DIR *d = opendir("/proc/self/fd");
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(d)) {
            fds++;
            is("standard descriptors alone", atoi(e->d_name) <= 2);
        }
    is("three of them", fds == 3);
    for (char **e = environ; *e; e++)
        variables += strncmp(*e, "PWD=", 4) != 0; /* bwrap's */
    is("PATH HOME TMPDIR LANG USER OMP_NUM_THREADS alone", variables == 6);
    is("nothing of the caller's environment", !getenv("LEMUR_TEST_SECRET"));
    char line[4096] = "";
    int fd = open("/proc/1/cmdline", O_RDONLY);
    ssize_t n = read(fd, line, sizeof line - 1);
    is("bwrap's command line tells nothing", n > 0 && n < 400);
    fd = open("/proc/1/environ", O_RDONLY);
    is("nor its environment", fd < 0 || read(fd, line, sizeof line) <= 0);
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    is("signals as usual", !sigismember(&mask, SIGINT) && signal(SIGPIPE, SIG_DFL) == SIG_DFL);
    return gave_way;
}

/* The exit status; 99: there is no such attack. */
static inline int attack(const char *name, const char *argument)
{
    static const struct {
        const char *name;
        int (*plain)(void);
        int (*with)(const char *);
    } all[] = {
        {"forks", attack_forks, NULL},
        {"memory", NULL, attack_memory},
        {"disk", NULL, attack_disk},
        {"one file", attack_one_file, NULL},
        {"files", attack_files, NULL},
        {"output", attack_output, NULL},
        {"daemon", attack_daemon, NULL},
        {"signals", NULL, attack_signals},
        {"host files", NULL, attack_files_of_host},
        {"runtime", attack_runtime, NULL},
        {"network", NULL, attack_network},
        {"privileges", attack_privileges, NULL},
        {"belongings", attack_belongings, NULL},
    };
    if (strcmp(name, "nothing") == 0)
        return 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(name, all[i].name) == 0) {
            int status = all[i].plain ? all[i].plain() : all[i].with(argument);
            fflush(stdout);
            return status;
        }
    return 99;
}

#endif
