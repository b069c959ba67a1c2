/* Documents out of files, whatever they are wrapped in.  Front door of reading: eval uses it for
 * questions, too.
 *
 *     ReaderSpec spec = {.patterns = &pattern, .patterns_n = 1};
 *     Reader *r;  Document d;
 *     TRY(reader_open(&r, &spec));
 *     while ((st = reader_next(r, &d)) == ST_OK && d.id.at)
 *         if (d.reason == READ_GOOD) use(d.text);
 *     reader_close(r);
 *
 * Formats: tree   a file, or a member of an archive, is one document
 *          text   the same, cut at `separator` where one is given
 *          jsonl  a line is an object that holds the text under `text_key`
 *          json   JSON values, one a line or the elements of one array: raw only, for reader_next_raw
 *          auto   jsonl where the name says so (.jsonl .ndjson, also packed), else text
 * .gz .zst .xz .bz2 .tar .zip are seen through.  Memory: one document and the buffers of one file. */
#ifndef CORPUS_READER_H
#define CORPUS_READER_H

#include <stdint.h>

#include "base/str.h"

typedef enum { FORMAT_AUTO, FORMAT_TREE, FORMAT_TEXT, FORMAT_JSONL, FORMAT_JSON } ReadFormat;
extern const char *const read_format_names[]; /* by ReadFormat, NULL at the end */

/* Why a document could not be had: data, not an error. */
typedef enum {
    READ_GOOD,
    READ_UNREADABLE, /* cannot be opened or listed, or its packing is damaged */
    READ_NOT_UTF8,
    READ_BINARY,   /* holds a NUL byte                            */
    READ_TOO_LONG, /* more than max_document_bytes                */
    READ_EMPTY,    /* nothing but white space                     */
    READ_NOT_JSON,
    READ_NO_KEY, /* JSON, without text under the key            */
    READ_REASONS
} ReadReason;
extern const char *const read_reason_names[READ_REASONS];

/* Borrowed as long as the reader lives. */
typedef struct {
    const char *const *patterns; /* files, folders (all below), or glob.h patterns */
    size_t patterns_n;
    const char *const *excludes;
    size_t excludes_n;
    const char *skip;           /* folder that is not entered; NULL: none */
    const char *const *members; /* patterns that members of archives must match; none: all */
    size_t members_n;
    ReadFormat format;
    const char *text_key;       /* NULL: "text", or "content" where there is no "text" */
    const char *separator;      /* NULL: a file is one document */
    int64_t max_document_bytes; /* 0: READ_MAX_DEFAULT */
} ReaderSpec;

enum { READ_MAX_DEFAULT = 10 * 1000 * 1000 };

/* Views, valid until the next call on the reader. */
typedef struct {
    Span text;
    Span id;           /* path, path:member, path:number of line or piece, or the object's "id" */
    ReadReason reason; /* READ_GOOD, or why text is empty   */
    Span why;          /* a sentence for READ_UNREADABLE and READ_NOT_JSON, else empty */
    int64_t bytes;     /* of unpacked input that it took    */
    ReadFormat format; /* of this one, never FORMAT_AUTO    */
} Document;

typedef struct Reader Reader;

MUST_CHECK Status reader_open(Reader **out, const ReaderSpec *spec);
void reader_close(Reader *r);

/* The next document; id.at is NULL at the end.  Text is valid UTF-8 without byte-order mark, with "\n"
 * line ends. */
MUST_CHECK Status reader_next(Reader *r, Document *d);

/* The same in two halves, so that the second can run on another thread: a raw document is the bytes of a
 * file, piece or line; finishing parses, checks and normalises them.  `store` holds what text, id and why
 * point to where they could not stay views of the raw bytes; it must not be shared between documents in
 * use. */
typedef struct {
    Str text, id, why;
} DocumentStore;
MUST_CHECK Status reader_next_raw(Reader *r, Document *d);
void reader_finish(const ReaderSpec *spec, Document *d, DocumentStore *store);
void document_store_drop(DocumentStore *store);

int64_t reader_files(const Reader *r);    /* files opened so far, unreadable ones included */
int64_t reader_consumed(const Reader *r); /* packed bytes read so far                      */

/* Bytes of all files a spec matches (packed) and how many they are: for progress, and to name a source
 * that has none. */
void reader_measure(const ReaderSpec *spec, int64_t *files, int64_t *bytes);

#endif
