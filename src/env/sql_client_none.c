/* Built where libmariadb is not. */
#include "env/sql_client.h"

Status sql_client_built(void)
{
    return fail(ST_UNSUPPORTED,
                "this lemur was built without a client of MySQL's protocol: install libmariadb-dev "
                "(./setup.sh does) and build again with make");
}

Status sql_client_open(SqlClient **out, const SqlAddress *where, const char *database)
{
    (void)out, (void)where, (void)database;
    return sql_client_built();
}

Status sql_client_ask(SqlClient *c, SqlAnswer *out, Span statement, const SqlLimits *limits)
{
    (void)c, (void)out, (void)statement, (void)limits;
    return sql_client_built();
}

bool sql_client_is_open(const SqlClient *c)
{
    (void)c;
    return false;
}

const char *sql_client_version(const SqlClient *c)
{
    (void)c;
    return "";
}

void sql_client_close(SqlClient *c)
{
    (void)c;
}
