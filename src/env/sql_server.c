#include "env/sql_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/python_repr.h"
#include "env/mariadbd.h"
#include "env/sql_backend.h"
#include "env/sql_group.h"
#include "env/sql_mysql.h"
#include "env/sql_print.h"
#include "env/sql_token.h"

typedef struct {
    char *name; /* as the server writes it */
    SqlSchema schema;
} Database;

typedef struct {
    Mariadbd *own; /* NULL: somebody else's */
    SqlAddress address;
    char *version;
    bool mariadb;
    Array(Database) all;
} Server;

typedef struct {
    const Server *server;
    const Database *database;
    SqlClient *client; /* NULL: to be opened */
    SqlLimits limits;
    SqlAnswer answer;
    Str error;
} World;

/* The server. ---------------------------------------------------------------------------------------------
 */

static void close_server(void *all)
{
    Server *s = all;
    for (size_t i = 0; i < s->all.n; i++) {
        sql_schema_drop(&s->all.at[i].schema);
        mem_free(s->all.at[i].name);
    }
    array_drop(&s->all);
    mem_free(s->version);
    sql_address_drop(&s->address);
    mariadbd_stop(s->own);
    mem_free(s);
}

static const SqlAddress *address_of(const Server *s)
{
    return s->own ? mariadbd_reader(s->own) : &s->address;
}

static Status say(SqlClient *c, SqlAnswer *a, const char *statement, const SqlLimits *limits)
{
    TRY(sql_client_ask(c, a, span(statement), limits));
    if (a->outcome == SQL_RAN)
        return ST_OK;
    return fail(a->outcome == SQL_STOPPED ? ST_CANCELLED : ST_PEER, "the server of databases: %s: %s", statement,
                str_c(&a->error));
}

static const char schema_query[] =
    "SELECT c.TABLE_SCHEMA, c.TABLE_NAME, c.COLUMN_NAME, c.COLUMN_KEY FROM information_schema.COLUMNS c "
    "WHERE c.TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') "
    "ORDER BY c.TABLE_SCHEMA, c.TABLE_NAME, c.ORDINAL_POSITION";

static void take_schema(Server *s, const SqlAnswer *a)
{
    char words[4][65];
    for (int64_t row = 0; row < a->rows && a->columns.n == 4; row++) {
        for (int i = 0; i < 4; i++) { /* names of MySQL are of 64 characters */
            Span text = a->cells.at[row * 4 + i].text;
            size_t n = text.n < 64 ? text.n : 64;
            memcpy(words[i], n ? text.at : "", n);
            words[i][n] = 0;
        }
        if (s->all.n == 0 || strcmp(s->all.at[s->all.n - 1].name, words[0]) != 0) {
            Database d = {.name = mem_str(words[0])};
            array_push(&s->all, d);
        }
        sql_schema_add(&s->all.at[s->all.n - 1].schema, words[1], words[2], strcmp(words[3], "PRI") == 0);
    }
}

static Status look_around(Server *s, const SqlLimits *limits)
{
    SqlClient *c;
    SqlAnswer a = {0};
    TRY(sql_client_open(&c, address_of(s), NULL));
    s->version = mem_str(sql_client_version(c));
    s->mariadb = strstr(s->version, "MariaDB") != NULL;
    Status st = say(c, &a, schema_query, limits);
    if (st == ST_OK)
        take_schema(s, &a);
    sql_answer_drop(&a);
    sql_client_close(c);
    if (st == ST_OK && s->all.n == 0)
        st = fail(ST_ARG, "the server has no databases that this user may read; load the dump first "
                          "(mariadb < " SQL_DUMP "), or say --sql-server auto");
    return st;
}

Status sql_server_open(void **all, const char *server, const char *dump, bool (*stopped)(void *), void *context)
{
    Server *s = mem_new(Server);
    SqlLimits limits = sql_limits();
    limits.stopped = stopped;
    limits.stopped_context = context;
    MariadbdSpec own = {.dump = dump, .stopped = stopped, .stopped_context = context};
    Status st =
        strcmp(server, "auto") == 0 ? mariadbd_start(&s->own, &own) : sql_address_read(&s->address, server);
    if (st == ST_OK)
        st = look_around(s, &limits);
    if (st == ST_OK)
        *all = s;
    else
        close_server(s);
    return st == ST_OK ? ST_OK : fail_in(st, "--sql-server");
}

const char *sql_server_version(const void *all)
{
    const Server *s = all;
    return s->version;
}

/* A server whose names know no case has them all in lower case. */
static const Database *find(const Server *s, const char *name)
{
    for (size_t i = 0; i < s->all.n; i++)
        if (strcasecmp(s->all.at[i].name, name) == 0)
            return &s->all.at[i];
    return NULL;
}

