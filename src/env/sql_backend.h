/* What stands behind sql.h: SQLite or a server.  Only sql.c and the two use it. */
#ifndef ENV_SQL_BACKEND_H
#define ENV_SQL_BACKEND_H

#include "env/sql.h"

typedef struct {
    bool (*has)(const void *all, const char *database);
    /* The functions of sql.h of these names; *world is the backend's own. */
    Status (*open)(void **world, const void *all, const char *database, const SqlLimits *limits);
    Status (*act)(void *world, SqlTurn *out, Span action);
    void (*end)(void *world);
    void (*close)(void *all);
} SqlBackend;

extern const SqlBackend sql_on_sqlite, sql_on_server;
MUST_CHECK Status sql_sqlite_open_dump(void **all, const char *dump, bool (*stopped)(void *), void *context);
MUST_CHECK Status sql_sqlite_open_folder(void **all, const char *folder); /* Spider's */
/* "auto": with this dump. */
MUST_CHECK Status sql_server_open(void **all, const char *server, const char *dump, bool (*stopped)(void *),
                                  void *context);
const char *sql_server_version(const void *all);

/* "Error executing query: " and why. */
Status sql_turn_fail(SqlTurn *out, const char *why);

#endif
