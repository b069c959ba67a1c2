/* Which of several unknown columns in ON MySQL names: that of the last JOIN, where SQLite and MariaDB name
 * the first. For sql_sqlite.c and sql_server.c.  Source: recorded messages. */
#ifndef ENV_SQL_UNKNOWN_H
#define ENV_SQL_UNKNOWN_H

#include "env/sql_select.h"

/* Where *error is MySQL's "Unknown column '...' in 'on clause'", puts the column there that MySQL names. */
void sql_unknown_column(Str *error, const SqlSchema *schema, Span query);

#endif
