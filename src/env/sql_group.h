/* Which grouped queries MySQL's ONLY_FULL_GROUP_BY refuses, told from the query's words and the tables' keys;
 * for sql_sqlite.c and sql_server.c, as neither SQLite nor MariaDB follows MySQL there: SQLite takes any
 * column, and MariaDB knows nothing of keys.
 *
 * A column of the select list or of ORDER BY outside of aggregates must stand in GROUP BY or be determined by
 * it: by the primary key of its table, by equalities of columns and constants in ON and WHERE.  Refused is
 * only what is surely so; a query with windows, USING, NATURAL, or a column of unknown place is let pass.
 * Source: MySQL 8.0 Reference Manual, 12.19.3 and 12.19.4. */
#ifndef ENV_SQL_GROUP_H
#define ENV_SQL_GROUP_H

#include "env/sql_select.h"

/* Appends MySQL's words to *error where it refuses the query. */
bool sql_group_refuses(Str *error, const SqlSchema *schema, const char *database, Span query);

#endif
