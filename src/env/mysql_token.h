/* The words of a file that mysqldump wrote.  For mysql_dump.c.
 * Source: MySQL 8.0 Reference Manual, 9.1 (literals), 9.2 (names) and 9.7 (comments). */
#ifndef ENV_MYSQL_TOKEN_H
#define ENV_MYSQL_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

typedef enum {
    MYSQL_END,
    MYSQL_WORD,   /* a keyword or bare name, as written        */
    MYSQL_NAME,   /* `so quoted`, without its quotes           */
    MYSQL_STRING, /* 'so quoted', escapes resolved; any bytes  */
    MYSQL_NUMBER, /* digits as written, without a sign         */
    MYSQL_BYTES,  /* 0x4142 or x'4142', as the bytes they mean */
    MYSQL_MARK,   /* one character                             */
} MysqlKind;

typedef struct {
    MysqlKind kind;
    Span text; /* lives until the next token is read */
} MysqlToken;

typedef struct {
    const char *at, *end;
    const char *file; /* for sentences */
    int64_t line;     /* of what was read last, from 1 */
    Str text;
} MysqlReader;

/* Over blanks and comments, those that a server of some version runs among them: in a dump they set variables
 * and wrap views, which are left out.
 *   ST_FORMAT  a string, name or comment without its end; digits in 0x.. that are none; a NUL in a name */
MUST_CHECK Status mysql_token_next(MysqlReader *r, MysqlToken *out);
bool mysql_token_is(const MysqlToken *t, const char *word); /* a bare word, A-Z like a-z, or a mark */
/* Over a word or mark that must stand here; over one if it stands here; a name, bare or quoted, is appended
 * to *out.  `now` is the token that stands here, before and after.  ST_FORMAT with what was found instead. */
MUST_CHECK Status mysql_token_expect(MysqlReader *r, MysqlToken *now, const char *word);
MUST_CHECK Status mysql_token_accept(MysqlReader *r, MysqlToken *now, const char *word, bool *was);
MUST_CHECK Status mysql_token_name(MysqlReader *r, MysqlToken *now, Str *out);
Status mysql_token_refuse(const MysqlReader *r, const MysqlToken *now, Status st, const char *what);
void mysql_reader_drop(MysqlReader *r);

#endif
