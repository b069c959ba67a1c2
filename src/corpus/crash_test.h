/* For tests of what a kill or a full disk leaves: the calls that change a file system are counted here, in
 * front of the C library's, and the one whose turn it is ends the process or fails.  Included by one file of
 * a test program. */
#ifndef CORPUS_CRASH_TEST_H
#define CORPUS_CRASH_TEST_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "corpus/scratch_test.h"

/* FULL: this call and all that follow get ENOSPC. */
typedef enum { CRASH_NEVER, CRASH_KILL, CRASH_FULL } CrashKind;
enum { CRASH_KILLED = 99 };
static CrashKind crash_kind;
static int crash_calls_left;

/* Whether this call is to fail. */
static bool crash_now(void)
{
    if (crash_kind == CRASH_NEVER || --crash_calls_left > 0)
        return false;
    if (crash_kind == CRASH_KILL)
        _exit(CRASH_KILLED);
    errno = ENOSPC;
    return true;
}

int rename(const char *from, const char *to)
{
    return crash_now() ? -1 : renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int link(const char *from, const char *to)
{
    return crash_now() ? -1 : linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int mkdir(const char *path, mode_t mode)
{
    return crash_now() ? -1 : mkdirat(AT_FDCWD, path, mode);
}

int fsync(int file)
{
    (void)file;
    return crash_now() ? -1 : 0; /* nothing here outlives the machine */
}

/* Removing works on a full disk. */
int unlink(const char *path)
{
    if (crash_kind == CRASH_KILL)
        (void)crash_now();
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    if (crash_kind == CRASH_KILL)
        (void)crash_now();
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

/* Runs work() in a process of its own in which call `at` (from 1) is struck.  True when it came to that. */
static bool crash_run(CrashKind kind, int at, Status (*work)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        crash_kind = kind;
        crash_calls_left = at;
        bool failed = work() != ST_OK;
        _exit(failed || crash_calls_left <= 0 ? CRASH_KILLED : 0);
    }
    int how;
    assert_true(waitpid(child, &how, 0) == child && WIFEXITED(how));
    assert_true(WEXITSTATUS(how) == 0 || WEXITSTATUS(how) == CRASH_KILLED);
    return WEXITSTATUS(how) == CRASH_KILLED;
}

/* That the folder holds just these, in order and with a blank behind each.  Without a shell: it is asked
 * often. */
static void crash_expect_entries(const char *name, const char *wanted)
{
    struct dirent **entries;
    Str found = {0};
    char *folder = scratch_path(name);
    int n = scandir(folder, &entries, NULL, alphasort);
    assert_true(n >= 2);
    for (int i = 0; i < n; i++) {
        if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
            str_addf(&found, "%s ", entries[i]->d_name);
        free(entries[i]);
    }
    assert_string_equal(str_c(&found), wanted);
    free(entries);
    str_drop(&found);
    mem_free(folder);
}

/* scratch_make where there is no disk to wait for, if there is such a place. */
static int crash_scratch_make(void **state)
{
    snprintf(scratch, sizeof scratch, "/dev/shm/lemur-test-XXXXXX");
    return mkdtemp(scratch) ? 0 : scratch_make(state);
}

static void crash_remove(const char *name)
{
    char *folder = scratch_path(name);
    assert_int_equal(folder_remove(folder), ST_OK);
    mem_free(folder);
}

#endif
