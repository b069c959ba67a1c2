#include "env/sandbox_view.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

/* Never root, and not a user of the host either. */
#define INSIDE_USER "1000"

static void word(Str *options, const char *text)
{
    str_add(options, text, strlen(text) + 1);
}

static void words(Str *options, const char *a, const char *b, const char *c)
{
    word(options, a);
    word(options, b);
    if (c)
        word(options, c);
}

static void number(Str *options, const char *option, int64_t value)
{
    word(options, option);
    str_addf(options, "%lld", (long long)value);
    str_addc(options, 0);
}

static const char *const tops[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
/* The linker's cache, Debian's choices among equal programs, and the local time. */
static const char *const etc[] = {"/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime"};

/* /bin and the like are links into /usr where the host has them so, else folders of their own. */
static void runtime(Str *options)
{
    words(options, "--ro-bind", "/usr", "/usr");
    for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
        char target[64];
        ssize_t n = readlink(tops[i], target, sizeof target - 1);
        if (n > 0) {
            target[n] = 0;
            words(options, "--symlink", target, tops[i]);
        } else {
            words(options, "--ro-bind-try", tops[i], tops[i]);
        }
    }
    words(options, "--perms", "0755", NULL);
    words(options, "--dir", "/etc", NULL);
    for (size_t i = 0; i < sizeof etc / sizeof etc[0]; i++)
        words(options, "--ro-bind-try", etc[i], etc[i]);
}

const char *const sandbox_root_names[] = {"usr", "etc",   "dev",   "proc",   "bin", "sbin",
                                          "lib", "lib32", "lib64", "libx32", NULL};

static Status make_place(const char *root, const char *like)
{
    char *path = path_join(root, like + 1);
    Status st = ST_OK;
    if (path_is_folder(like)) {
        st = folder_make(path);
    } else if (path_exists(like)) {
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        st = fd < 0 ? fail_errno(ST_IO, "cannot make %s", path) : ST_OK;
        if (fd >= 0)
            close(fd);
    }
    mem_free(path);
    return st;
}

Status sandbox_root_prepare(const char *root)
{
    static const char *const more[] = {"/usr", "/dev", "/proc", "/etc"};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        TRY(make_place(root, more[i]));
    for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++)
        TRY(make_place(root, tops[i]));
    for (size_t i = 0; i < sizeof etc / sizeof etc[0]; i++)
        TRY(make_place(root, etc[i]));
    return ST_OK;
}

/* The folder is /.  All that programs need is mounted, and not a link in the folder: a command that moved it
 * away would leave the next one without, or lead its mounts elsewhere. */
static void rooted(Str *options, const char *root)
{
    char *own_etc = path_join(root, "etc");
    words(options, "--bind", root, "/");
    words(options, "--ro-bind", "/usr", "/usr");
    for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++)
        words(options, "--ro-bind-try", tops[i], tops[i]);
    words(options, "--ro-bind", own_etc, "/etc");
    for (size_t i = 0; i < sizeof etc / sizeof etc[0]; i++)
        words(options, "--ro-bind-try", etc[i], etc[i]);
    mem_free(own_etc);
}