static bool has(const void *all, const char *database)
{
    return find(all, database) != NULL;
}

/* A world. ------------------------------------------------------------------------------------------------
 */

static Status connect_world(World *w)
{
    Str time = {0};
    TRY(sql_client_open(&w->client, address_of(w->server), w->database->name));
    if (w->server->mariadb) {
        str_addf(&time, "SET SESSION max_statement_time = %.3f, sql_mode = REPLACE(@@sql_mode, 'ONLY_FULL_GROUP_BY', '')",
                 w->limits.seconds);
    } else {
        str_addf(&time, "SET SESSION max_execution_time = %.0f", w->limits.seconds * 1000);
    }
    Status st = say(w->client, &w->answer, str_c(&time), &w->limits);
    if (st == ST_OK)
        st = say(w->client, &w->answer, "SET SESSION TRANSACTION READ ONLY", &w->limits);
    if (st != ST_OK) { /* never one without its bounds */
        sql_client_close(w->client);
        w->client = NULL;
    }
    str_drop(&time);
    return st;
}

static void end(void *world)
{
    World *w = world;
    sql_client_close(w->client);
    sql_answer_drop(&w->answer);
    str_drop(&w->error);
    mem_free(w);
}

static Status open(void **world, const void *all, const char *database, const SqlLimits *limits)
{
    const Database *d = find(all, database);
    if (!d)
        return fail(ST_ARG, "no database '%.64s' on the server", database);
    World *w = mem_new(World);
    w->server = all;
    w->database = d;
    w->limits = *limits;
    Status st = connect_world(w);
    if (st == ST_OK)
        *world = w;
    else
        end(w);
    return st;
}

/* Values as Python prints them. ---------------------------------------------------------------------------
 */

static void add_bits(Str *out, Span bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.n && i < 8; i++)
        value = value << 8 | (unsigned char)bytes.at[i];
    str_addf(out, "%llu", (unsigned long long)value);
}

/* A date that is none, as 0000-00-00, is None there. */
static void add_cell(Str *out, SqlCellKind kind, Span text)
{
    bool good = text.at != NULL;
    if (good)
        switch (kind) {
        case SQL_CELL_INT: str_add(out, text.at, text.n); break;
        case SQL_CELL_DECIMAL: str_addf(out, "Decimal('%.*s')", (int)text.n, text.at); break;
        case SQL_CELL_REAL: python_repr_real(out, strtod(text.at, NULL)); break; /* the arena's copies end in NUL */
        case SQL_CELL_TEXT: sql_print_text(out, text); break;
        case SQL_CELL_BYTES: sql_print_bytes(out, text); break;
        case SQL_CELL_DATE: good = sql_print_date(out, text); break;
        case SQL_CELL_TIME: good = sql_print_timedelta(out, text); break;
        case SQL_CELL_DATETIME: good = sql_print_datetime(out, text); break;
        case SQL_CELL_BIT: add_bits(out, text); break;
        }
    if (!good)
        str_adds(out, "None");
}

/* `described`: of DESCRIBE, whose second column is the type. */
static void add_rows(Str *out, const World *w, bool described)
{
    const SqlAnswer *a = &w->answer;
    Str room = {0};
    size_t n = a->columns.n;
    str_addc(out, '[');
    for (size_t row = 0; row < (size_t)a->rows; row++) {
        str_adds(out, row ? ", (" : "(");
        for (size_t i = 0; i < n; i++) {
            Span text = a->cells.at[row * n + i].text;
            bool type = described && i == 1 && text.at;
            str_adds(out, i ? ", " : "");
            if (type && w->server->mariadb)
                text = sql_server_type(&room, text);
            add_cell(out, type ? SQL_CELL_BYTES : a->columns.at[i], text);
        }
        str_adds(out, n == 1 ? ",)" : ")");
    }
    str_addc(out, ']');
    str_drop(&room);
}

/* MariaDB's words. ----------------------------------------------------------------------------------------
 */

Span sql_server_type(Str *room, Span type)
{
    static const char *const kinds[] = {"int(", "bigint(", "smallint(", "mediumint(", "tinyint(", "year("};
    bool wide = span_is(type, "tinyint(1)") || span_ends(type, "zerofill");
    const char *close = type.n ? memchr(type.at, ')', type.n) : NULL;
    for (size_t i = 0; !wide && close && i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i]);
        if (!span_starts(type, kinds[i]))
            continue;
        str_clear(room);
        str_add(room, type.at, n - 1);
        str_add(room, close + 1, (size_t)(type.at + type.n - close) - 1);
        return str_span(room);
    }
    return type;
}

