/* Which of many texts stands in a longer one.
 *
 *     TextSet *s = text_set_new();
 *     text_set_add(s, span("new zoo"));               numbers them from 0
 *     text_set_end(s);
 *     text_set_longest(s, span("Where is the new zoo?"))   0; -1: none of them
 *     text_set_free(s);
 *
 * A search costs (bytes of the longer text) x (lengths that the texts have), however many there are. */
#ifndef BASE_TEXT_SET_H
#define BASE_TEXT_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

typedef struct TextSet TextSet;
TextSet *text_set_new(void);
/* A copy of a text that is not empty.  False: it is there already, and gets no other number. */
bool text_set_add(TextSet *s, Span text);
void text_set_end(TextSet *s); /* after the last one; then any number of threads may search */
/* The number of the longest text that `in` contains. */
int64_t text_set_longest(const TextSet *s, Span in);
void text_set_free(TextSet *s); /* NULL is fine */

#endif
