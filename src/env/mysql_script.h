/* The statements of a file that mysqldump wrote, carried out by a server.
 *
 * Passed over: what makes users and gives them rights (CREATE USER, GRANT, FLUSH), which are the server's own
 * matter.  All else is run as it stands, so by a user whose rights are no more than making tables. */
#ifndef ENV_MYSQL_SCRIPT_H
#define ENV_MYSQL_SCRIPT_H

#include "env/sql_client.h"

/* The statements in their order, up to the first that fails.
 *   ST_FORMAT     one is refused, or does not end: file and line are named
 *   ST_IO         the file cannot be read
 *   ST_PEER       the connection broke          ST_CANCELLED  as limits->stopped asked */
MUST_CHECK Status mysql_script_run(SqlClient *c, const char *path, const SqlLimits *limits);
/* The same of text in memory; `name` is for sentences. */
MUST_CHECK Status mysql_script_run_text(SqlClient *c, Span text, const char *name, const SqlLimits *limits);

#endif
