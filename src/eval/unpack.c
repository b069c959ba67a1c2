#include "eval/unpack.h"

#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stream.h"

static const int64_t BYTES_MAX = INT64_C(64) << 30, FILES_MAX = 1000000;

/* Whether `name` stays below the folder it is put into: relative, of plain parts. */
static bool stays_inside(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n >= PATH_MAX / 2 || name[0] == '/' || name[n - 1] == '/')
        return false;
    for (const char *p = name; *p; p++)
        if (*p == '\\' || (unsigned char)*p < 32 || *p == 127)
            return false;
    for (const char *part = name; part; part = strchr(part, '/')) {
        part += *part == '/';
        size_t length = strcspn(part, "/");
        if (length == 0 || length > NAME_MAX || (length == 2 && memcmp(part, "..", 2) == 0))
            return false;
    }
    return true;
}

static bool is_stopped(const UnpackSpec *spec)
{
    return spec->stopped && spec->stopped(spec->context);
}

typedef struct {
    const char *archive, *folder;
    const UnpackSpec *spec;
    StreamReader *r;
    int64_t files, bytes;
    bool writing; /* the second pass; the first looks at names alone */
    Progress progress;
} Unpacking;

static Status copy_bytes(Unpacking *u, FileWriter *w)
{
    char buffer[1 << 16];
    size_t n;
    int64_t most = u->spec->bytes_max > 0 ? u->spec->bytes_max : BYTES_MAX;
    for (;;) {
        TRY(stream_read(u->r, buffer, sizeof buffer, &n));
        if (n == 0)
            return ST_OK;
        u->bytes += (int64_t)n;
        if (u->bytes > most)
            return fail(ST_LIMIT, "more than %lld bytes come out of it", (long long)most);
        if (is_stopped(u->spec))
            return fail(ST_CANCELLED, "stopped while unpacking");
        TRY(file_write(w, buffer, n));
        progress_at(&u->progress, (double)u->bytes / 1e6);
    }
}

static Status write_member(Unpacking *u, const char *name)
{
    char *path = path_join(u->folder, name), *slash = strrchr(path, '/');
    FileWriter w = {0};
    *slash = 0;
    Status st = folder_make(path);
    *slash = '/';
    if (st == ST_OK)
        st = file_begin(&w, path);
    if (st == ST_OK) {
        st = copy_bytes(u, &w);
        if (st == ST_OK)
            st = file_commit(&w);
        else
            file_abandon(&w);
    }
    mem_free(path);
    return st;
}

static Status take_member(Unpacking *u, const char *name)
{
    int64_t most = u->spec->files_max > 0 ? u->spec->files_max : FILES_MAX;
    while (name[0] == '.' && name[1] == '/') /* tar's way to say "here" */
        name += 2;
    if (!stays_inside(name))
        return fail(ST_FORMAT, "the name '%.200s' would lead out of the folder, or is no plain name", name);
    if (++u->files > most)
        return fail(ST_LIMIT, "it holds more than %lld files", (long long)most);
    if (is_stopped(u->spec))
        return fail(ST_CANCELLED, "stopped while unpacking");
    return u->writing ? write_member(u, name) : ST_OK;
}

static Status walk(Unpacking *u)
{
    const char *member;
    u->files = 0;
    Status st = stream_open(&u->r, u->archive);
    while (st == ST_OK && (st = stream_next(u->r, &member)) == ST_OK && member) {
        if (strcmp(member, u->archive) == 0) /* a plain file is its own only member */
            st = fail(ST_FORMAT, "is no archive");
        else
            st = take_member(u, member);
    }
    stream_close(u->r);
    if (st == ST_OK && u->files == 0)
        st = fail(ST_FORMAT, "holds no files");
    return st == ST_OK ? ST_OK : fail_in(st, "unpacking %s", u->archive);
}

Status unpack_archive(int64_t *files, const char *archive, const char *folder, const UnpackSpec *spec)
{
    Unpacking u = {.archive = archive, .folder = folder, .spec = spec};
    TRY(walk(&u));
    u.writing = true;
    u.progress = progress_start("unpacking", 0, "MB");
    Status st = walk(&u);
    progress_end(&u.progress);
    *files = u.files;
    return st;
}
