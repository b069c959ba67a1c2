/* SQL text as the words that Spider's published parser sees.
 *
 * taoyds/test-suite-sql-eval, commit e97acc5, process_sql.py, tokenize: every quote is a double one, a quoted
 * value is one word, the rest goes through NLTK's word_tokenize (nltk/tokenize/destructive.py), words are
 * lower case, and "! =", "> =", "< =" are joined.  So "a=1" is one word, "a,b" are three and "1,2" is one.
 * NLTK's split into sentences is left out: where it would matter, at "." before a blank or a mark inside the
 * text, published code cannot parse the words either way. */
#ifndef EVAL_SPIDER_TOKENS_H
#define EVAL_SPIDER_TOKENS_H

#include "base/arena.h"
#include "base/array.h"
#include "base/str.h"

typedef Array(Span) SpiderTokens; /* the words live in the arena; values with their quotes, "so" */

/* ST_FORMAT  an odd number of quotes; more than 20 000 bytes or a NUL */
MUST_CHECK Status spider_tokens_read(SpiderTokens *out, Arena *arena, Span query);

#endif
