/* Reads bytes from a file whatever it is wrapped in: plain, .gz .zst .xz .bz2 (any libarchive filter), and the members
 * of .tar and .zip, one after the other.  Memory stays bounded; nothing is unpacked to disk.
 *
 *     StreamReader *r;  TRY(stream_open(&r, "corpus.tar.zst"));
 *     while ((st = stream_next(r, &member)) == ST_OK && member)       // one pass for a file that is no archive
 *         while ((st = stream_read(r, buf, sizeof buf, &n)) == ST_OK && n) ...
 *     stream_close(r); */
#ifndef BASE_STREAM_H
#define BASE_STREAM_H

#include <stdint.h>

#include "base/str.h"

typedef struct StreamReader StreamReader;

MUST_CHECK Status stream_open(StreamReader **out, const char *path);
/* Moves to the next regular member; *member is its name (the path itself for a plain or merely compressed file), valid
 * until the next call, or NULL at the end.  Links, devices and folders are passed over.
 * ST_FORMAT: damaged archive; what came before was delivered. */
MUST_CHECK Status stream_next(StreamReader *r, const char **member);
/* Up to `size` bytes of the current member; *n is 0 at its end. */
MUST_CHECK Status stream_read(StreamReader *r, void *buf, size_t size, size_t *n);
/* Compressed bytes taken from the file so far: for progress. */
int64_t stream_consumed(const StreamReader *r);
void stream_close(StreamReader *r);

/* Lines of one member, without their "\n".  A line longer than `limit` bytes is cut and *cut says so; the rest is passed over. */
typedef struct {
    StreamReader *r;
    char *buf;
    size_t at, n, cap;
    bool ended;
} LineReader;

void lines_start(LineReader *l, StreamReader *r); /* at each new member */
/* line->at is NULL at the end; valid until the next call. */
MUST_CHECK Status lines_next(LineReader *l, size_t limit, Span *line, bool *cut);
void lines_drop(LineReader *l);

#endif
