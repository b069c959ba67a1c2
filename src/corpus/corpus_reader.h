/* Documents of a built corpus, source by source.
 *
 *     CorpusQuery q = {.split = "train", .kind = "code"};
 *     TRY(corpus_reader_open(&r, "corpus", &q));
 *     while ((st = corpus_reader_next(r, &d)) == ST_OK && d.id.at) ...
 *     corpus_reader_close(r); */
#ifndef CORPUS_CORPUS_READER_H
#define CORPUS_CORPUS_READER_H

#include "corpus/reader.h"

typedef struct {
    const char *split;  /* "train", "held_out" or "rejected"; NULL: train */
    const char *kind;   /* "code" or "text"; NULL: both   */
    const char *source; /* NULL: all                      */
} CorpusQuery;

typedef struct CorpusReader CorpusReader;

/* ST_IO, ST_FORMAT: no corpus there   ST_ARG: no such split, kind or source */
MUST_CHECK Status corpus_reader_open(CorpusReader **out, const char *folder, const CorpusQuery *q);
/* The next document; id.at is NULL at the end.  ST_FORMAT: the corpus is damaged. */
MUST_CHECK Status corpus_reader_next(CorpusReader *r, Document *d);
/* Of the last document. */
const char *corpus_reader_source(const CorpusReader *r);
void corpus_reader_close(CorpusReader *r);

#endif
