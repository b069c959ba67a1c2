/* The words of one query in MySQL's SQL; for what reads queries without running them.
 * Source: MySQL 8.0 Reference Manual, 9.1 (literals), 9.2 (names), 9.7 (comments). */
#ifndef ENV_SQL_TOKEN_H
#define ENV_SQL_TOKEN_H

#include <stdbool.h>

#include "base/array.h"
#include "base/str.h"

typedef enum {
    SQL_TOKEN_WORD,
    SQL_TOKEN_NUMBER,
    SQL_TOKEN_TEXT,
    SQL_TOKEN_NAME,
    SQL_TOKEN_MARK
} SqlTokenKind;
typedef struct {
    SqlTokenKind kind; /* TEXT: in ' or "; NAME: in backticks */
    Span text;         /* a view of the query, quotes included */
} SqlToken;
typedef Array(SqlToken) SqlTokens;

/* Appends; blanks and comments are left out.  NULL, or where a quote or comment is opened that nothing
 * closes. */
const char *sql_tokens_split(SqlTokens *out, Span query);
bool sql_token_is(const SqlToken *t, const char *word);             /* a bare word, A-Z like a-z, or a mark */
bool sql_token_is_any(const SqlToken *t, const char *const *words); /* NULL at the end */

/* Behind the bracket that closes the one at i. */
size_t sql_tokens_behind_bracket(const SqlTokens *t, size_t i);
/* The first of `words` in [i, end) outside of the brackets that are opened there; or the bracket that closes
 * one opened before; or end. */
size_t sql_tokens_find(const SqlTokens *t, size_t i, size_t end, const char *const *words);

/* The next word of a statement, or a name in quotes without them; moves *rest behind it. */
Span sql_word_next(Span *rest);
bool sql_word_is(Span word, const char *text); /* A-Z like a-z */

#endif
