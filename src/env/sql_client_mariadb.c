/* The client by libmariadb (MariaDB Connector/C, LGPL 2.1, linked as a shared library). */
#include <errmsg.h>
#include <mysql.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "env/sql_client.h"

enum {
    CONNECT_SECONDS = 10,
    LOOK_MS = 50,      /* between two looks at `stopped`                                          */
    GRACE_SECONDS = 5, /* for a server that keeps the time itself to say so, before we give it up */
    BINARY_CHARSET = 63,
    MARIADB_TIMEOUT =
        1969, /* the errors of a server that ends a query: ER_STATEMENT_TIMEOUT, ER_QUERY_TIMEOUT */
    MYSQL_TIMEOUT = 3024
};

struct SqlClient {
    MYSQL *mysql; /* NULL: given up */
    char *version;
};

Status sql_client_built(void)
{
    return ST_OK;
}

bool sql_client_is_open(const SqlClient *c)
{
    return c->mysql != NULL;
}

const char *sql_client_version(const SqlClient *c)
{
    return c->version;
}

static void give_up(SqlClient *c)
{
    if (c->mysql)
        mysql_close(c->mysql);
    c->mysql = NULL;
}

void sql_client_close(SqlClient *c)
{
    if (!c)
        return;
    give_up(c);
    mem_free(c->version);
    mem_free(c);
}

