/* libarchive does the reading.  Of its formats only tar, zip and raw are used: others (mtree, cpio, ar, WARC,
 * ...) would claim text files that happen to begin like them, and so would the uuencode and RPM filters,
 * which are left out with those that start other programs. */
#include "base/stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/file.h"
#include "base/mem.h"

enum { READ_BLOCK = 256 << 10, LINE_BUFFER = 1 << 20, BAD_HEADERS_MAX = 1000 };

struct StreamReader {
    struct archive *a;
    char *path, *name; /* name: of the current member */
    const char *block; /* of libarchive: what is left of the last block */
    size_t block_n;
    int64_t position;    /* in the member: where the next block must begin */
    bool started, ended; /* of the whole file   */
    bool member_ended;
    Status broken; /* not ST_OK: the archive cannot be read further, for the reason in `why` */
    char *why;
};

/* libarchive gives errno values for the disk's faults; for those of the bytes -1 or its own "file format". */
static Status kind_of_failure(struct archive *a)
{
    switch (archive_errno(a)) {
    case EIO:
    case EISDIR:
    case EACCES:
    case ENOENT:
    case EBADF:
    case ENXIO: return ST_IO;
    case ENOMEM: return ST_NOMEM;
    default: return ST_FORMAT;
    }
}

static const char *failure_text(struct archive *a)
{
    const char *text = archive_error_string(a);
    return text ? text : "damaged";
}

static Status broken(StreamReader *r)
{
    r->broken = kind_of_failure(r->a);
    mem_free(r->why);
    r->why = mem_str(failure_text(r->a));
    return fail(r->broken, "%s: %s", r->path, r->why);
}

/* Endings that promise a wrapping, and whether one with that name was found. */
static bool promise_broken(StreamReader *r)
{
    static const char *const packed[] = {".gz",  ".tgz", ".bz2",  ".xz", ".txz",
                                         ".zst", ".lz4", ".lzma", ".lz", ".Z"};
    static const char *const archives[] = {".tar",    ".tgz",    ".txz",     ".zip",
                                           ".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2"};
    Span path = span(r->path);
    int format = archive_format(r->a);
    bool is_archive = format != ARCHIVE_FORMAT_RAW && format != ARCHIVE_FORMAT_EMPTY;
    bool is_packed = archive_filter_count(r->a) > 1; /* the last one is "none", the file itself */
    for (size_t i = 0; !is_packed && !is_archive && i < sizeof packed / sizeof packed[0]; i++)
        if (span_ends(path, packed[i]))
            return true;
    for (size_t i = 0; !is_archive && i < sizeof archives / sizeof archives[0]; i++)
        if (span_ends(path, archives[i]))
            return true;
    return false;
}

static struct archive *archive_new(void)
{
    struct archive *a = archive_read_new();
    check(a);
    /* Each warns where the library was built without it; such files then fail with that sentence. */
    archive_read_support_filter_gzip(a);
    archive_read_support_filter_bzip2(a);
    archive_read_support_filter_compress(a);
    archive_read_support_filter_lzma(a);
    archive_read_support_filter_xz(a);
    archive_read_support_filter_lzip(a);
    archive_read_support_filter_lz4(a);
    archive_read_support_filter_zstd(a);
    archive_read_support_format_tar(a);
    archive_read_support_format_zip(a);
    archive_read_support_format_raw(a);
    archive_read_support_format_empty(a);
    return a;
}

Status stream_open(StreamReader **out, const char *path)
{
    struct stat info;
    *out = NULL;
    if (stat(path, &info) != 0)
        return fail_errno(ST_IO, "cannot open %s", path);
    if (S_ISDIR(info.st_mode))
        return fail(ST_IO, "%s is a folder, not a file", path);
    StreamReader *r = mem_new(StreamReader);
    r->path = mem_str(path);
    r->a = archive_new();
    if (archive_read_open_filename(r->a, path, READ_BLOCK) >= ARCHIVE_WARN) {
        *out = r;
        return ST_OK;
    }
    Status st = fail(kind_of_failure(r->a), "cannot open %s: %s", path, failure_text(r->a));
    stream_close(r);
    return st;
}

static void name_member(StreamReader *r, struct archive_entry *e)
{
    const char *name = archive_entry_pathname_utf8(e);
    if (!name)
        name = archive_entry_pathname(e); /* bytes in no known encoding */
    mem_free(r->name);
    if (archive_format(r->a) == ARCHIVE_FORMAT_RAW)
        name = r->path;
    r->name = mem_str(name ? name : "(no name)");
}

/* The next header of a regular member, or ARCHIVE_EOF.  Members without a usable header are passed over. */
static int next_regular(StreamReader *r, struct archive_entry **e)
{
    for (int bad = 0; bad < BAD_HEADERS_MAX;) {
        int got = archive_read_next_header(r->a, e);
        if (got == ARCHIVE_EOF || got == ARCHIVE_FATAL)
            return got;
        if (got < ARCHIVE_WARN)
            bad++;
        else if (archive_entry_filetype(*e) == AE_IFREG && !archive_entry_hardlink(*e))
            return ARCHIVE_OK;
    }
    return ARCHIVE_FATAL;
}

