/* One SELECT of a query by its words: its clauses, the tables in FROM, whose column a name is.  Nothing is
 * run; the tables are those of a schema.  For sql_group.c and sql_unknown.c. */
#ifndef ENV_SQL_SELECT_H
#define ENV_SQL_SELECT_H

#include "env/sql_token.h"

typedef struct {
    char *name;
    bool key; /* one of its table's primary key */
} SqlColumn;
typedef struct {
    char *name;
    Array(SqlColumn) columns;
} SqlTable;
/* {0} is one without tables. */
typedef struct {
    Array(SqlTable) tables;
} SqlSchema;
/* Adds a column to a table, which is made where it is not there; a table's columns come one after the other.
 */
void sql_schema_add(SqlSchema *s, const char *table, const char *column, bool key);
void sql_schema_drop(SqlSchema *s);
const SqlColumn *sql_table_column(const SqlTable *t, Span name); /* NULL: none of that name, or no table */

/* Words [from, to) of the query; empty of a clause that is not there. */
typedef struct {
    size_t from, to;
} SqlPart;
/* A table in FROM. */
typedef struct {
    Span alias;            /* or its name */
    const SqlTable *table; /* NULL: a subquery, or not in the schema */
} SqlUsed;
enum { SQL_USED_MAX = 32 };
typedef struct {
    const SqlTokens *t;
    SqlPart list, from, where, group, having, order;
    size_t end; /* of it all */
    SqlUsed used[SQL_USED_MAX];
    int used_n;
    bool unclear; /* FROM holds what is not followed: USING, NATURAL, too many tables */
} SqlSelect;
/* Of the SELECT at word `select`; the tokens and the schema are kept. */
void sql_select_read(SqlSelect *out, const SqlTokens *t, const SqlSchema *schema, size_t select);

typedef struct {
    int used; /* -1: whose it is is not known */
    Span name;
} SqlColumnAt;
/* A column at word i and how many words it takes: "name", "alias.name"; 0: something else is there. */
size_t sql_select_column(const SqlSelect *s, size_t i, SqlColumnAt *out);
/* A name at word i, without its quotes; n is 0: no name. */
Span sql_select_name(const SqlSelect *s, size_t i);

#endif
