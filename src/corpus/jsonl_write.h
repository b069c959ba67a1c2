/* Writes .jsonl.zst files: lines, compressed as they come, under a temporary name until they are finished. */
#ifndef CORPUS_JSONL_WRITE_H
#define CORPUS_JSONL_WRITE_H

#include "base/str.h"

/* Appends text as a JSON string with its quotes.  The text must be UTF-8. */
void jsonl_escape(Str *out, Span text);

typedef struct JsonlWriter JsonlWriter;

MUST_CHECK Status jsonl_create(JsonlWriter **out, const char *path); /* ST_IO */
MUST_CHECK Status jsonl_add(JsonlWriter *w, Span line);              /* `line` ends in "\n" */
MUST_CHECK Status jsonl_finish(JsonlWriter *w);                      /* frees w, also when it fails */
void jsonl_abandon(JsonlWriter *w);                                  /* NULL is fine */

#endif
