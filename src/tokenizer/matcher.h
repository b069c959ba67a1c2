/* Finds whole strings in text, longest first: added tokens, and the pieces a SentencePiece model keeps whole.
 */
#ifndef TOKENIZER_MATCHER_H
#define TOKENIZER_MATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/str.h"

typedef struct {
    Span text; /* borrowed, never empty */
    int32_t id;
    bool left_strip, right_strip, single_word; /* as Hugging Face's lstrip, rstrip, single_word */
} Needle;

typedef struct {
    Array(Needle) needles;
    uint32_t first[257]; /* needles that begin with byte b: [first[b], first[b + 1]), longest first */
} Matcher;

typedef struct {
    size_t start, end; /* end == start: nothing found */
    int32_t id;
} Found;

void matcher_add(Matcher *m, Needle needle);
void matcher_ready(Matcher *m); /* after the last add, before the first search */
void matcher_drop(Matcher *m);

/* The longest needle at text[0..n), or NULL; looks at nothing around it. */
const Needle *matcher_at(const Matcher *m, const char *text, size_t n);

/* The first match in text[from..n) with the white space that it swallows; start == end == n when there is
 * none. */
Found matcher_next(const Matcher *m, const char *text, size_t n, size_t from);

#endif
