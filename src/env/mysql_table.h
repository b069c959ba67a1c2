/* CREATE TABLE as mysqldump writes it, as one that SQLite takes.  For mysql_dump.c, whose header says what is
 * taken over. */
#ifndef ENV_MYSQL_TABLE_H
#define ENV_MYSQL_TABLE_H

#include "env/mysql_token.h"

/* From behind the words CREATE TABLE to behind the ';'.  Appends the table's name to *name and the statement
 * to *sql.  Failures as of mysql_dump_read. */
MUST_CHECK Status mysql_table_read(MysqlReader *r, MysqlToken *now, bool ignore_case, Str *name, Str *sql);

/* Appends a name, in double quotes where SQLite would not take it bare. */
void mysql_table_add_name(Str *sql, Span name);

#endif
