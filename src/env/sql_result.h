/* Runs a query that a model wrote on an SQLite database, and holds what it gave.
 *
 * What bounds it: the database is opened read-only and immutable (a file) or as a read-only image in memory;
 * an authorizer lets a query read, call functions other than load_extension, and recurse, and nothing else:
 * no writing, ATTACH, transaction, no PRAGMA but table_info and foreign_key_list; nothing is spilt to disk;
 * time, rows and bytes of the result, lengths of values, patterns and the query's program are limited.  What
 * does not: SQLite runs in this process, so a fault in SQLite is one of ours; the bound on working memory is
 * one for all queries that run at the same time, and the one that meets it is ended, whoever holds most; one
 * call of a function on values of 4 MB is not interrupted.
 *
 *     sqlite3 *db;
 *     SqlResult r = {0};
 *     SqlLimits limits = sql_limits();
 *     TRY(sql_open_file(&db, "concert_singer.sqlite"));
 *     if (sql_run(db, span("SELECT count(*) FROM singer"), &limits, &r) == SQL_RAN)
 *         ... sql_value(&r, row, column)->kind ...
 *     sql_result_drop(&r);
 *     sqlite3_close(db);
 */
#ifndef ENV_SQL_RESULT_H
#define ENV_SQL_RESULT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/str.h"

typedef enum { SQL_NULL, SQL_INT, SQL_REAL, SQL_TEXT, SQL_BLOB } SqlKind;
typedef struct {
    SqlKind kind;
    union {
        int64_t whole;
        double real;
        Span bytes; /* TEXT: UTF-8, bytes that are none left out as Python's errors="ignore" does */
    };
} SqlValue;

typedef enum {
    SQL_RAN,
    SQL_ERROR,     /* SQLite refuses the text, or a value in it at run time; no statement, or several */
    SQL_FORBIDDEN, /* it would do something else than read                                            */
    SQL_TIME,      /* ran past the limit                                                              */
    SQL_LARGE,     /* more rows, bytes or working memory than allowed                                 */
    SQL_STOPPED,   /* as `stopped` asked                                                              */
} SqlOutcome;

typedef struct {
    double seconds;
    int64_t rows, bytes;            /* of the result                      */
    int64_t memory_bytes;           /* that SQLite takes for the query    */
    bool (*stopped)(void *context); /* NULL: nobody asks */
    void *stopped_context;
} SqlLimits;
/* 30 s, 1 000 000 rows, 256 MB, 1 GB.  (taoyds/test-suite-sql-eval exec_eval.py allows 60 s and has no
 * other.) */
SqlLimits sql_limits(void);

typedef struct {
    int64_t rows, columns;
    Array(SqlValue) values; /* [rows * columns] */
    Array(Span) declared;   /* [columns] the type that its table declares; empty of an expression */
    Str error;              /* what SQLite says; empty after SQL_RAN */
    Arena arena;
} SqlResult; /* {0} the first time; later runs keep the memory */
const SqlValue *sql_value(const SqlResult *r, int64_t row, int64_t column);
void sql_result_drop(SqlResult *r);

/* A connection for sql_run; one thread at a time; the caller closes it with sqlite3_close.
 *   ST_IO  no such file      ST_FORMAT  no database of SQLite */
MUST_CHECK Status sql_open_file(sqlite3 **out, const char *path);
/* Of the bytes of a database file, which stay the caller's, unchanged, until the connection is closed. */
MUST_CHECK Status sql_open_image(sqlite3 **out, Span image);

/* Runs one statement; fills *out anew. */
SqlOutcome sql_run(sqlite3 *db, Span query, const SqlLimits *limits, SqlResult *out);

#endif
