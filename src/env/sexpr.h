/* Text in parentheses, as PDDL has it, read into a tree.  Words are made lower case, ';' begins a comment
 * that ends with its line, and a comma is white space (ALFWorld's domain separates variables by one). */
#ifndef ENV_SEXPR_H
#define ENV_SEXPR_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

enum { SEXPR_DEPTH_MAX = 64, SEXPR_BYTES_MAX = 8 << 20 };

typedef struct Sexpr Sexpr;
struct Sexpr {
    const char *word; /* NULL: a list */
    int line;         /* from 1       */
    Sexpr *first, *next;
};

/* One list with all in it; lives in *arena, words as parts of one copy of the text.  `what` begins the
 * sentence of a failure, with the line. ST_FORMAT  no list, parentheses that do not match, a control
 * character, text behind the list ST_LIMIT   deeper or larger than the above */
MUST_CHECK Status sexpr_read(Sexpr **out, Arena *arena, Span text, const char *what);

static inline bool sexpr_is(const Sexpr *s, const char *word)
{
    return s && s->word && span_is(span(s->word), word);
}

#endif