/* Not bwrap's own --dev: it is writable without bound, and its terminals are not wanted. */
static void devices(Str *options, bool mounted)
{
    static const char *const bound[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
    words(options, "--perms", "0755", NULL);
    words(options, mounted ? "--tmpfs" : "--dir", "/dev", NULL);
    for (size_t i = 0; i < sizeof bound / sizeof bound[0]; i++)
        words(options, "--dev-bind", bound[i], bound[i]);
    words(options, "--symlink", "/proc/self/fd", "/dev/fd");
    words(options, "--symlink", "/proc/self/fd/0", "/dev/stdin");
    words(options, "--symlink", "/proc/self/fd/1", "/dev/stdout");
    words(options, "--symlink", "/proc/self/fd/2", "/dev/stderr");
}

static void folder(Str *options, const char *path, int64_t bytes, const char *mode)
{
    words(options, "--perms", mode, NULL);
    number(options, "--size", bytes);
    words(options, "--tmpfs", path, NULL);
}

static void environment(Str *options, const char *const *env)
{
    /* One thread for a library's loops: many sandboxes run at once, and a large machine has too many. */
    static const char *const always[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
                                         "HOME=/work",
                                         "TMPDIR=/tmp",
                                         "LANG=C.UTF-8",
                                         "USER=sandbox",
                                         "OMP_NUM_THREADS=1",
                                         NULL};
    const char *const *lists[] = {always, env};
    word(options, "--clearenv");
    for (int l = 0; l < 2; l++)
        for (const char *const *e = lists[l]; e && *e; e++) {
            size_t name = strcspn(*e, "=");
            word(options, "--setenv");
            str_add(options, *e, name);
            str_addc(options, 0);
            word(options, *e + name + 1);
        }
}

void view_options(Str *options, const SandboxSpec *spec)
{
    static const char *const walls[] = {"--unshare-user",    "--unshare-pid", "--unshare-net",
                                        "--unshare-ipc",     "--unshare-uts", "--unshare-cgroup-try",
                                        "--die-with-parent", "--new-session"};
    for (size_t i = 0; i < sizeof walls / sizeof walls[0]; i++)
        word(options, walls[i]);
    words(options, "--uid", INSIDE_USER, NULL);
    words(options, "--gid", INSIDE_USER, NULL);
    words(options, "--hostname", "sandbox", NULL);
    number(options, "--seccomp", VIEW_FD_FILTER);
    number(options, "--json-status-fd", VIEW_FD_STATUS);
    number(options, "--block-fd", VIEW_FD_BLOCK);
    number(options, "--sync-fd", VIEW_FD_HOLD);
    if (spec->root)
        rooted(options, spec->root);
    else
        runtime(options);
    devices(options, spec->root != NULL);
    words(options, "--proc", "/proc", NULL);
    if (!spec->root)
        folder(options, "/tmp", spec->limits.disk_bytes, "1777");
    folder(options, "/dev/shm", spec->limits.disk_bytes, "1777");
    if (spec->work)
        words(options, "--bind", spec->work, "/work");
    else if (!spec->root)
        folder(options, "/work", spec->limits.disk_bytes, "0755");
    if (spec->work && spec->place)
        words(options, "--bind", spec->work, spec->place);
    for (const char *const *p = spec->read_only; p && *p; p++)
        words(options, "--ro-bind", *p, *p);
    /* Last: the root itself (or /dev in one that is given) is memory without bound until here. */
    words(options, "--remount-ro", spec->root ? "/dev" : "/", NULL);
    words(options, "--chdir", spec->root ? "/" : spec->work && spec->place ? spec->place : "/work", NULL);
    environment(options, spec->env);
}

const char **view_command(const SandboxSpec *spec)
{
    size_t n = 0;
    while (spec->argv[n])
        n++;
    const char **command = mem_array(const char *, n + 5);
    static const char *const front[] = {"bwrap", "--args", "3", "--"};
    _Static_assert(VIEW_FD_ARGS == 3, "the command line says so");
    memcpy(command, front, sizeof front);
    memcpy(command + 4, spec->argv, n * sizeof *command);
    return command;
}

Status view_check(const SandboxSpec *spec)
{
    const SandboxLimits *l = &spec->limits;
    if (!spec->argv || !spec->argv[0] || !*spec->argv[0])
        return fail(ST_ARG, "no program is named for the sandbox");
    for (const char *const *e = spec->env; e && *e; e++)
        if (strcspn(*e, "=") == 0 || !strchr(*e, '='))
            return fail(ST_ARG, "\"%s\" is no NAME=value for the sandbox's environment", *e);
    for (const char *const *p = spec->read_only; p && *p; p++)
        if (**p != '/' || !path_exists(*p))
            return fail(ST_ARG,
                        "%s, to be shown in the sandbox, is no absolute path of something that exists", *p);
    if (spec->work && !path_is_folder(spec->work))
        return fail(ST_ARG, "the sandbox's work folder %s is no folder", spec->work);
    if (spec->root && (spec->work || spec->root[0] != '/' || !path_is_folder(spec->root)))
        return fail(ST_ARG, "the sandbox's root %s is no absolute folder, or /work is given beside it",
                    spec->root);
    if (spec->place &&
        (spec->place[0] != '/' || strncmp(spec->place, "/usr/", 5) == 0 || strstr(spec->place, "/..")))
        return fail(ST_ARG, "the work folder cannot be shown at %s in the sandbox", spec->place);
    if (l->memory_bytes <= 0 || l->disk_bytes <= 0 || l->file_bytes <= 0 || l->output_bytes <= 0 ||
        l->processes <= 0 || !(l->cpu_seconds > 0) || !(l->wall_seconds > 0))
        return fail(ST_ARG, "every limit of a sandbox must be above 0; sandbox_limits() gives them");
    if (l->processes > VIEW_PROCESSES_MAX)
        return fail(ST_ARG, "a sandbox has %d processes at most", VIEW_PROCESSES_MAX);
    return ST_OK;
}
