/* A MariaDB server of our own: started on an empty folder, reached by a socket in it and by nothing else, and
 * gone with us.
 *
 *     MariadbdSpec spec = {.dump = "ic_spider_dbs.sql"};
 *     Mariadbd *server;
 *     TRY(mariadbd_start(&server, &spec));                    half a second, and the dump's time
 *     SqlClient *c;
 *     TRY(sql_client_open(&c, mariadbd_reader(server), "world_1"));
 *     mariadbd_stop(server);
 *
 * As the original's server is set: names of tables are those of lower case, utf8mb4_general_ci, MySQL 8's
 * default sql_mode with ONLY_FULL_GROUP_BY.  No network; the folder is ours alone (0700), below TMPDIR, and
 * removed by mariadbd_stop; one that a killed process left is removed by the next start.  The kernel ends the
 * server with the thread that started it, so whatever becomes of that one none is left over.  Keys on the
 * terminal do not reach it.  Its files may not grow beyond 1 GB, a session's memory not beyond 512 MB.
 *
 * Users: `reader` may read and no more (no FILE, no writing, no rights to give); the dump is loaded by
 * `loader`, who may make tables and no more, and whose account is gone before anybody reads. */
#ifndef ENV_MARIADBD_H
#define ENV_MARIADBD_H

#include "env/sql_client.h"

typedef struct {
    const char *dump;               /* of mysqldump, loaded first; NULL: no databases */
    const char *program;            /* mariadbd; NULL: as found in PATH and the usual places */
    bool (*stopped)(void *context); /* true: ST_CANCELLED; NULL: nobody asks */
    void *stopped_context;
} MariadbdSpec;

typedef struct Mariadbd Mariadbd;
/*   ST_UNSUPPORTED  no mariadbd here, or no client in this build: the sentence says what to install
 *   ST_IO           no folder below TMPDIR; the server ends at once (its last words) or does not answer
 *   ST_FORMAT       the dump has a statement that it refuses, named with its line      ST_CANCELLED */
MUST_CHECK Status mariadbd_start(Mariadbd **out, const MariadbdSpec *spec);
const SqlAddress *
mariadbd_reader(const Mariadbd *m); /* where `reader` connects to; lives as long as the server */
void mariadbd_stop(Mariadbd *m);    /* NULL is fine */

#endif