/* Where a name stands, as MariaDB calls it and as MySQL does. */
static const char *const places[][2] = {{"SELECT", "field list"},        {"WHERE", "where clause"},
                                        {"ON", "on clause"},             {"GROUP BY", "group statement"},
                                        {"HAVING", "having clause"},     {"ORDER BY", "order clause"},
                                        {"PARTITION BY", "window partition by"}, {"FROM", "from clause"}};

/* "Unknown column 'x' in 'SELECT'", "Column 'x' in SELECT is ambiguous". */
static bool add_place(Str *out, Span says)
{
    bool unknown = span_starts(says, "Unknown column '") && span_ends(says, "'");
    static const char ambiguous[] = " is ambiguous";
    if (!unknown && !(span_starts(says, "Column '") && span_ends(says, ambiguous)))
        return false;
    size_t tail = unknown ? 1 : sizeof ambiguous - 1;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char mark[40];
        int n = snprintf(mark, sizeof mark, " in %s%s", unknown ? "'" : "", places[i][0]);
        Span head = {says.at, says.n - tail};
        if (!span_ends(head, mark))
            continue;
        str_add(out, says.at, head.n - (size_t)n);
        str_addf(out, " in %s%s%.*s", unknown ? "'" : "", places[i][1], (int)tail, says.at + head.n);
        return true;
    }
    return false;
}

void sql_server_wording(Str *out, Span says)
{
    static const char *const words[][2] = {{"your MariaDB server version", "your MySQL server version"},
                                           {"This version of MariaDB", "This version of MySQL"}};
    if (add_place(out, says))
        return;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i][0]);
        const char *at = says.n ? memmem(says.at, says.n, words[i][0], n) : NULL;
        if (!at)
            continue;
        str_add(out, says.at, (size_t)(at - says.at));
        str_adds(out, words[i][1]);
        str_add(out, at + n, (size_t)(says.at + says.n - at) - n);
        return;
    }
    str_add(out, says.at, says.n);
}

/* Actions. ------------------------------------------------------------------------------------------------
 */

static Status refuse(World *w, SqlTurn *out)
{
    out->outcome = SQL_ERROR;
    return sql_turn_fail(out, str_c(&w->error));
}

static Status tell(World *w, SqlTurn *out, Span action, bool described)
{
    str_clear(&w->error);
    if (w->answer.outcome == SQL_RAN && w->server->mariadb &&
        sql_group_refuses(&w->error, &w->database->schema, w->database->name, action))
        return refuse(w, out);
    out->outcome = w->answer.outcome;
    if (w->answer.outcome == SQL_RAN) {
        if (w->answer.listed)
            add_rows(&out->text, w, described);
        else
            str_adds(&out->text, "None");
        return ST_OK;
    }
    Span says = str_span(&w->answer.error);
    if (w->server->mariadb)
        sql_server_wording(&w->error, says);
    else
        str_add(&w->error, says.at, says.n);
    return sql_turn_fail(out, str_c(&w->error));
}

static Status act(void *world, SqlTurn *out, Span action)
{
    static const char *const reads[] = {"SELECT", "SHOW",   "DESCRIBE", "DESC", "EXPLAIN",
                                        "WITH",   "VALUES", "TABLE",    NULL};
    World *w = world;
    Span rest = span_trim(action);
    while (rest.n && rest.at[0] == '(')
        rest = span_trim((Span){rest.at + 1, rest.n - 1});
    Span first = sql_word_next(&rest), second = sql_word_next(&rest);
    bool shows = sql_word_is(first, "SHOW"), reading = false;
    bool described = (sql_word_is(first, "DESCRIBE") || sql_word_is(first, "DESC")) && !sql_word_is(second, "SELECT");
    described = described || (shows && (sql_word_is(second, "COLUMNS") || sql_word_is(second, "FIELDS")));
    for (size_t i = 0; reads[i]; i++)
        reading = reading || sql_word_is(first, reads[i]);
    if (!reading) {
        out->outcome = SQL_FORBIDDEN;
        return sql_turn_fail(out, "this world is read, not written: SELECT, SHOW, DESCRIBE and the like");
    }
    if (w->server->mariadb && !described && !shows && sql_mysql_refuses(&w->error, action))
        return refuse(w, out);
    if (w->client && !sql_client_is_open(w->client)) {
        sql_client_close(w->client);
        w->client = NULL;
    }
    if (!w->client)
        TRY(connect_world(w));
    TRY(sql_client_ask(w->client, &w->answer, span_trim(action), &w->limits));
    if (w->answer.outcome == SQL_STOPPED)
        return fail(ST_CANCELLED, "stopped");
    return tell(w, out, action, described);
}

const SqlBackend sql_on_server = {has, open, act, end, close_server};
