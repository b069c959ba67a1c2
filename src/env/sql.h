/* InterCode-SQL's world: databases asked one action at a time, each answered by the text that MySQL's Python
 * connector gives for it.  They are those of a MySQL dump or Spider's own files on SQLite, or stand on a
 * server that speaks MySQL's protocol.
 *
 *     SqlWorlds *all;
 *     TRY(sql_worlds_open(&all, "data/intercode/sql/ic_spider_dbs.sql", NULL, NULL));
 *     SqlWorld *w;
 *     TRY(sql_world_open(&w, all, "poker_player", NULL));
 *     SqlTurn t = {0};
 *     TRY(sql_world_act(w, &t, span("SHOW TABLES")));
 *     str_c(&t.text)                                   "[('people',), ('poker_player',)]"
 *     sql_turn_drop(&t);  sql_world_close(w);  sql_worlds_close(all);
 *
 * A database is read-only, so that each episode finds it fresh; a statement that writes is an error, where
 * the original carries it out and leaves it to the next tasks.  What is MySQL's and done on SQLite:
 * sql_mysql.h, sql_group.h; rows without ORDER BY come in SQLite's order, averages and sums of whole numbers
 * are floats, not Decimals, DESCRIBE knows nothing of auto_increment.  What a server differs in:
 * sql_server.h. Source: princeton-nlp/intercode, intercode/envs/sql/sql_env.py and experiments/policies.py;
 * recorded text.
 */
#ifndef ENV_SQL_H
#define ENV_SQL_H

#include "env/sql_result.h"

/* Where the data has InterCode's questions and databases. */
#define SQL_QUESTIONS "intercode/sql/ic_spider_dev.json"
#define SQL_DUMP "intercode/sql/ic_spider_dbs.sql"
/* Spider's own files, each database/NAME/NAME.sqlite. */
#define SQL_SPIDER "spider/database"

/* All databases; after opening read by any number of threads. */
typedef struct SqlWorlds SqlWorlds;
typedef enum {
    SQL_FROM_EITHER,
    SQL_FROM_DUMP,
    SQL_FROM_SPIDER
} SqlFrom; /* either: the dump where it is there */
typedef struct {
    const char *data; /* holds SQL_DUMP or SQL_SPIDER */
    SqlFrom from;
    const char *server; /* NULL: SQLite; "auto": one of our own (mariadbd.h), with the dump; else an address
                         * (sql_client.h), where the databases are */
    bool (*stopped)(void *context); /* NULL: nobody asks */
    void *stopped_context;
} SqlSource;
/* A server of our own lives as long as the thread that opened it.
 *   ST_ARG  Spider's files on a server; no address      others as of mysql_dump_read, mariadbd_start,
 *   sql_client_open */
MUST_CHECK Status sql_worlds_open_source(SqlWorlds **out, const SqlSource *source);
/* Those of a dump, on SQLite. */
/* Failures as of mysql_dump_read. */
MUST_CHECK Status sql_worlds_open(SqlWorlds **out, const char *dump, bool (*stopped)(void *), void *context);
const char *sql_worlds_server(const SqlWorlds *w); /* "SQLite", or a server's version */
const char *sql_worlds_from(const SqlWorlds *w);   /* "dump", "spider", "server": which databases they are */
bool sql_worlds_has(const SqlWorlds *w, const char *database);
void sql_worlds_close(SqlWorlds *w); /* NULL is fine; its worlds are closed before */

/* One database; one thread at a time. */
typedef struct SqlWorld SqlWorld;
SqlLimits sql_world_limits(void); /* 10 s, 100 000 rows, 64 MB, 1 GB */
/* limits NULL: those.  ST_ARG: no such database. */
MUST_CHECK Status sql_world_open(SqlWorld **out, const SqlWorlds *all, const char *database,
                                 const SqlLimits *limits);
void sql_world_close(SqlWorld *w); /* NULL is fine */

typedef struct {
    bool failed;        /* it was an error: the text says "Error executing query: ..." */
    SqlOutcome outcome; /* what the database made of it */
    Str text;           /* str() of the list of rows, or of the error; UTF-8 */
} SqlTurn;              /* {0} the first time; later turns keep the memory */
/* SHOW TABLES, SHOW COLUMNS FROM, DESCRIBE, DESC and queries.  Fills *out anew.  ST_CANCELLED: the limits'
 * `stopped` asked. */
MUST_CHECK Status sql_world_act(SqlWorld *w, SqlTurn *out, Span action);
/* The same with a task's gold query.  One that the database refuses is data, as of sql_world_act; one that
 * ran past its time or gave too much has no result to compare with.  ST_LIMIT: so it is. */
MUST_CHECK Status sql_world_gold(SqlWorld *w, SqlTurn *out, Span query);
bool sql_turn_lists(const SqlTurn *t); /* it gave a list of rows, be they none */
void sql_turn_drop(SqlTurn *t);

/* What a model's answer does, as InterCode's parser finds it: overwrites *action; false: no SQL in it, and
 * the action is the whole answer.  "skip" is one of those.  Its quirks are kept: outside a fence the first of
 * SHOW, SELECT, DESCRIBE, DESC in that order, upper-case and anywhere, begins the action, so that "select ...
 * ORDER BY x DESC" becomes "DESC". */
bool sql_action_read(Str *action, Span answer);

#endif
