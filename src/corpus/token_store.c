#include "corpus/token_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "corpus/shuffle.h"

/* One document in its file. */
typedef struct {
    uint64_t at; /* first token */
    uint32_t n;  /* tokens      */
    int32_t extra;
} DocumentEntry;
_Static_assert(sizeof(DocumentEntry) == 16, "as it lies on disk");

/* One document in the stream.  The last entry is the end. */
typedef struct {
    uint64_t stream_at;
    uint64_t document;
} OrderEntry;
_Static_assert(sizeof(OrderEntry) == 16, "as it lies on disk");

enum { MARKS = 4096, WINDOW = 128, IDS_BLOCK = 1 << 14 };

struct TokenStore {
    char *path;
    int id_bytes;
    FILE *ids, *documents; /* while writing */
    int ids_fd, documents_fd, order_fd;
    int64_t tokens, documents_n;
    uint64_t entries;          /* of the order, the end included */
    uint64_t stride;           /* entries between marks          */
    uint64_t marks[MARKS + 1]; /* stream_at of every stride-th   */
};

static Status file_make(FILE **out, const TokenStore *s, const char *ending)
{
    char *path = mem_format("%s.%s", s->path, ending);
    *out = fopen(path, "w+b");
    Status st = *out ? ST_OK : fail_errno(ST_IO, "cannot write %s", path);
    mem_free(path);
    return st;
}

Status token_store_create(TokenStore **out, const char *path, int id_bytes)
{
    check(id_bytes == 2 || id_bytes == 4);
    TokenStore *s = mem_new(TokenStore);
    *s = (TokenStore){
        .path = mem_str(path), .id_bytes = id_bytes, .ids_fd = -1, .documents_fd = -1, .order_fd = -1};
    Status st;
    TRY_TO(undo, file_make(&s->ids, s, "ids"));
    TRY_TO(undo, file_make(&s->documents, s, "documents"));
    *out = s;
    return ST_OK;
undo:
    token_store_close(s);
    return st;
}

void token_store_close(TokenStore *s)
{
    if (!s)
        return;
    if (s->ids)
        fclose(s->ids);
    if (s->documents)
        fclose(s->documents);
    if (s->ids_fd >= 0)
        close(s->ids_fd);
    if (s->documents_fd >= 0)
        close(s->documents_fd);
    if (s->order_fd >= 0)
        close(s->order_fd);
    mem_free(s->path);
    mem_free(s);
}

static Status write_all(const TokenStore *s, FILE *f, const void *bytes, size_t n)
{
    return fwrite(bytes, 1, n, f) == n ? ST_OK
                                       : fail_errno(ST_IO, "cannot write the temporary files %s.*", s->path);
}

Status token_store_add(TokenStore *s, const int32_t *ids, int64_t n, int32_t extra)
{
    uint16_t narrow[IDS_BLOCK];
    check(n > 0);
    if (n > UINT32_MAX)
        return fail(ST_LIMIT, "a document of %lld tokens is longer than 2^32", (long long)n);
    DocumentEntry e = {(uint64_t)s->tokens, (uint32_t)n, extra};
    TRY(write_all(s, s->documents, &e, sizeof e));
    if (s->id_bytes == 4)
        TRY(write_all(s, s->ids, ids, (size_t)n * 4));
    for (int64_t i = 0; s->id_bytes == 2 && i < n;) {
        size_t k = 0;
        for (; k < IDS_BLOCK && i < n; k++, i++)
            narrow[k] = (uint16_t)ids[i];
        TRY(write_all(s, s->ids, narrow, k * 2));
    }
    s->tokens += n;
    s->documents_n++;
    return ST_OK;
}

int64_t token_store_tokens(const TokenStore *s)
{
    return s->tokens;
}

int64_t token_store_documents(const TokenStore *s)
{
    return s->documents_n;
}

static Status read_at(const TokenStore *s, int fd, void *out, size_t n, uint64_t at)
{
    for (size_t got = 0; got < n;) {
        ssize_t k = pread(fd, (char *)out + got, n - got, (off_t)(at + got));
        if (k <= 0)
            return k < 0 ? fail_errno(ST_IO, "cannot read the temporary files %s.*", s->path)
                         : fail(ST_IO, "the temporary files %s.* were cut while in use", s->path);
        got += (size_t)k;
    }
    return ST_OK;
}

static Status entry_read(const TokenStore *s, uint64_t document, DocumentEntry *e)
{
    return read_at(s, s->documents_fd, e, sizeof *e, document * sizeof *e);
}

/* From writing a file to reading it. */
static Status reopen(const TokenStore *s, FILE **f, int *fd)
{
    bool whole = fflush(*f) == 0;
    *fd = whole ? dup(fileno(*f)) : -1;
    Status st = *fd >= 0 ? ST_OK : fail_errno(ST_IO, "cannot write the temporary files %s.*", s->path);
    fclose(*f);
    *f = NULL;
    return st;
}

