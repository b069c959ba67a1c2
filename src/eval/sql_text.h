/* Where SQL text has its words: quotes and comments are not looked into. */
#ifndef EVAL_SQL_TEXT_H
#define EVAL_SQL_TEXT_H

#include "base/str.h"

/* Bytes of what stands at text.at[at], at least 1: a quoted string or name, '...' "..." `...` [...]; a
 * comment,
 * -- to the end of its line or between slashes and asterisks; a word of letters, digits, _ $ # and bytes
 * beyond ASCII, with one mark of @ : $ before it; or one other character.  A quote or comment without its end
 * is one character. */
size_t sql_text_token(Span text, size_t at);

/* The first statement, its ';' included where there is one. */
Span sql_text_first(Span text);

#endif
