#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/array.h"
#include "base/check.h"
#include "base/mem.h"

Status file_read(Str *out, const char *path, size_t limit)
{
    Status st = ST_OK;
    FILE *f = fopen(path, "rb");
    if (!f)
        return fail_errno(ST_IO, "cannot open %s", path);
    size_t start = out->n;
    struct stat info;
    bool known = !fstat(fileno(f), &info) && S_ISREG(info.st_mode) && info.st_size > 0;
    if (known && (!limit || (size_t)info.st_size <= limit))
        str_reserve(out, (size_t)info.st_size + 2); /* all, and room to see the end */
    for (;;) {
        str_reserve(out, known ? 2 : 1 << 16);
        size_t got = fread(out->at + out->n, 1, out->cap - out->n - 1, f);
        out->n += got;
        out->at[out->n] = 0;
        if (limit && out->n - start > limit) {
            st = fail(ST_LIMIT, "%s is larger than the %zu bytes allowed here", path, limit);
            break;
        }
        if (got == 0) {
            if (ferror(f))
                st = fail_errno(ST_IO, "cannot read %s", path);
            break;
        }
    }
    fclose(f);
    return st;
}

Status file_map(FileMap *out, const char *path)
{
    *out = (FileMap){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(ST_IO, "cannot open %s", path);
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return fail(ST_IO, "%s is not a regular file", path);
    }
    const void *at = ""; /* of an empty file: a place to count bytes from */
    if (info.st_size > 0)
        at = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (at == MAP_FAILED)
        return fail_errno(ST_IO, "cannot map %s", path);
    *out = (FileMap){.at = at, .n = (size_t)info.st_size};
    return ST_OK;
}

void file_unmap(FileMap *m)
{
    if (m->n)
        munmap((void *)(uintptr_t)m->at, m->n);
    *m = (FileMap){0};
}

/* A rename would put a file where /dev/null or a pipe stood, for everybody. */
static Status check_replaceable(const char *path)
{
    struct stat now;
    if (stat(path, &now) != 0 || S_ISREG(now.st_mode) || S_ISDIR(now.st_mode))
        return ST_OK; /* of a folder the rename itself says what is wrong */
    return fail(ST_IO, "cannot write %s: it is a device or a pipe, and no file that could be replaced", path);
}

Status file_begin(FileWriter *w, const char *path)
{
    *w = (FileWriter){0};
    TRY(check_replaceable(path));
    *w = (FileWriter){.path = mem_str(path), .temporary = mem_format("%s.tmp-%d", path, (int)getpid())};
    w->f = fopen(w->temporary, "wb");
    if (w->f)
        return ST_OK;
    Status st = fail_errno(ST_IO, "cannot write %s", path);
    file_abandon(w);
    return st;
}

Status file_write(FileWriter *w, const void *bytes, size_t n)
{
    if (n && fwrite(bytes, 1, n, w->f) != n)
        return fail_errno(ST_IO, "cannot write %s", w->path);
    return ST_OK;
}

/* The folder that a path lies in; caller frees. */
static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? mem_strn(path, slash == path ? 1 : (size_t)(slash - path)) : mem_str(".");
}

static Status parent_sync(const char *path)
{
    char *folder = parent_of(path);
    Status st = folder_sync(folder);
    mem_free(folder);
    return st;
}

Status file_make_folder(const char *path)
{
    char *folder = parent_of(path);
    Status st = folder_make(folder);
    mem_free(folder);
    return st;
}

Status file_commit(FileWriter *w)
{
    Status st = ST_OK;
    if (fflush(w->f) != 0 || fsync(fileno(w->f)) != 0)
        st = fail_errno(ST_IO, "cannot write %s", w->path);
    if (fclose(w->f) != 0 && st == ST_OK)
        st = fail_errno(ST_IO, "cannot write %s", w->path);
    w->f = NULL;
    if (st == ST_OK && rename(w->temporary, w->path) != 0)
        st = fail_errno(ST_IO, "cannot replace %s", w->path);
    if (st == ST_OK) {
        st = parent_sync(w->path);
        mem_free(w->temporary);
        w->temporary = NULL;
    }
    file_abandon(w);
    return st;
}

void file_abandon(FileWriter *w)
{
    if (w->f)
        fclose(w->f);
    if (w->temporary)
        unlink(w->temporary);
    mem_free(w->temporary);
    mem_free(w->path);
    *w = (FileWriter){0};
}

bool file_is_left_over(const char *name, size_t *n)
{
    char *end;
    const char *mark = strstr(name, ".tmp-"), *digits = mark ? mark + strlen(".tmp-") : "";
    if (!mark || *digits < '0' || *digits > '9')
        return false;
    long pid = strtol(digits, &end, 10);
    *n = (size_t)(mark - name);
    return !*end && pid > 0 && pid <= INT_MAX &&
           (pid == getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH));
}

void file_sweep(const char *path)
{
    FolderList names;
    char *folder = parent_of(path);
    const char *base = path_base(path);
    if (folder_list(&names, folder) != ST_OK) {
        (void)error_take(); /* who writes there says what is wrong */
        mem_free(folder);
        return;
    }
    for (size_t i = 0; i < names.n; i++) {
        size_t n;
        char *left = path_join(folder, names.at[i]);
        if (file_is_left_over(names.at[i], &n) && n == strlen(base) && memcmp(names.at[i], base, n) == 0)
            unlink(left);
        mem_free(left);
    }
    folder_list_drop(&names);
    mem_free(folder);
}

