/* libarchive compresses: its "raw" format is the bytes alone, its zstd filter a plain .zst frame of level
 * 3. */
#include "corpus/jsonl_write.h"

#include <archive.h>
#include <archive_entry.h>

#include "base/check.h"
#include "base/file.h"
#include "base/mem.h"

struct JsonlWriter {
    struct archive *a;
    FileWriter file;
    Error why; /* of the first write that failed; nothing is written after it */
};

/* 0: stands for itself; 'u': as \u00XX; else the letter behind a backslash. */
static char escape_of(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\': return (char)c;
    case '\n': return 'n';
    case '\t': return 't';
    case '\r': return 'r';
    case '\b': return 'b';
    case '\f': return 'f';
    default: return c < 32 ? 'u' : 0;
    }
}

void jsonl_escape(Str *out, Span text)
{
    static const char hex[] = "0123456789abcdef";
    size_t i = 0;
    str_reserve(out, text.n + text.n / 8 + 2);
    str_addc(out, '"');
    while (i < text.n) {
        size_t start = i;
        while (i < text.n && (unsigned char)text.at[i] >= 32 && text.at[i] != '"' && text.at[i] != '\\')
            i++;
        str_add(out, text.at + start, i - start);
        if (i == text.n)
            break;
        unsigned char c = (unsigned char)text.at[i++];
        char letter = escape_of(c), long_form[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        char short_form[2] = {'\\', letter};
        if (letter == 'u')
            str_add(out, long_form, sizeof long_form);
        else
            str_add(out, short_form, sizeof short_form);
    }
    str_addc(out, '"');
}

/* Never tells libarchive of a failure, which would make it forget memory: the first one is kept, what
 * follows is dropped. */
static la_ssize_t block_write(struct archive *a, void *data, const void *bytes, size_t n)
{
    (void)a;
    JsonlWriter *w = data;
    if (w->why.status == ST_OK && file_write(&w->file, bytes, n) != ST_OK)
        w->why = error_take();
    return (la_ssize_t)n;
}

static Status failed(JsonlWriter *w)
{
    if (w->why.status != ST_OK)
        return error_put(&w->why);
    const char *text = archive_error_string(w->a);
    return fail(ST_IO, "compressing %s: %s", w->file.path, text ? text : "failed");
}

static Status frame_begin(JsonlWriter *w)
{
    struct archive_entry *entry = archive_entry_new();
    check(entry);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_write_set_bytes_per_block(w->a, 1 << 16);
    archive_write_set_bytes_in_last_block(w->a, 1); /* no padding behind the frame */
    bool good = archive_write_set_format_raw(w->a) == ARCHIVE_OK &&
                archive_write_add_filter_zstd(w->a) == ARCHIVE_OK &&
                archive_write_open(w->a, w, NULL, block_write, NULL) == ARCHIVE_OK &&
                archive_write_header(w->a, entry) == ARCHIVE_OK;
    archive_entry_free(entry);
    return good ? ST_OK : failed(w);
}

Status jsonl_create(JsonlWriter **out, const char *path)
{
    Status st;
    JsonlWriter *w = mem_new(JsonlWriter);
    TRY_TO(undo, file_begin(&w->file, path));
    w->a = archive_write_new();
    check(w->a);
    TRY_TO(undo, frame_begin(w));
    *out = w;
    return ST_OK;
undo:
    jsonl_abandon(w);
    return st;
}

Status jsonl_add(JsonlWriter *w, Span line)
{
    for (size_t at = 0; at < line.n;) {
        la_ssize_t n = archive_write_data(w->a, line.at + at, line.n - at);
        if (n <= 0 || w->why.status != ST_OK)
            return failed(w);
        at += (size_t)n;
    }
    return ST_OK;
}

Status jsonl_finish(JsonlWriter *w)
{
    bool closed = archive_write_close(w->a) == ARCHIVE_OK;
    Status st = closed && w->why.status == ST_OK ? ST_OK : failed(w);
    if (st == ST_OK)
        st = file_commit(&w->file);
    jsonl_abandon(w);
    return st;
}

void jsonl_abandon(JsonlWriter *w)
{
    if (!w)
        return;
    if (w->why.status == ST_OK)
        w->why.status = ST_CANCELLED; /* what closing would still write is dropped */
    archive_write_free(w->a);
    file_abandon(&w->file);
    mem_free(w);
}