Status sql_client_open(SqlClient **out, const SqlAddress *where, const char *database)
{
    const unsigned int seconds = CONNECT_SECONDS, no_files = 0;
    MYSQL *m = mysql_init(NULL);
    if (!m)
        return fail(ST_NOMEM, "no memory for a connection");
    mysql_options(m, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(m, MYSQL_OPT_LOCAL_INFILE, &no_files); /* a server may ask its client for a file: never */
    mysql_options(m, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(m, MYSQL_READ_DEFAULT_FILE, "/dev/null"); /* nobody's settings but these */
    if (!mysql_real_connect(m, where->socket ? "localhost" : where->host, where->user, where->password,
                            database, (unsigned)(where->port ? where->port : 3306), where->socket, 0)) {
        Str place = {0};
        sql_address_add(&place, where);
        Status st = fail(ST_PEER, "%s: %s", str_c(&place), mysql_error(m));
        str_drop(&place);
        mysql_close(m);
        return st;
    }
    SqlClient *c = mem_new(SqlClient);
    c->mysql = m;
    c->version = mem_str(mysql_get_server_info(m));
    *out = c;
    return ST_OK;
}

/* What comes back. --------------------------------------------------------------------------------------- */

static SqlCellKind kind_of(const MYSQL_FIELD *f)
{
    switch (f->type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR: return SQL_CELL_INT;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL: return SQL_CELL_DECIMAL;
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE: return SQL_CELL_REAL;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE: return SQL_CELL_DATE;
    case MYSQL_TYPE_TIME: return SQL_CELL_TIME;
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP: return SQL_CELL_DATETIME;
    case MYSQL_TYPE_BIT: return SQL_CELL_BIT;
    default:
        return f->charsetnr == BINARY_CHARSET && f->type != MYSQL_TYPE_NULL ? SQL_CELL_BYTES : SQL_CELL_TEXT;
    }
}

static bool is_stopped(const SqlLimits *l)
{
    return l->stopped && l->stopped(l->stopped_context);
}

/* Until the answer's first bytes are there. */
static SqlOutcome wait_for_answer(SqlClient *c, const SqlLimits *limits)
{
    double end = clock_now() + limits->seconds + GRACE_SECONDS;
    struct pollfd fd = {.fd = mysql_get_socket(c->mysql), .events = POLLIN};
    for (;;) {
        int n = poll(&fd, 1, LOOK_MS);
        if (n > 0)
            return SQL_RAN;
        if (is_stopped(limits))
            return SQL_STOPPED;
        if (clock_now() > end)
            return SQL_TIME;
    }
}

static SqlOutcome ended(SqlClient *c, SqlAnswer *out, SqlOutcome outcome)
{
    str_clear(&out->error);
    str_adds(&out->error, outcome == SQL_TIME    ? "ran past its time"
                          : outcome == SQL_LARGE ? "gives more than is allowed"
                                                 : "stopped");
    give_up(c);
    return outcome;
}

static bool is_lost(int code)
{
    return code == CR_SERVER_GONE_ERROR || code == CR_SERVER_LOST ||
           (code >= CR_MIN_ERROR && code <= CR_MAX_ERROR);
}

static Status refused(SqlClient *c, SqlAnswer *out)
{
    out->code = (int)mysql_errno(c->mysql);
    str_adds(&out->error, mysql_error(c->mysql));
    out->outcome = out->code == MARIADB_TIMEOUT || out->code == MYSQL_TIMEOUT ? SQL_TIME : SQL_ERROR;
    if (!is_lost(out->code))
        return ST_OK;
    give_up(c);
    return fail(ST_PEER, "the server of databases: %s", str_c(&out->error));
}

static void keep_row(SqlAnswer *out, MYSQL_ROW row, const unsigned long *lengths, int64_t *bytes)
{
    for (size_t i = 0; i < out->columns.n; i++) {
        SqlCell cell = {{NULL, 0}};
        if (row[i])
            cell.text = (Span){arena_strn(&out->arena, row[i], lengths[i]), lengths[i]};
        *bytes += (int64_t)(sizeof cell + cell.text.n);
        array_push(&out->cells, cell);
    }
    out->rows++;
}

static Status take_rows(SqlClient *c, SqlAnswer *out, MYSQL_RES *list, const SqlLimits *limits)
{
    MYSQL_ROW row;
    int64_t bytes = 0;
    double end = clock_now() + limits->seconds + GRACE_SECONDS;
    unsigned n = mysql_num_fields(list);
    const MYSQL_FIELD *fields = mysql_fetch_fields(list);
    for (unsigned i = 0; i < n; i++)
        array_push(&out->columns, kind_of(&fields[i]));
    while ((row = mysql_fetch_row(list))) {
        keep_row(out, row, mysql_fetch_lengths(list), &bytes);
        bool large = out->rows > limits->rows || bytes > limits->bytes, look = out->rows % 4096 == 0;
        if (large || (look && (clock_now() > end || is_stopped(limits)))) {
            shutdown(mysql_get_socket(c->mysql), SHUT_RDWR); /* else freeing the list reads all of the rest */
            mysql_free_result(list);
            out->outcome = ended(c, out, large ? SQL_LARGE : is_stopped(limits) ? SQL_STOPPED : SQL_TIME);
            return ST_OK;
        }
    }
    Status st = mysql_errno(c->mysql) ? refused(c, out) : ST_OK;
    mysql_free_result(list);
    return st;
}

Status sql_client_ask(SqlClient *c, SqlAnswer *out, Span statement, const SqlLimits *limits)
{
    out->outcome = SQL_RAN;
    out->listed = false;
    out->rows = out->code = 0;
    array_clear(&out->columns);
    array_clear(&out->cells);
    str_clear(&out->error);
    arena_clear(&out->arena);
    if (!c->mysql)
        return fail(ST_PEER, "the connection to the server of databases has ended");
    if (mysql_send_query(c->mysql, statement.at, statement.n))
        return refused(c, out);
    SqlOutcome wait = wait_for_answer(c, limits);
    if (wait != SQL_RAN) {
        out->outcome = ended(c, out, wait);
        return ST_OK;
    }
    if (mysql_read_query_result(c->mysql))
        return refused(c, out);
    MYSQL_RES *list = mysql_use_result(c->mysql);
    if (!list)
        return mysql_errno(c->mysql) ? refused(c, out) : ST_OK;
    out->listed = true;
    return take_rows(c, out, list, limits);
}
