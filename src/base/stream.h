/* Reads bytes from a file whatever it is wrapped in: plain, compressed (.gz .zst .xz .bz2 .lz4 .lzma .lz .Z),
 * and the members of .tar and .zip, one after the other.  What a file is, its first bytes tell; a name that
 * promises a wrapping (x.gz) around bytes that are none is refused.  Memory stays bounded; nothing is
 * unpacked to disk, so names such as "../../x" are only names.  How much comes out of a small file is not
 * bounded here: the caller counts.
 *
 *     StreamReader *r;  TRY(stream_open(&r, "corpus.tar.zst"));
 *     while ((st = stream_next(r, &member)) == ST_OK && member)       // once for a file that is no archive
 *         while ((st = stream_read(r, buf, sizeof buf, &n)) == ST_OK && n) ...
 *     stream_close(r);
 *
 * One reader per thread. */
#ifndef BASE_STREAM_H
#define BASE_STREAM_H

#include <stdint.h>

#include "base/str.h"

typedef struct StreamReader StreamReader;

/* ST_IO: cannot open, or a folder.  *out is NULL after a failure. */
MUST_CHECK Status stream_open(StreamReader **out, const char *path);
/* Moves to the next regular member; *member is its name (the path itself for a plain or merely compressed
 * file), valid until the next call, or NULL at the end.  Links, devices and folders are passed over.
 * ST_FORMAT: damaged archive; what came before was delivered, and every later call fails the same way. */
MUST_CHECK Status stream_next(StreamReader *r, const char **member);
/* Up to `size` bytes of the current member; *n is 0 at its end.
 * ST_FORMAT: damaged from here on; every byte before was delivered.  ST_UNSUPPORTED: encrypted, sparse, or
 * packed in a way that is not known.  ST_IO: the disk failed.  After each, stream_next may be asked whether
 * another member can be read. */
MUST_CHECK Status stream_read(StreamReader *r, void *buf, size_t size, size_t *n);
/* Compressed bytes taken from the file so far: for progress. */
int64_t stream_consumed(const StreamReader *r);
void stream_close(StreamReader *r);

/* Lines of one member, without their "\n" (a "\r" before it stays).  A line longer than `limit` bytes is cut
 * and *cut says so; the rest of it is passed over.  Memory: 1 MB, or the longest line delivered. */
typedef struct {
    StreamReader *r;
    char *buf;
    size_t at, n, cap;
    bool ended, skipping; /* skipping: inside a line whose beginning was delivered cut */
} LineReader;

/* At each new member; {0} the first time, later calls keep the buffer. */
void lines_start(LineReader *l, StreamReader *r);
/* line->at is NULL at the end; valid until the next call. */
MUST_CHECK Status lines_next(LineReader *l, size_t limit, Span *line, bool *cut);
void lines_drop(LineReader *l);

#endif
