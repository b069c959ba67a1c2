/* What MySQL's words are in SQLite's, and the other way about; for sql_sqlite.c and
 * sql_server.c.
 *
 * Done: "text" is a string; backslashes in strings; / is no whole number; || is OR, && AND; MySQL's reserved
 * words refused where they would be names (FROM SHOW); subqueries in FROM need a name; no LIMIT in
 * IN (SELECT ...); no blank between COUNT and its bracket; concat, year, month, day, if; errors in MySQL's
 * wording.  ONLY_FULL_GROUP_BY: sql_group.h.
 * Source: MySQL 8.0 Reference Manual, 9.1.1, 9.2.5, 9.3, 12.20.3, and recorded messages. */
#ifndef ENV_SQL_MYSQL_H
#define ENV_SQL_MYSQL_H

#include <sqlite3.h>

#include "base/str.h"

/* Overwrites *out with the query for SQLite, or *error with what MySQL says of it: then false. */
bool sql_mysql_query(Str *out, Str *error, const char *database, Span query);
/* What MySQL refuses from the words alone, and others take: overwrites *error with what it says of it.  A
 * quote or comment that nothing closes is left to them. */
bool sql_mysql_refuses(Str *error, const char *database, Span query);
/* Appends that there is no such statement from `at` on. */
void sql_mysql_syntax_error(Str *error, Span query, const char *at);
/* Overwrites *out with MySQL's wording of what SQLite said of `query`. */
void sql_mysql_error(Str *out, const char *says, const char *database, Span query);
void sql_mysql_functions(sqlite3 *db); /* adds MySQL's own, and how it compares text */

#endif
