#include "eval/fetch_part.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"

static void read_note(FetchPart *p)
{
    json_t *note = NULL;
    if (!path_exists(p->paths.note) || json_file_read(&note, p->paths.note) != ST_OK)
        return;
    const char *url = json_string_value(json_object_get(note, "url")),
               *validator = json_string_value(json_object_get(note, "validator"));
    if (url && validator && strcmp(url, p->paths.url) == 0 && !strpbrk(validator, "\r\n"))
        str_adds(&p->validator, validator);
    json_decref(note);
}

Status fetch_part_note(FetchPart *p)
{
    json_t *note = json_pack("{s:s, s:s}", "url", p->paths.url, "validator", str_c(&p->validator));
    Status st = note ? json_file_write(p->paths.note, note) : ST_OK; /* no UTF-8: a tag that is no use */
    json_decref(note);
    return st;
}

/* Locked, and still the file of that name: another process may have finished it in between. */
static bool is_ours(int fd, const char *path)
{
    struct stat opened, named;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &opened) == 0 && lstat(path, &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

Status fetch_part_open(FetchPart *p, bool summed)
{
    const char *path = p->paths.part;
    char *folder = mem_strn(path, (size_t)(path_base(path) - path - 1));
    p->fd = -1;
    Status st = folder_make(folder);
    mem_free(folder);
    TRY(st);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0)
        return fail_errno(ST_IO, "cannot write %s", path);
    if (!is_ours(fd, path)) {
        close(fd);
        return fail(ST_IO, "%s is being fetched by another process", p->paths.target);
    }
    p->fd = fd;
    p->at = lseek(fd, 0, SEEK_END);
    read_note(p);
    if (p->at > 0 && !p->validator.n && !summed)
        p->at = 0;
    p->resumed = p->at > 0;
    return ST_OK;
}

Status fetch_part_cut(FetchPart *p, int64_t at)
{
    if (ftruncate(p->fd, at) != 0 || lseek(p->fd, at, SEEK_SET) != at)
        return fail_errno(ST_IO, "cannot write %s", p->paths.part);
    p->at = at;
    p->resumed = p->resumed && at > 0;
    return ST_OK;
}

Status fetch_part_write(FetchPart *p, const char *bytes, size_t n)
{
    while (n) {
        ssize_t wrote = write(p->fd, bytes, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return fail_errno(ST_IO,
                              "cannot write %s; what came is kept, and the same command goes on once there "
                              "is room",
                              p->paths.part);
        bytes += wrote;
        n -= (size_t)wrote;
        p->at += wrote;
    }
    return ST_OK;
}

void fetch_part_close(FetchPart *p)
{
    struct stat s;
    if (p->fd >= 0 && is_ours(p->fd, p->paths.part) && fstat(p->fd, &s) == 0 &&
        (p->at == 0 || s.st_size == 0)) {
        unlink(p->paths.part);
        unlink(p->paths.note);
    }
    if (p->fd >= 0)
        close(p->fd);
    str_drop(&p->validator);
    fetch_paths_drop(&p->paths);
}
