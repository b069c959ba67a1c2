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
#include "env/sql_unknown.h"

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

/* The server. -------------------------------------------------------------------------------------------- */

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
    return fail(a->outcome == SQL_STOPPED ? ST_CANCELLED : ST_PEER, "the server of databases: %s: %s",
                statement, str_c(&a->error));
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

Status sql_server_open(void **all, const char *server, const char *dump, bool (*stopped)(void *),
                       void *context)
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

/* A world. ----------------------------------------------------------------------------------------------- */

static Status connect_world(World *w)
{
    Str time = {0};
    TRY(sql_client_open(&w->client, address_of(w->server), w->database->name));
    if (w->server->mariadb) {
        str_addf(
            &time,
            "SET SESSION max_statement_time = %.3f, sql_mode = REPLACE(@@sql_mode, 'ONLY_FULL_GROUP_BY', '')",
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

/* Values as Python prints them. -------------------------------------------------------------------------- */

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
        case SQL_CELL_REAL:
            python_repr_real(out, strtod(text.at, NULL));
            break; /* the arena's copies end in NUL */
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

/* What an answer describes: its rows, or a table's columns, whose types and defaults the connector gives as
 * bytes. */
typedef enum { TELLS_ROWS, TELLS_COLUMNS } Tells;

/* A cell of DESCRIBE: Field, Type, [Collation,] Null, Key, Default, Extra; MariaDB's put as MySQL's. */
static void add_described(Str *out, const World *w, const SqlCell *row, size_t i, Str *room)
{
    size_t preset = w->answer.columns.n > 6 ? 5 : 4; /* SHOW FULL COLUMNS */
    Span text = row[i].text;
    static const char now[] = "current_timestamp()";
    bool by_now = w->server->mariadb && i >= preset && row[preset].text.at && span_is(row[preset].text, now);
    if (by_now && i == preset)
        text = span("CURRENT_TIMESTAMP");
    else if (by_now && i == preset + 1 && text.n == 0)
        text = span("DEFAULT_GENERATED");
    else if (w->server->mariadb && i == 1 && text.at)
        text = sql_server_type(room, text);
    add_cell(out, i == 1 || i == preset ? SQL_CELL_BYTES : w->answer.columns.at[i], text);
}

static void add_rows(Str *out, const World *w, Tells tells)
{
    const SqlAnswer *a = &w->answer;
    Str room = {0};
    size_t n = a->columns.n;
    str_addc(out, '[');
    for (size_t at = 0; at < (size_t)a->rows; at++) {
        const SqlCell *row = &a->cells.at[at * n];
        str_adds(out, at ? ", (" : "(");
        for (size_t i = 0; i < n; i++) {
            str_adds(out, i ? ", " : "");
            if (tells == TELLS_COLUMNS && n >= 6)
                add_described(out, w, row, i, &room);
            else
                add_cell(out, a->columns.at[i], row[i].text);
        }
        str_adds(out, n == 1 ? ",)" : ")");
    }
    str_addc(out, ']');
    str_drop(&room);
}

/* MariaDB's words. --------------------------------------------------------------------------------------- */

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
static const char *const places[][2] = {{"SELECT", "field list"},
                                        {"WHERE", "where clause"},
                                        {"ON", "on clause"},
                                        {"GROUP BY", "group statement"},
                                        {"HAVING", "having clause"},
                                        {"ORDER BY", "order clause"},
                                        {"PARTITION BY", "window partition by"},
                                        {"IN/ALL/ANY", "IN/ALL/ANY subquery"}};

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

/* "... near 'what' at line 1": MySQL shows 80 bytes of the rest, MariaDB 77 and dots. */
static void add_near(Str *out, Span says, Span statement)
{
    static const char near[] = " near '", dots[] = "...' at line ";
    const char *begin = says.n ? memmem(says.at, says.n, near, sizeof near - 1) : NULL, *shown, *end, *here;
    if (begin) {
        shown = begin + sizeof near - 1;
        end = memmem(shown, (size_t)(says.at + says.n - shown), dots, sizeof dots - 1);
        here = end ? memmem(statement.at, statement.n, shown, (size_t)(end - shown)) : NULL;
        if (here) {
            Span rest = {here, (size_t)(statement.at + statement.n - here)};
            str_add(out, says.at, (size_t)(shown - says.at));
            str_add(out, rest.at, rest.n < 80 ? rest.n : 80);
            str_add(out, end + 3, (size_t)(says.at + says.n - end) - 3);
            return;
        }
    }
    str_add(out, says.at, says.n);
}

void sql_server_wording(Str *out, Span says, Span statement)
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
        says = (Span){at + n, (size_t)(says.at + says.n - at) - n};
    }
    add_near(out, says, statement);
}

/* Actions. ----------------------------------------------------------------------------------------------- */

static Status refuse(World *w, SqlTurn *out)
{
    out->outcome = SQL_ERROR;
    return sql_turn_fail(out, str_c(&w->error));
}

static Status tell(World *w, SqlTurn *out, Span action, Tells tells)
{
    str_clear(&w->error);
    if (w->answer.outcome == SQL_RAN && w->server->mariadb &&
        sql_group_refuses(&w->error, &w->database->schema, w->database->name, action))
        return refuse(w, out);
    out->outcome = w->answer.outcome;
    if (w->answer.outcome == SQL_RAN && w->answer.listed)
        add_rows(&out->text, w, tells);
    if (w->answer.outcome == SQL_RAN && !w->answer.listed)
        str_adds(&out->text, "None");
    if (w->answer.outcome == SQL_RAN)
        return ST_OK;
    Span says = str_span(&w->answer.error);
    if (w->server->mariadb) {
        sql_server_wording(&w->error, says, action);
        sql_unknown_column(&w->error, &w->database->schema, action);
    } else {
        str_add(&w->error, says.at, says.n);
    }
    return sql_turn_fail(out, str_c(&w->error));
}

/* The letters that a statement begins with, behind brackets. */
static Span first_word(Span statement)
{
    Span s = span_trim(statement);
    while (s.n && s.at[0] == '(')
        s = span_trim((Span){s.at + 1, s.n - 1});
    size_t n = 0;
    while (n < s.n && ((s.at[n] | 32) >= 'a' && (s.at[n] | 32) <= 'z'))
        n++;
    return (Span){s.at, n};
}

static bool is_any(Span word, const char *const *words)
{
    for (; *words; words++)
        if (sql_word_is(word, *words))
            return true;
    return false;
}

static Status ask(World *w, SqlTurn *out, Span action, Tells tells)
{
    if (w->client && !sql_client_is_open(w->client)) {
        sql_client_close(w->client);
        w->client = NULL;
    }
    if (!w->client)
        TRY(connect_world(w));
    TRY(sql_client_ask(w->client, &w->answer, action, &w->limits));
    if (w->answer.outcome == SQL_STOPPED)
        return fail(ST_CANCELLED, "stopped");
    return tell(w, out, action, tells);
}

/* What begins with none of MySQL's statements is told so here: the server is only given what reads. */
static Status act(void *world, SqlTurn *out, Span action)
{
    static const char *const reads[] = {"SELECT", "SHOW",   "DESCRIBE", "DESC", "EXPLAIN",
                                        "WITH",   "VALUES", "TABLE",    NULL};
    static const char *const writes[] = {
        "ALTER",    "ANALYZE",   "BEGIN",     "CALL",    "CHANGE",   "CHECK",   "CHECKSUM",
        "COMMIT",   "CREATE",    "DELETE",    "DO",      "DROP",     "EXECUTE", "FLUSH",
        "GRANT",    "HANDLER",   "INSERT",    "INSTALL", "KILL",     "LOAD",    "LOCK",
        "OPTIMIZE", "PREPARE",   "PURGE",     "RENAME",  "REPAIR",   "REPLACE", "RESET",
        "REVOKE",   "ROLLBACK",  "SAVEPOINT", "SET",     "SHUTDOWN", "START",   "STOP",
        "TRUNCATE", "UNINSTALL", "UNLOCK",    "UPDATE",  "USE",      "XA",      NULL};
    World *w = world;
    Span first = first_word(action), rest = span_trim(action);
    (void)sql_word_next(&rest);
    Span second = sql_word_next(&rest);
    bool shows = sql_word_is(first, "SHOW"),
         describes = sql_word_is(first, "DESCRIBE") || sql_word_is(first, "DESC");
    Tells tells = describes || (shows && sql_word_is(second, "FULL")) ||
                          (shows && (sql_word_is(second, "COLUMNS") || sql_word_is(second, "FIELDS")))
                      ? TELLS_COLUMNS
                      : TELLS_ROWS;
    if (is_any(first, writes)) {
        out->outcome = SQL_FORBIDDEN;
        return sql_turn_fail(out, "this world is read, not written: SELECT, SHOW, DESCRIBE and the like");
    }
    str_clear(&w->error);
    if (!is_any(first, reads)) {
        sql_mysql_syntax_error(&w->error, action, span_trim(action).at);
        return refuse(w, out);
    }
    if (w->server->mariadb && !describes && !shows && sql_mysql_refuses(&w->error, w->database->name, action))
        return refuse(w, out);
    return ask(w, out, action, tells);
}

const SqlBackend sql_on_server = {has, open, act, end, close_server};
