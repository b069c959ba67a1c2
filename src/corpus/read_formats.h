/* Inside the reader: how each format takes raw documents from one open member.  text.at is NULL at the
 * member's end. */
#ifndef CORPUS_READ_FORMATS_H
#define CORPUS_READ_FORMATS_H

#include "base/stream.h"
#include "corpus/reader.h"

/* read_json: where the scan stands. */
typedef struct {
    bool begun, array;       /* what the member's first byte said             */
    bool in_string, escaped; /* of the array's element that is being scanned */
    int64_t depth, line;     /* open brackets; of the next byte, from 1       */
} JsonScan;

typedef struct {
    StreamReader *stream;
    LineReader lines;
    Str buf, note;
    size_t at,
        taken;      /* read_text: where the next piece begins, and the bytes of buf already looked through */
    int64_t number; /* of the line or piece, from 1                               */
    bool ended;     /* the stream has given all                                   */
    size_t limit;   /* max_document_bytes                                         */
    const char *separator;
    JsonScan json;
} Member;

MUST_CHECK Status read_tree_next(Member *m, Document *d);
MUST_CHECK Status read_text_next(Member *m, Document *d);
MUST_CHECK Status read_jsonl_next(Member *m, Document *d);
/* Values as they lie, unparsed; `number` is the line on which one begins. */
MUST_CHECK Status read_json_next(Member *m, Document *d);

/* Parses a line: sets text and id, or reason and why. */
void read_jsonl_parse(const ReaderSpec *spec, Document *d, DocumentStore *store);

/* Drops the bytes of buf in front of `at`: pieces already handed out. */
void member_compact(Member *m);

/* Reads on until buf holds `want` bytes more or the member ends.  ST_FORMAT, ST_IO, ST_UNSUPPORTED of the
 * stream. */
MUST_CHECK Status member_fill(Member *m, size_t want);

#endif