Status token_store_end(TokenStore *s)
{
    TRY(reopen(s, &s->ids, &s->ids_fd));
    return reopen(s, &s->documents, &s->documents_fd);
}

static Status order_write(TokenStore *s, FILE *f, int64_t tokens, bool shuffled, uint64_t seed,
                          uint64_t stream)
{
    uint64_t at = 0, n = (uint64_t)s->documents_n;
    for (uint64_t round = 0; at < (uint64_t)tokens; round++) {
        Shuffle order;
        shuffle_start(&order, n, seed, stream + round);
        for (uint64_t i = 0; i < n && at < (uint64_t)tokens; i++) {
            OrderEntry o = {at, shuffled ? shuffle_at(&order, i) : i};
            DocumentEntry e;
            TRY(entry_read(s, o.document, &e));
            TRY(write_all(s, f, &o, sizeof o));
            at += e.n;
            s->entries++;
        }
    }
    OrderEntry end = {at, 0};
    s->entries++;
    return write_all(s, f, &end, sizeof end);
}

static Status marks_read(TokenStore *s)
{
    s->stride = (s->entries + MARKS - 1) / MARKS;
    for (uint64_t i = 0; i * s->stride < s->entries; i++) {
        OrderEntry o;
        TRY(read_at(s, s->order_fd, &o, sizeof o, i * s->stride * sizeof o));
        s->marks[i] = o.stream_at;
    }
    return ST_OK;
}

Status token_store_order(TokenStore *s, int64_t tokens, bool shuffled, uint64_t seed, uint64_t stream)
{
    FILE *f;
    check(s->ids_fd >= 0 && s->order_fd < 0 && (tokens == 0 || s->documents_n > 0));
    TRY(file_make(&f, s, "order"));
    Status st = order_write(s, f, tokens, shuffled, seed, stream);
    if (st != ST_OK) {
        fclose(f);
        return st;
    }
    TRY(reopen(s, &f, &s->order_fd));
    return marks_read(s);
}

/* Reading ------------------------------------------------------------------------------------------------ */

/* Entries of the order, read a window at a time. */
typedef struct {
    const TokenStore *s;
    OrderEntry at[WINDOW];
    uint64_t first, n;
} OrderWindow;

static Status order_get(OrderWindow *w, uint64_t i, OrderEntry *out)
{
    if (i < w->first || i >= w->first + w->n) {
        w->first = i;
        w->n = w->s->entries - i < WINDOW ? w->s->entries - i : WINDOW;
        TRY(read_at(w->s, w->s->order_fd, w->at, w->n * sizeof(OrderEntry), i * sizeof(OrderEntry)));
    }
    *out = w->at[i - w->first];
    return ST_OK;
}

/* The last mark whose entry begins at or before `at`. */
static uint64_t mark_before(const TokenStore *s, uint64_t at)
{
    uint64_t low = 0, high = (s->entries + s->stride - 1) / s->stride;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (s->marks[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low * s->stride;
}

/* The document that covers `at`, and the one behind it. */
static Status document_find(OrderWindow *w, uint64_t at, uint64_t *index, OrderEntry *here, OrderEntry *next)
{
    *index = mark_before(w->s, at);
    TRY(order_get(w, *index, here));
    for (;; ++*index, *here = *next) {
        TRY(order_get(w, *index + 1, next));
        if (next->stream_at > at)
            return ST_OK;
    }
}

static Status ids_read(const TokenStore *s, uint64_t token, int32_t *out, size_t n)
{
    if (s->id_bytes == 4)
        return read_at(s, s->ids_fd, out, n * 4, token * 4);
    /* The narrow ids are read into the upper half of the place and widened from the front. */
    uint16_t *narrow = (uint16_t *)(void *)out + n;
    TRY(read_at(s, s->ids_fd, narrow, n * 2, token * 2));
    for (size_t i = 0; i < n; i++) {
        uint16_t id;
        memcpy(&id, narrow + i, sizeof id);
        int32_t wide = id;
        memcpy(out + i, &wide, sizeof wide);
    }
    return ST_OK;
}

Status token_store_read(const TokenStore *s, int64_t at, int32_t *ids, int64_t n, TokenStart *starts,
                        int64_t *starts_n)
{
    OrderWindow w = {.s = s};
    OrderEntry here, next;
    uint64_t index, from = (uint64_t)at, end = (uint64_t)(at + n);
    *starts_n = 0;
    TRY(document_find(&w, from, &index, &here, &next));
    while (from < end) {
        DocumentEntry e;
        TRY(entry_read(s, here.document, &e));
        uint64_t offset = from - here.stream_at, take = e.n - offset < end - from ? e.n - offset : end - from;
        if (offset == 0)
            starts[(*starts_n)++] = (TokenStart){(uint32_t)(from - (uint64_t)at), e.extra};
        TRY(ids_read(s, e.at + offset, ids + (from - (uint64_t)at), (size_t)take));
        from += take;
        here = next;
        if (from < end)
            TRY(order_get(&w, ++index + 1, &next));
    }
    return ST_OK;
}
