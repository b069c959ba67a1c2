#include "infer/chatmodel_record.h"

#include <pthread.h>
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

/* Where the last whole line ends. */
static Status find_end(Recorder *r)
{
    char buf[4096];
    off_t size = lseek(r->fd, 0, SEEK_END), at = size;
    while (at > 0) {
        size_t n = at < (off_t)sizeof buf ? (size_t)at : sizeof buf;
        at -= (off_t)n;
        if (pread(r->fd, buf, n, at) != (ssize_t)n)
            return fail_errno(ST_IO, "%s cannot be read", r->path);
        for (size_t i = n; i-- > 0;)
            if (buf[i] == '\n') {
                r->bytes = at + (off_t)i + 1;
                at = 0;
                break;
            }
    }
    if (r->bytes == size)
        return ST_OK;
    log_warn("%s ends in half a line, which is taken away", r->path);
    return ftruncate(r->fd, r->bytes) == 0 ? ST_OK : fail_errno(ST_IO, "%s cannot be cut", r->path);
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
