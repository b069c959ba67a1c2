/* Stop strings in text that arrives in pieces: nothing of a stop string is ever let through, not even its
 * beginning at the end of a piece; that is held back until it is known to be something else.
 *
 *     Stops s;  stops_init(&s, strings, n);
 *     stops_push(&s, &out, piece, piece_n);   // out gets what is certain; s.found >= 0: the text ends here
 *     stops_flush(&s, &out);                  // what was held back was text after all
 *     stops_drop(&s); */
#ifndef INFER_STOPS_H
#define INFER_STOPS_H

#include "base/str.h"

typedef struct {
    const char *const *strings; /* borrowed, none empty */
    size_t n;
    Str held;
    int found; /* which string ended the text; -1: none so far */
} Stops;

void stops_init(Stops *s, const char *const *strings, size_t n);
void stops_drop(Stops *s);
/* The string that is complete first ends the text; of several that end together, the longest.  Afterwards
 * nothing comes out. */
void stops_push(Stops *s, Str *out, const char *text, size_t n);
void stops_flush(Stops *s, Str *out);

#endif
