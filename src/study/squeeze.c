/* libarchive compresses: its "raw" format is the bytes alone. */
#include "study/squeeze.h"

#include <archive.h>
#include <archive_entry.h>

#include "base/check.h"
#include "base/mem.h"

const char *const squeeze_names[SQUEEZES] = {"xz -9", "zstd -19"};

struct Squeeze {
    struct archive *a;
    SqueezeKind kind;
    int64_t size;
};

static la_ssize_t count(struct archive *a, void *data, const void *bytes, size_t n)
{
    Squeeze *s = data;
    (void)a, (void)bytes;
    s->size += (int64_t)n;
    return (la_ssize_t)n;
}

static Status failed(const Squeeze *s)
{
    const char *text = archive_error_string(s->a);
    return fail(ST_UNSUPPORTED, "%s: %s", squeeze_names[s->kind], text ? text : "libarchive cannot do it");
}

static bool begin(Squeeze *s)
{
    bool xz = s->kind == SQUEEZE_XZ;
    struct archive_entry *entry = archive_entry_new();
    check(entry);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_write_set_bytes_per_block(s->a, 1 << 16);
    archive_write_set_bytes_in_last_block(s->a, 1); /* no padding */
    bool good =
        archive_write_set_format_raw(s->a) == ARCHIVE_OK &&
        (xz ? archive_write_add_filter_xz(s->a) : archive_write_add_filter_zstd(s->a)) == ARCHIVE_OK &&
        archive_write_set_filter_option(s->a, NULL, "compression-level", xz ? "9" : "19") == ARCHIVE_OK &&
        archive_write_open(s->a, s, NULL, count, NULL) == ARCHIVE_OK &&
        archive_write_header(s->a, entry) == ARCHIVE_OK;
    archive_entry_free(entry);
    return good;
}

Status squeeze_open(Squeeze **out, SqueezeKind kind)
{
    Squeeze *s = mem_new(Squeeze);
    s->kind = kind;
    s->a = archive_write_new();
    check(s->a);
    if (begin(s)) {
        *out = s;
        return ST_OK;
    }
    Status st = failed(s);
    archive_write_free(s->a);
    mem_free(s);
    return st;
}

Status squeeze_add(Squeeze *s, Span bytes)
{
    for (size_t at = 0; at < bytes.n;) {
        la_ssize_t n = archive_write_data(s->a, bytes.at + at, bytes.n - at);
        if (n <= 0)
            return failed(s);
        at += (size_t)n;
    }
    return ST_OK;
}

Status squeeze_close(int64_t *size, Squeeze *s)
{
    Status st = archive_write_close(s->a) == ARCHIVE_OK ? ST_OK : failed(s);
    if (st == ST_OK && size)
        *size = s->size;
    archive_write_free(s->a);
    mem_free(s);
    return st;
}
