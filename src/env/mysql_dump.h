/* A file that mysqldump 8 wrote, as SQLite databases in memory: one for each database that the dump names.
 *
 * Taken over: tables with their columns, types as MySQL calls them (SQLite keeps the words and gives each the
 * affinity that the like type of its own has; enum, set and json become text, bit and binary blob), NOT NULL,
 * defaults, primary, unique and foreign keys, and all rows in their order.  Left out: plain indexes,
 * AUTO_INCREMENT, CHECK, character sets, engines, comments, users and grants, and what stands in comments for
 * servers of some version (views, triggers, variables).  Refused by name: any other statement, type or
 * expression; nothing of the dump is run as SQL, its names and values are only ever quoted or bound.
 *
 *     MysqlDumpSpec spec = {.take = keep, .context = &mine};
 *     TRY(mysql_dump_read(&counts, "ic_spider_dbs.sql", &spec));
 *
 * Source of the syntax: MySQL 8.0 Reference Manual, 13.1.20 (CREATE TABLE), 13.2.6 (INSERT); what a dump
 * holds as mysqldump 8.0.30 writes it. */
#ifndef ENV_MYSQL_DUMP_H
#define ENV_MYSQL_DUMP_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

typedef struct {
    /* Given each database when all is read, in the order of their first mention; the callee closes `db`, also
     * when it fails.  Names are 1 to 64 bytes, without '/' and NUL, and do not begin with a dot. */
    Status (*take)(void *context, const char *name, sqlite3 *db);
    void *context;
    const char *database; /* for tables that stand before any USE; NULL: those are refused */
    bool ignore_case; /* text is compared without regard to the case of A-Z, as MySQL's *_ci collations do */
    bool progress;    /* a line that says how far it is */
    bool (*stopped)(void *context); /* true: ST_CANCELLED; NULL: nobody asks */
    void *stopped_context;
} MysqlDumpSpec;

typedef struct {
    int64_t databases, tables, rows;
} MysqlDumpCounts;

/* `take` is called on success only.
 *   ST_IO           cannot be read          ST_CANCELLED  as `stopped` asked
 *   ST_FORMAT       no dump, cut off, or a row that its table refuses: file and line are named
 *   ST_UNSUPPORTED  a statement, type or expression that is not taken over: named, with its line */
MUST_CHECK Status mysql_dump_read(MysqlDumpCounts *counts, const char *path, const MysqlDumpSpec *spec);
/* The same of text in memory; `name` is for sentences. */
MUST_CHECK Status mysql_dump_read_text(MysqlDumpCounts *counts, Span text, const char *name,
                                       const MysqlDumpSpec *spec);

#endif