Status file_replace(const char *path, const void *bytes, size_t n)
{
    FileWriter w;
    TRY(file_begin(&w, path));
    Status st = file_write(&w, bytes, n);
    if (st == ST_OK)
        return file_commit(&w);
    file_abandon(&w);
    return st;
}

static Status put_link(const char *link, const char *target)
{
    char *temporary = mem_format("%s.tmp-%d", link, (int)getpid());
    unlink(temporary);
    Status st = symlink(target, temporary) == 0 && rename(temporary, link) == 0
                    ? ST_OK
                    : fail_errno(ST_IO, "cannot make the link %s", link);
    unlink(temporary);
    mem_free(temporary);
    return st;
}

Status link_possible(const char *link)
{
    struct stat now;
    if (lstat(link, &now) == 0 && !S_ISLNK(now.st_mode))
        return fail(ST_ARG, "%s is in the way: it is no link; move it elsewhere, or choose another folder",
                    link);
    return ST_OK;
}

Status link_replace(const char *link, const char *target)
{
    TRY(link_possible(link));
    char *real = realpath(target, NULL), *old = realpath(link, NULL);
    Status st = ST_OK;
    if (!real)
        st = fail_errno(ST_IO, "cannot find %s", target);
    else if (!old || strcmp(old, real) != 0)
        st = put_link(link, real);
    free(real);
    free(old);
    return st;
}

static bool lock_or_close(int *fd, int how)
{
    if (flock(*fd, how | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return true;
    close(*fd);
    *fd = -1;
    return false;
}

static Status lock_file(int *fd, const char *path, int how)
{
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*fd < 0)
        return fail_errno(ST_IO, "cannot write %s", path);
    return lock_or_close(fd, how) ? ST_OK : fail(ST_LIMIT, "another process has %s", path);
}

Status file_lock(int *fd, const char *path)
{
    return lock_file(fd, path, LOCK_EX);
}

Status file_lock_shared(int *fd, const char *path)
{
    return lock_file(fd, path, LOCK_SH);
}

void file_unlock(int fd)
{
    flock(fd, LOCK_UN);
    close(fd);
}

Status folder_lock(int *fd, const char *path)
{
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return fail_errno(ST_IO, "cannot open folder %s", path);
    return lock_or_close(fd, LOCK_EX)
               ? ST_OK
               : fail(ST_ARG, "another process writes to %s; wait for it, stop it, or choose another folder",
                      path);
}

Status folder_make(const char *path)
{
    char *p = mem_str(path);
    Status st = ST_OK;
    for (char *slash = p + 1; st == ST_OK && *p; slash++) {
        slash = strchr(slash, '/');
        if (slash)
            *slash = 0;
        if (mkdir(p, 0777) != 0 && !(errno == EEXIST && path_is_folder(p)))
            st = fail_errno(ST_IO, "cannot make folder %s", p);
        if (!slash)
            break;
        *slash = '/';
    }
    mem_free(p);
    return st;
}

Status folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(ST_IO, "cannot open folder %s", path);
    int bad = fsync(fd);
    int err = errno;
    close(fd);
    errno = err;
    /* Some file systems cannot sync a folder and say EINVAL: the rename itself has happened. */
    if (bad && err != EINVAL)
        return fail_errno(ST_IO, "cannot sync folder %s", path);
    return ST_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

Status folder_list(FolderList *out, const char *path)
{
    DIR *d = opendir(path);
    if (!d)
        return fail_errno(ST_IO, "cannot open folder %s", path);
    *out = (FolderList){0};
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            array_push(out, mem_str(e->d_name));
    closedir(d);
    if (out->n)
        qsort(out->at, out->n, sizeof *out->at, by_name);
    return ST_OK;
}

void folder_list_drop(FolderList *l)
{
    for (size_t i = 0; i < l->n; i++)
        mem_free(l->at[i]);
    array_drop(l);
}

/* Its owner may have locked himself out of a folder that he made. */
static Status remove_entries(const char *path, mode_t mode)
{
    FolderList names;
    if ((mode & 0700) != 0700)
        (void)!chmod(path, 0700); /* what cannot be listed then is told */
    TRY(folder_list(&names, path));
    Status st = ST_OK;
    for (size_t i = 0; i < names.n && st == ST_OK; i++) {
        char *inner = path_join(path, names.at[i]);
        st = folder_remove(inner);
        mem_free(inner);
    }
    folder_list_drop(&names);
    return st;
}

Status folder_remove(const char *path)
{
    struct stat info;
    if (lstat(path, &info) != 0)
        return errno == ENOENT ? ST_OK : fail_errno(ST_IO, "cannot look at %s", path);
    if (S_ISDIR(info.st_mode)) {
        TRY(remove_entries(path, info.st_mode));
        if (rmdir(path) != 0)
            return fail_errno(ST_IO, "cannot remove folder %s", path);
    } else if (unlink(path) != 0) {
        return fail_errno(ST_IO, "cannot remove %s", path);
    }
    return ST_OK;
}

bool path_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

bool folder_holds(const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    bool is = path_exists(path);
    mem_free(path);
    return is;
}

bool path_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool path_same(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int64_t file_size(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (int64_t)info.st_size : -1;
}

char *path_join(const char *folder, const char *name)
{
    size_t n = strlen(folder);
    return mem_format("%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name);
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int64_t disk_free(const char *folder)
{
    struct statvfs v;
    return statvfs(folder, &v) == 0 ? (int64_t)v.f_bavail * (int64_t)v.f_frsize : -1;
}