Status stream_next(StreamReader *r, const char **member)
{
    struct archive_entry *e = NULL;
    *member = NULL;
    if (r->broken != ST_OK)
        return fail(r->broken, "%s: %s", r->path, r->why);
    if (r->ended)
        return ST_OK;
    int got = next_regular(r, &e);
    bool first = !r->started;
    r->started = true;
    if (got == ARCHIVE_FATAL)
        return broken(r);
    if (first && promise_broken(r)) {
        r->broken = ST_FORMAT;
        r->why = mem_str("the bytes are not what the name promises; is it cut or damaged?");
        return fail(ST_FORMAT, "%s: %s", r->path, r->why);
    }
    r->block_n = 0;
    r->position = 0;
    r->member_ended = r->ended = got == ARCHIVE_EOF;
    if (!r->ended) {
        name_member(r, e);
    } else {
        mem_free(r->name);
        /* An empty file is one empty member. */
        r->name = first && archive_format(r->a) == ARCHIVE_FORMAT_EMPTY ? mem_str(r->path) : NULL;
    }
    *member = r->name;
    return ST_OK;
}

/* Ends the member.  Its name goes in front where it is not the file's own. */
static Status member_failed(StreamReader *r, Status st, const char *why)
{
    r->member_ended = true;
    if (strcmp(r->name, r->path) == 0)
        return fail(st, "%s: %s", r->path, why);
    return fail(st, "%s: member %s: %s", r->path, r->name, why);
}

/* libarchive has one code for "damaged" and "not able to"; its words differ. */
static bool is_unsupported(const char *why)
{
    return strstr(why, "nsupported") || strstr(why, "assphrase") || strstr(why, "ncrypted");
}

static Status next_block(StreamReader *r)
{
    const void *block = NULL;
    size_t n = 0;
    la_int64_t offset = 0;
    int got;
    do
        got = archive_read_data_block(r->a, &block, &n, &offset);
    while (got == ARCHIVE_OK && n == 0);
    if (got == ARCHIVE_EOF) {
        r->member_ended = true;
        return ST_OK;
    }
    if (got == ARCHIVE_FATAL || got == ARCHIVE_RETRY) {
        Status st = broken(r);
        return member_failed(r, st, r->why);
    }
    if (got != ARCHIVE_OK) /* this member only */
        return member_failed(r, is_unsupported(failure_text(r->a)) ? ST_UNSUPPORTED : ST_FORMAT,
                             failure_text(r->a));
    if (offset != r->position)
        return member_failed(r, ST_UNSUPPORTED, "a sparse file (with holes) is not read");
    r->block = block;
    r->block_n = n;
    r->position += (int64_t)n;
    return ST_OK;
}

Status stream_read(StreamReader *r, void *buf, size_t size, size_t *n)
{
    *n = 0;
    while (*n < size) {
        if (r->block_n == 0) {
            if (r->member_ended || *n > 0) /* what is there is handed over before a block that may fail */
                break;
            TRY(next_block(r));
            continue;
        }
        size_t take = size - *n < r->block_n ? size - *n : r->block_n;
        memcpy((char *)buf + *n, r->block, take);
        r->block += take;
        r->block_n -= take;
        *n += take;
    }
    return ST_OK;
}

int64_t stream_consumed(const StreamReader *r)
{
    return archive_filter_bytes(r->a, -1);
}

void stream_close(StreamReader *r)
{
    if (!r)
        return;
    archive_read_free(r->a);
    mem_free(r->path);
    mem_free(r->name);
    mem_free(r->why);
    mem_free(r);
}

/* Lines -------------------------------------------------------------------------------------------------- */

void lines_start(LineReader *l, StreamReader *r)
{
    l->r = r;
    l->at = l->n = 0;
    l->ended = l->skipping = false;
}

/* Makes room behind the bytes not yet delivered and reads once. */
static Status refill(LineReader *l)
{
    size_t kept = l->n - l->at, got = 0;
    if (l->at > 0 && kept > 0)
        memmove(l->buf, l->buf + l->at, kept);
    l->at = 0;
    l->n = kept;
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : LINE_BUFFER;
        l->buf = mem_resize(l->buf, l->cap, 1);
    }
    TRY(stream_read(l->r, l->buf + l->n, l->cap - l->n, &got));
    l->n += got;
    l->ended = got == 0;
    return ST_OK;
}

/* Passes over the rest of a line that was cut. */
static Status skip_rest(LineReader *l)
{
    while (l->skipping) {
        char *newline = l->n > l->at ? memchr(l->buf + l->at, '\n', l->n - l->at) : NULL;
        l->at = newline ? (size_t)(newline - l->buf) + 1 : l->n;
        l->skipping = !newline && !l->ended;
        if (l->skipping)
            TRY(refill(l));
    }
    return ST_OK;
}

Status lines_next(LineReader *l, size_t limit, Span *line, bool *cut)
{
    size_t seen = 0; /* bytes behind l->at known to hold no newline */
    *line = (Span){NULL, 0};
    *cut = false;
    TRY(skip_rest(l));
    for (;;) {
        size_t left = l->n - l->at;
        char *newline = left > seen ? memchr(l->buf + l->at + seen, '\n', left - seen) : NULL;
        size_t n = newline ? (size_t)(newline - l->buf) - l->at : left;
        if (!newline && !l->ended && n <= limit) {
            seen = n;
            TRY(refill(l));
            continue;
        }
        if (!newline && n == 0)
            return ST_OK;
        *cut = n > limit;
        *line = (Span){l->buf + l->at, *cut ? limit : n};
        l->at += newline ? n + 1 : *cut ? limit : n;
        l->skipping = *cut && !newline;
        return ST_OK;
    }
}

void lines_drop(LineReader *l)
{
    mem_free(l->buf);
    *l = (LineReader){0};
}
