/* The tables and columns of a database as Spider's published code names them, and which columns count as one
 * because of foreign keys.
 *
 * taoyds/test-suite-sql-eval, commit e97acc5: process_sql.py (Schema, get_schema) and evaluation.py
 * (build_foreign_key_map: a key joins the first set that holds either of its columns, sets never merge, and a
 * set goes by its column that comes first). */
#ifndef EVAL_SPIDER_SCHEMA_H
#define EVAL_SPIDER_SCHEMA_H

#include <jansson.h>
#include <sqlite3.h>

#include "base/str.h"

typedef struct SpiderSchema SpiderSchema;

/* Tables and columns as the database has them.  Foreign keys: of `entry`, which is the database's object in
 * Spider's tables.json, or of the database where that is NULL.  Caller frees.
 *   ST_FORMAT  the schema cannot be read; entry is no such object     ST_LIMIT  10 000 columns, 2000 keys */
MUST_CHECK Status spider_schema_read(SpiderSchema **out, sqlite3 *db, const json_t *entry);
void spider_schema_free(SpiderSchema *s);

/* Names in lower case. */
bool spider_schema_has_table(const SpiderSchema *s, Span table);
bool spider_schema_has_column(const SpiderSchema *s, Span table, Span column);
bool spider_schema_has(const SpiderSchema *s, Span id); /* "table", "table.column" or "*" */
/* "table.column" that stands for this one; itself where it is no key.  Lives as long as the schema or `id`.
 */
Span spider_schema_key_of(const SpiderSchema *s, Span id);
int64_t spider_schema_tables(const SpiderSchema *s);
Span spider_schema_table_at(const SpiderSchema *s, int64_t i);

#endif
