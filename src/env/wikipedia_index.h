/* Builds what wikipedia_open_index opens: a full-text index of an encyclopaedia in one file.
 *
 * The dump is JSONL, an article a line, {"title": text, "text": text} and whatever else, in .gz .zst .xz or
 * plain: as Hugging Face's `wikipedia` and WikiExtractor --json give it.  An article whose text is empty (a
 * redirection) and one that only lists others ("... may refer to:", which MINT passes over) is left out.
 *
 * The index is a SQLite 3 database: table `article` (title, lead), FTS5 table `words` (title, text; without
 * content; porter stems over unicode61 without diacritics), table `about`; application_id and user_version
 * are checked when it is opened.  The lead stands for the API's extract of what is before the first heading:
 * the first paragraphs, at most some 1000 characters of them, up to a line that is `== so ==` or short and
 * without a sentence's end. */
#ifndef ENV_WIKIPEDIA_INDEX_H
#define ENV_WIKIPEDIA_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { WIKIPEDIA_INDEX_ID = 0x4c6d576b, WIKIPEDIA_INDEX_VERSION = 1 };

/* What is 0 or NULL has the default. */
typedef struct {
    int64_t bad_lines;              /* that may be passed over; 0: the first one ends it */
    bool (*stopped)(void *context); /* true ends it: ST_CANCELLED */
    void *context;
    bool quiet; /* no line of progress */
} WikipediaBuild;

typedef struct {
    int64_t articles, left_out, bad_lines, text_bytes, file_bytes;
    double seconds;
} WikipediaBuilt;

/* Writes `file`, which appears when it is whole; what is there before stays until then.  Nothing of a build
 * that ended early is used by the next.  Memory: some 150 MB, however large the dump; disk: up to the size of
 * its text.
 *   ST_IO      a file cannot be read or written          ST_FORMAT  no such dump: the line is named
 *   ST_ARG     another build writes this file now; or nothing to index
 *   ST_CANCELLED  as `stopped` asked */
MUST_CHECK Status wikipedia_index_build(WikipediaBuilt *built, const char *dump, const char *file,
                                        const WikipediaBuild *build);

/* The lead of an article's text, appended; false: it only lists others. */
bool wikipedia_lead(Str *lead, Span title, Span text);

#endif
