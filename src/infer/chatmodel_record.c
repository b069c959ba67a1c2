#include "infer/chatmodel_record.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

typedef struct {
    ChatModel *inner;
    char *path;
    pthread_mutex_t lock; /* of `fd` and `bytes` */
    int fd;
    off_t bytes; /* of whole lines */
} Recorder;

/* All or nothing: a half line is taken back. */
static Status append(Recorder *r, const Str *line)
{
    size_t done = 0;
    while (done < line->n) {
        ssize_t n = pwrite(r->fd, line->at + done, line->n - done, r->bytes + (off_t)done);
        if (n <= 0) {
            Status st = fail_errno(ST_IO, "the answer cannot be recorded in %s", r->path);
            if (ftruncate(r->fd, r->bytes) != 0)
                log_warn("%s ends in half a line", r->path);
            return st;
        }
        done += (size_t)n;
    }
    r->bytes += (off_t)line->n;
    return ST_OK;
}

static Status record_ask(void *self, const ChatCall *call, ChatAnswer *out)
{
    Recorder *r = self;
    Str line = {0};
    Status st = chatmodel_ask(r->inner, call, out);
    if (st == ST_CANCELLED)
        return st;
    chatmodel_script_line(&line, call, out, st);
    pthread_mutex_lock(&r->lock);
    Status written = append(r, &line);
    pthread_mutex_unlock(&r->lock);
    str_drop(&line);
    return written == ST_OK ? st : written;
}

static void record_close(void *self)
{
    Recorder *r = self;
    if (r->fd >= 0)
        close(r->fd);
    pthread_mutex_destroy(&r->lock);
    mem_free(r->path);
    mem_free(r);
}

static const ChatModelKind record = {record_ask, record_close};

/* What is there already --------------------------------------------------------------------------------- */

/* An answer or a failure, as chatmodel_script.c reads them. */
static bool is_record(Span line)
{
    json_t *o = json_loadb(line.at, line.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    bool yes = json_is_string(json_object_get(o, "text")) || json_is_string(json_object_get(o, "error"));
    json_decref(o);
    return yes;
}

/* The beginning of what chatmodel_script_line writes. */
static bool is_torn_record(Span rest)
{
    Span begun = span("{\"messages\":[");
    size_t n = rest.n < begun.n ? rest.n : begun.n;
    return memcmp(rest.at, begun.at, n) == 0;
}

static Span last_line(Span text)
{
    text = span_trim(text);
    const char *end = text.n ? memrchr(text.at, '\n', text.n) : NULL;
    return end ? (Span){end + 1, text.n - (size_t)(end + 1 - text.at)} : text;
}

/* Where the next line goes.  A file that is no recording is somebody's, and is left alone; half a line that a
 * killed run has left is taken away. */
static Status go_on(Recorder *r, Span text)
{
    const char *end = text.n ? memrchr(text.at, '\n', text.n) : NULL;
    size_t whole = end ? (size_t)(end + 1 - text.at) : 0;
    Span lines = {text.at, whole}, rest = {text.at + whole, text.n - whole}, last = last_line(lines);
    bool unended = rest.n && (span_trim(rest).n == 0 || is_record(rest)),
         torn = rest.n && !unended && is_torn_record(rest);
    if ((rest.n && !unended && !torn) || (last.n && !is_record(last)))
        return fail(ST_ARG,
                    "%s is no recording of a model's answers, and is left as it is: name another file",
                    r->path);
    r->bytes = (off_t)(torn ? whole : text.n);
    if (unended) {
        Str line_end = {0};
        str_addc(&line_end, '\n');
        Status st = append(r, &line_end);
        str_drop(&line_end);
        return st;
    }
    if (!torn)
        return ST_OK;
    log_warn("%s ends in half a line, which is taken away", r->path);
    return ftruncate(r->fd, r->bytes) == 0 ? ST_OK : fail_errno(ST_IO, "%s cannot be cut", r->path);
}

static Status find_end(Recorder *r)
{
    FileMap map;
    off_t size = lseek(r->fd, 0, SEEK_END);
    if (size < 0)
        return fail_errno(ST_IO, "%s cannot be read", r->path);
    if (size == 0)
        return ST_OK;
    TRY(file_map(&map, r->path));
    Status st = go_on(r, (Span){(const char *)map.at, map.n});
    file_unmap(&map);
    return st;
}

Status chatmodel_record_open(ChatModel **out, ChatModel *inner, const char *path)
{
    Status st = ST_OK;
    Recorder *r = mem_new(Recorder);
    *r = (Recorder){.inner = inner, .path = mem_str(path)};
    check(pthread_mutex_init(&r->lock, NULL) == 0);
    st = file_lock(&r->fd, path);
    if (st == ST_OK)
        st = find_end(r);
    else if (st == ST_LIMIT)
        st = fail(ST_ARG, "another process records into %s; wait for it, or record into another file", path);
    if (st != ST_OK) {
        record_close(r);
        return st;
    }
    chatmodel_open(out, &record, r, chatmodel_name(inner));
    return ST_OK;
}
