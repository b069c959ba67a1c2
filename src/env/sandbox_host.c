#include "env/sandbox_host.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

enum { NOBODY = 65534 }; /* nobody and nogroup, on every Linux distribution */

Status host_bwrap(char **path)
{
    const char *at = getenv("PATH");
    for (at = at ? at : "/usr/bin:/bin"; *at;) {
        size_t n = strcspn(at, ":");
        char *folder = mem_strn(at, n);
        char *file = path_join(folder, "bwrap");
        mem_free(folder);
        if (*file == '/' && access(file, X_OK) == 0) {
            *path = file;
            return ST_OK;
        }
        mem_free(file);
        at += n + (at[n] == ':');
    }
    return fail(ST_UNSUPPORTED, "no sandbox: bubblewrap (bwrap) is not in PATH; install it: "
                                "apt-get install bubblewrap");
}

Status host_user(SandboxUser *user, const char *work)
{
    *user = (SandboxUser){.become = geteuid() == 0, .uid = geteuid(), .gid = getegid()};
    if (!user->become)
        return ST_OK;
    *user = (SandboxUser){true, NOBODY, NOBODY};
    struct stat s;
    if (!work)
        return ST_OK;
    if (stat(work, &s) < 0)
        return fail_errno(ST_ARG, "the sandbox's work folder %s", work);
    if (s.st_uid == 0)
        return fail(
            ST_ARG,
            "the sandbox's work folder %s belongs to root, whom no sandboxed program may be: give it to "
            "another user (chown -R nobody %s), or run this as an ordinary user",
            work, work);
    user->uid = s.st_uid;
    user->gid = s.st_gid ? s.st_gid : NOBODY;
    return ST_OK;
}

void host_reopen(const char *folder)
{
    struct stat s;
    if (stat(folder, &s) == 0 && (s.st_mode & 0700) != 0700)
        (void)!chmod(folder, (s.st_mode & 07777) | 0700);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int dumpable_before;

static void remember(void)
{
    dumpable_before = prctl(PR_GET_DUMPABLE);
}

void host_remember(void)
{
    pthread_once(&once, remember);
}

void host_restore(void)
{
    prctl(PR_SET_DUMPABLE, dumpable_before);
}

/* Not seteuid, with which the C library changes all threads. */
static void act_as(const SandboxUser *user, uid_t uid)
{
    if (!user->become)
        return;
    host_remember();
    syscall(SYS_setresuid, -1, uid, -1);
    host_restore();
}

void host_act_as(const SandboxUser *user)
{
    act_as(user, user->uid);
}

void host_act_as_before(const SandboxUser *user)
{
    act_as(user, 0);
}

/* The number in a file of /proc/sys, or `absent`. */
static long setting(const char *path, long absent)
{
    Str text = {0};
    long value = file_read(&text, path, 64) == ST_OK && text.n ? strtol(text.at, NULL, 10) : absent;
    str_drop(&text);
    return value;
}

/* What forbids user namespaces, most particular first. */
static const char *namespaces_forbidden(void)
{
    if (setting("/proc/sys/user/max_user_namespaces", 1) == 0)
        return "this host allows no user namespaces: sysctl -w user.max_user_namespaces=10000 (as root)";
    if (setting("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0)
        return "this host allows user namespaces to root only: sysctl -w kernel.unprivileged_userns_clone=1 "
               "(as root)";
    if (setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) != 0)
        return "AppArmor keeps user namespaces from programs without a profile: "
               "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (as root), or give bwrap a profile";
    return "user namespaces are forbidden here, as in most containers: start the container with "
           "--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt "
           "systempaths=unconfined "
           "(Docker, Podman), or run on the host itself";
}

Status host_explain(Span words)
{
    words = span_trim(words);
    if (span_starts(words, "bwrap: "))
        words = (Span){words.at + 7, words.n - 7};
    char *said = mem_strn(words.at ? words.at : "", words.n);
    const char *why = NULL;
    if (strstr(said, "namespace") || strstr(said, "uid map") || strstr(said, "gid map"))
        why = namespaces_forbidden();
    else if (strstr(said, "proc on"))
        why = "a container that hides parts of /proc allows no second one: start it with "
              "--security-opt systempaths=unconfined (Docker, Podman), or run on the host itself";
    else if (strstr(said, "nknown option"))
        why = "this bubblewrap is too old: 0.8.0 or newer is wanted (Debian 12 has it)";
    const char *program = "execvp ";
    bool absent = span_starts(words, program);
    Status st = absent ? fail(ST_ARG,
                                "the sandbox cannot run %s; it sees this machine's /usr: is it installed there?",
                                said + strlen(program))
                : why  ? fail(ST_UNSUPPORTED, "no sandbox: %s (bwrap: %s)", why, said)
                       : fail(ST_UNSUPPORTED, "no sandbox: bwrap: %s", *said ? said : "ended without a word");
    mem_free(said);
    return st;
}
