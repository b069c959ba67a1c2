#include "train/runlog.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

/* Bytes of the leading lines that are whole and of steps up to `through`. */
static size_t kept_bytes(const FileMap *m, int64_t through)
{
    size_t at = 0;
    while (at < m->n) {
        const unsigned char *end = memchr(m->at + at, '\n', m->n - at);
        if (!end)
            break;
        size_t n = (size_t)(end - (m->at + at));
        json_t *line = json_loadb((const char *)m->at + at, n, 0, NULL);
        json_t *step = json_object_get(line, "step");
        bool keep = json_is_integer(step) && json_integer_value(step) <= through;
        json_decref(line);
        if (!keep)
            break;
        at += n + 1;
    }
    return at;
}

static Status cut(const char *path, int64_t through)
{
    FileMap m;
    if (!path_exists(path))
        return ST_OK;
    TRY(file_map(&m, path));
    size_t keep = kept_bytes(&m, through), n = m.n;
    file_unmap(&m);
    if (keep < n && truncate(path, (off_t)keep) != 0)
        return fail_errno(ST_IO, "cannot shorten %s", path);
    return ST_OK;
}

Status runlog_open(RunLog *l, const char *path, int64_t keep_through)
{
    *l = (RunLog){0};
    if (keep_through >= 0)
        TRY(cut(path, keep_through));
    l->f = fopen(path, keep_through >= 0 ? "ab" : "wb");
    if (!l->f)
        return fail_errno(ST_IO, "cannot write %s", path);
    setvbuf(l->f, NULL, _IONBF, 0); /* one write a line: a kill cannot leave half of one behind a whole one */
    l->path = mem_str(path);
    return ST_OK;
}

void runlog_close(RunLog *l)
{
    if (l->f)
        fclose(l->f);
    mem_free(l->path);
    str_drop(&l->line);
    *l = (RunLog){0};
}

/* JSON's escapes for what must be escaped; invalid UTF-8 is replaced byte by byte. */
static void add_quoted(Str *s, const char *text)
{
    uint32_t c;
    size_t n = strlen(text);
    str_addc(s, '"');
    for (size_t i = 0; i < n;) {
        int bytes = utf8_decode(&c, text + i, n - i);
        if (bytes == 0)
            str_add_utf8(s, 0xFFFD);
        else if (c < 0x20)
            str_addf(s, "\\u%04x", (unsigned)c);
        else if (c == '"' || c == '\\')
            str_addf(s, "\\%c", (char)c);
        else
            str_add(s, text + i, (size_t)bytes);
        i += bytes ? (size_t)bytes : 1;
    }
    str_addc(s, '"');
}

static void add_key(RunLog *l, const char *key)
{
    if (l->line.at[l->line.n - 1] != '{')
        str_addc(&l->line, ',');
    add_quoted(&l->line, key);
    str_addc(&l->line, ':');
}

void runlog_begin(RunLog *l, int64_t step)
{
    str_clear(&l->line);
    str_addf(&l->line, "{\"step\":%lld", (long long)step);
}

void runlog_int(RunLog *l, const char *key, int64_t v)
{
    add_key(l, key);
    str_addf(&l->line, "%lld", (long long)v);
}

void runlog_real(RunLog *l, const char *key, double v)
{
    add_key(l, key);
    if (isfinite(v))
        str_addf(&l->line, "%.9g", v);
    else
        str_adds(&l->line, "null");
}

void runlog_text(RunLog *l, const char *key, const char *v)
{
    add_key(l, key);
    add_quoted(&l->line, v);
}

void runlog_push(RunLog *l, const char *key)
{
    add_key(l, key);
    str_addc(&l->line, '{');
}

void runlog_pop(RunLog *l)
{
    str_addc(&l->line, '}');
}

Status runlog_end(RunLog *l)
{
    str_adds(&l->line, "}\n");
    off_t at = lseek(fileno(l->f), 0, SEEK_END);
    if (fwrite(l->line.at, 1, l->line.n, l->f) == l->line.n)
        return ST_OK;
    int why = errno;
    clearerr(l->f);
    if (ftruncate(fileno(l->f), at) != 0) /* half a line would spoil the next one */
        clearerr(l->f);
    errno = why;
    return fail_errno(ST_IO, "cannot write %s", l->path);
}

Status runlog_sync(RunLog *l)
{
    return fsync(fileno(l->f)) == 0 || errno == EINVAL ? ST_OK : fail_errno(ST_IO, "cannot sync %s", l->path);
}
