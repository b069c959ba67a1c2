/* What the sources of wikipedia.h share: how one is made, and how answers are worded. */
#ifndef ENV_WIKIPEDIA_SOURCE_H
#define ENV_WIKIPEDIA_SOURCE_H

#include "env/wikipedia.h"

enum { WIKIPEDIA_PAGES = 2, WIKIPEDIA_QUERY_CHARS = 300, WIKIPEDIA_TEXT_CHARS = 1000 };

/* Failures as of wikipedia_search.  `search` is called by many threads at once. */
typedef struct {
    Status (*search)(void *self, Span query, Str *answer);
    void (*close)(void *self);
} WikipediaSource;

Wikipedia *wikipedia_of(const WikipediaSource *source, void *self);

/* The first `most` characters of valid UTF-8. */
Span wikipedia_cut(Span text, size_t most);

/* Adds an article to the answer that starts at answer->at + from. */
void wikipedia_add_page(Str *answer, size_t from, const char *title, Span summary);
/* Cuts the answer, or says that there is none. */
void wikipedia_end(Str *answer, size_t from);

#endif
