/* Inside the reader: how each format takes raw documents from one open member.  text.at is NULL at the
 * member's end. */
#ifndef CORPUS_READ_FORMATS_H
#define CORPUS_READ_FORMATS_H

#include "base/stream.h"
#include "corpus/reader.h"

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
} Member;

MUST_CHECK Status read_tree_next(Member *m, Document *d);
MUST_CHECK Status read_text_next(Member *m, Document *d);
MUST_CHECK Status read_jsonl_next(Member *m, Document *d);

/* Parses a line: sets text and id, or reason and why. */
void read_jsonl_parse(const ReaderSpec *spec, Document *d, DocumentStore *store);

/* Reads on until buf holds `want` bytes more or the member ends.  ST_FORMAT, ST_IO, ST_UNSUPPORTED of the
 * stream. */
MUST_CHECK Status member_fill(Member *m, size_t want);

#endif
