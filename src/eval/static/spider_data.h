/* The databases of Spider: where they are, what is in them, how they are opened.  For spider.c.
 *
 * Published layout below the data folder:
 *     spider/tables.json                      foreign keys, among others
 *     spider/database/<db>/<db>.sqlite        the database of the questions
 *     spider/test_database/<db>/X.sqlite      others with the same schema (Zhong, Yu and Klein 2020); where a
 *                                             folder for <db> is there, a query must match on every one of
 * them InterCode's: intercode/sql/ic_spider_dbs.sql, a MySQL dump, from which databases are made in memory.
 */
#ifndef EVAL_STATIC_SPIDER_DATA_H
#define EVAL_STATIC_SPIDER_DATA_H

#include "base/array.h"
#include "eval/spider_schema.h"

typedef struct {
    char *name;
    char *text;           /* its CREATE TABLE statements, each ended by ";\n" */
    SpiderSchema *schema; /* NULL until it is asked for */
    Array(char *) files;  /* to match on; or */
    Span image;           /* the bytes of the one database, owned */
} SpiderDatabase;

typedef struct {
    const char *data;
    json_t *tables; /* tables.json, or NULL */
    Array(SpiderDatabase *) all;
} SpiderData;

/* One of the two.  Errors name the file that is missing and say how to get it. */
MUST_CHECK Status spider_data_open_published(SpiderData *d, const char *data);
MUST_CHECK Status spider_data_open_dump(SpiderData *d, const char *data, bool (*stopped)(void *),
                                        void *context);
void spider_data_close(SpiderData *d);

/* The database of that name, its text and schema read.  The first time for a name
 * no other thread may read d; later it only looks, from any thread.
 *   ST_IO, ST_FORMAT  it is not there, or none */
MUST_CHECK Status spider_data_find(const SpiderDatabase **out, SpiderData *d, const char *name);

/* How many databases a query must match on, and the i-th of them, opened as by sql_open_*.  Any threads. */
int64_t spider_data_variants(const SpiderDatabase *db);
MUST_CHECK Status spider_data_connect(sqlite3 **out, const SpiderDatabase *db, int64_t i);

#endif
