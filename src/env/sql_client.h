/* A connection to a server that speaks MySQL's protocol, and what a statement gave, as the server words it.
 * sql_client_mariadb.c is built where libmariadb is; else sql_client_none.c, whose open says how to have it.
 *
 *     SqlAddress where = {0};
 *     SqlClient *c;
 *     SqlAnswer a = {0};
 *     SqlLimits limits = sql_limits();
 *     TRY(sql_address_read(&where, "mysql://reader:secret@localhost:3306/"));
 *     TRY(sql_client_open(&c, &where, "world_1"));
 *     TRY(sql_client_ask(c, &a, span("SELECT 1"), &limits));
 *     if (a.outcome == SQL_RAN) ... a.cells.at[row * a.columns.n + column].text ...
 *     sql_answer_drop(&a);  sql_client_close(c);  sql_address_drop(&where);
 *
 * Source of the protocol's types and flags: MariaDB Connector/C 3.3, include/mysql.h and mariadb_com.h. */
#ifndef ENV_SQL_CLIENT_H
#define ENV_SQL_CLIENT_H

#include "env/sql_result.h"

/* Where a server is: by a socket's path, or by host and port. */
typedef struct {
    char *socket, *host, *user, *password; /* NULL: not given; owned */
    int port;                              /* 0: 3306 */
} SqlAddress;
/* "mysql://USER[:PASSWORD]@HOST[:PORT]/", or "[USER[:PASSWORD]@]/path/of/the.sock"; %41 is 'A' in user and
 * password.  A password that is not given is $LEMUR_SQL_PASSWORD where that is set.  ST_ARG: no such address;
 * the sentence does not repeat the password. */
MUST_CHECK Status sql_address_read(SqlAddress *out, const char *text);
void sql_address_drop(SqlAddress *a);
void sql_address_add(Str *out,
                     const SqlAddress *a); /* "root@localhost:3306", for people: without the password */

typedef enum {
    SQL_CELL_INT,
    SQL_CELL_DECIMAL,
    SQL_CELL_REAL,
    SQL_CELL_TEXT,
    SQL_CELL_BYTES,
    SQL_CELL_DATE,
    SQL_CELL_TIME,
    SQL_CELL_DATETIME,
    SQL_CELL_BIT, /* its bytes are a number's, the highest first */
} SqlCellKind;
typedef struct {
    Span text; /* as the server writes it; at is NULL: NULL */
} SqlCell;

typedef struct {
    SqlOutcome outcome; /* ERROR: the server refuses it; LARGE and STOPPED end the connection, TIME may */
    bool listed;        /* it has rows, be they none; false of a statement that gives no list */
    Array(SqlCellKind) columns;
    Array(SqlCell) cells; /* [rows * columns] */
    int64_t rows;
    int code;  /* MySQL's number of an error */
    Str error; /* its words */
    Arena arena;
} SqlAnswer; /* {0} the first time; later ones keep the memory */
void sql_answer_drop(SqlAnswer *a);

/* ST_UNSUPPORTED: built without libmariadb. */
MUST_CHECK Status sql_client_built(void);

/* One thread at a time. */
typedef struct SqlClient SqlClient;
/* Connects; database NULL: none.
 *   ST_PEER         nobody there, or not let in: the server's words          ST_UNSUPPORTED  as of
 * sql_client_built */
MUST_CHECK Status sql_client_open(SqlClient **out, const SqlAddress *where, const char *database);
/* Runs one statement; fills *out anew.  The limits' rows, bytes and seconds are watched from here, `stopped`
 * is asked all the while; working memory is the server's.  ST_PEER: the connection broke. */
MUST_CHECK Status sql_client_ask(SqlClient *c, SqlAnswer *out, Span statement, const SqlLimits *limits);
bool sql_client_is_open(const SqlClient *c);        /* false: ended with the last statement */
const char *sql_client_version(const SqlClient *c); /* "10.11.19-MariaDB-..." */
void sql_client_close(SqlClient *c);                /* NULL is fine */

#endif
