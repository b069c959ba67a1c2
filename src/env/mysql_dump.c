#include "env/mysql_dump.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/log.h"
#include "env/mysql_table.h"
#include "env/sql_memory.h"

enum { DATABASES_MAX = 1000, ASK_EVERY = 1024 /* statements and rows between two looks at `stopped` */ };

typedef struct {
    char *name;
    sqlite3 *db;
} Database;

typedef struct {
    const MysqlDumpSpec *spec;
    MysqlDumpCounts *counts;
    MysqlReader r;
    MysqlToken now;
    const char *start; /* of the text */
    Array(Database) all;
    size_t current; /* all.n: none */
    Progress progress;
    int64_t ticks;
} Dump;

static Status tick(Dump *d)
{
    if (++d->ticks % ASK_EVERY)
        return ST_OK;
    if (d->spec->progress)
        progress_at(&d->progress, (double)(d->r.at - d->start) / 1e6);
    if (d->spec->stopped && d->spec->stopped(d->spec->stopped_context))
        return fail(ST_CANCELLED, "%s: stopped in line %lld", d->r.file, (long long)d->r.line);
    return ST_OK;
}

static Status accept(Dump *d, const char *word, bool *was)
{
    return mysql_token_accept(&d->r, &d->now, word, was);
}

static Status refuse(Dump *d, Status st, const char *what)
{
    return mysql_token_refuse(&d->r, &d->now, st, what);
}

static Status sqlite_says(Dump *d, sqlite3 *db, const char *what)
{
    return fail(ST_FORMAT, "%s:%lld: %s: %s", d->r.file, (long long)d->r.line, what, sqlite3_errmsg(db));
}

/* Databases. --------------------------------------------------------------------------------------------- */

static Status database_open(Dump *d, Span name)
{
    if (name.n == 0 || name.n > 64 || name.at[0] == '.' || memchr(name.at, '/', name.n))
        return fail(ST_FORMAT, "%s:%lld: a database's name that would be no name of a file", d->r.file,
                    (long long)d->r.line);
    for (d->current = 0; d->current < d->all.n; d->current++)
        if (span_is(name, d->all.at[d->current].name))
            return ST_OK;
    if (d->all.n == DATABASES_MAX)
        return fail(ST_LIMIT, "%s: more than %d databases", d->r.file, DATABASES_MAX);
    Database new = {mem_strn(name.at, name.n), NULL};
    sql_memory_count();
    bool opened =
        sqlite3_open_v2(":memory:", &new.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) == SQLITE_OK &&
        sqlite3_exec(new.db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
    array_push(&d->all, new);
    d->counts->databases++;
    return opened ? ST_OK : sqlite_says(d, new.db, "no database in memory");
}

static Status current(Dump *d, sqlite3 **db)
{
    if (d->current == d->all.n && d->spec->database)
        TRY(database_open(d, span(d->spec->database)));
    if (d->current == d->all.n)
        return refuse(d, ST_FORMAT, "a table before any USE, so of no database");
    *db = d->all.at[d->current].db;
    return ST_OK;
}

static Status run(Dump *d, sqlite3 *db, const Str *sql, const char *what)
{
    if (sql->n > INT32_MAX || sqlite3_exec(db, str_c(sql), NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_says(d, db, what);
    return ST_OK;
}

/* Rows. -------------------------------------------------------------------------------------------------- */

static Status bind_number(Dump *d, sqlite3_stmt *row, int at, bool minus)
{
    char digits[400];
    if (d->now.text.n > sizeof digits - 2)
        return refuse(d, ST_FORMAT, "a number of more digits than any column holds");
    int n = snprintf(digits, sizeof digits, "%s%.*s", minus ? "-" : "", (int)d->now.text.n, d->now.text.at);
    char *end;
    int64_t whole;
    double real = strtod(digits, &end);
    if (*end)
        return refuse(d, ST_FORMAT, "no number");
    if (n < 20 && parse_int(&whole, digits) == ST_OK)
        sqlite3_bind_int64(row, at, whole);
    else
        sqlite3_bind_double(row, at, real);
    return ST_OK;
}

static Status bind_value(Dump *d, sqlite3_stmt *row, int at)
{
    bool minus, binary;
    TRY(accept(d, "_binary", &binary));
    TRY(accept(d, "-", &minus));
    Span text = d->now.text;
    if (d->now.kind == MYSQL_NUMBER)
        TRY(bind_number(d, row, at, minus));
    else if (minus)
        return refuse(d, ST_FORMAT, "a minus without a number");
    else if (d->now.kind == MYSQL_BYTES || (binary && d->now.kind == MYSQL_STRING))
        sqlite3_bind_blob64(row, at, text.at, text.n, SQLITE_TRANSIENT);
    else if (d->now.kind == MYSQL_STRING)
        sqlite3_bind_text64(row, at, text.at, text.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    else if (mysql_token_is(&d->now, "NULL"))
        sqlite3_bind_null(row, at);
    else
        return refuse(d, ST_UNSUPPORTED, "a value that is not taken over");
    return mysql_token_next(&d->r, &d->now);
}

static Status insert_row(Dump *d, sqlite3 *db, sqlite3_stmt *row)
{
    int n = sqlite3_bind_parameter_count(row), i = 0;
    bool more = true;
    TRY(mysql_token_expect(&d->r, &d->now, "("));
    while (more) {
        if (++i > n)
            return refuse(d, ST_FORMAT, "a row of more values than columns");
        TRY(bind_value(d, row, i));
        TRY(accept(d, ",", &more));
    }
    if (i < n)
        return refuse(d, ST_FORMAT, "a row of fewer values than columns");
    TRY(mysql_token_expect(&d->r, &d->now, ")"));
    if (sqlite3_step(row) != SQLITE_DONE)
        return sqlite_says(d, db, "a row that its table refuses");
    sqlite3_reset(row);
    d->counts->rows++;
    return tick(d);
}

/* "`t` [(`a`,`b`)] VALUES": makes the statement that takes a row. */
static Status prepare_insert(Dump *d, sqlite3 *db, sqlite3_stmt **row, bool ignore)
{
    Str name = {0}, columns = {0}, sql = {0};
    sqlite3_stmt *probe = NULL;
    Status st;
    bool more;
    TRY_TO(out, mysql_token_name(&d->r, &d->now, &name));
    str_addc(&columns, '*');
    TRY_TO(out, accept(d, "(", &more));
    for (bool first = true; more; first = false) {
        Str column = {0};
        st = mysql_token_name(&d->r, &d->now, &column);
        columns.n = first ? 0 : columns.n;
        str_adds(&columns, first ? "" : ", ");
        mysql_table_add_name(&columns, str_span(&column));
        str_drop(&column);
        TRY_TO(out, st);
        TRY_TO(out, accept(d, ",", &more));
        if (!more)
            TRY_TO(out, mysql_token_expect(&d->r, &d->now, ")"));
    }
    TRY_TO(out, mysql_token_expect(&d->r, &d->now, "VALUES"));
    str_addf(&sql, "SELECT %s FROM ", str_c(&columns));
    mysql_table_add_name(&sql, str_span(&name));
    if (sqlite3_prepare_v2(db, str_c(&sql), (int)sql.n, &probe, NULL) != SQLITE_OK) {
        st = sqlite_says(d, db, "rows for no table that is here");
        goto out;
    }
    str_clear(&sql);
    str_addf(&sql, "INSERT %sINTO ", ignore ? "OR IGNORE " : "");
    mysql_table_add_name(&sql, str_span(&name));
    if (str_c(&columns)[0] != '*')
        str_addf(&sql, " (%s)", str_c(&columns));
    str_adds(&sql, " VALUES (");
    for (int i = 0; i < sqlite3_column_count(probe); i++)
        str_adds(&sql, i ? ", ?" : "?");
    str_addc(&sql, ')');
    if (sqlite3_prepare_v2(db, str_c(&sql), (int)sql.n, row, NULL) != SQLITE_OK)
        st = sqlite_says(d, db, "rows that cannot be added");
out:
    sqlite3_finalize(probe);
    str_drop(&name);
    str_drop(&columns);
    str_drop(&sql);
    return st;
}

static Status read_insert(Dump *d)
{
    sqlite3 *db;
    sqlite3_stmt *row = NULL;
    bool ignore, more = true;
    TRY(accept(d, "IGNORE", &ignore));
    TRY(mysql_token_expect(&d->r, &d->now, "INTO"));
    TRY(current(d, &db));
    Status st = prepare_insert(d, db, &row, ignore);
    while (st == ST_OK && more)
        if ((st = insert_row(d, db, row)) == ST_OK)
            st = accept(d, ",", &more);
    sqlite3_finalize(row);
    TRY(st);
    return mysql_token_expect(&d->r, &d->now, ";");
}

/* Statements. -------------------------------------------------------------------------------------------- */

static Status pass_statement(Dump *d)
{
    while (!mysql_token_is(&d->now, ";")) {
        if (d->now.kind == MYSQL_END)
            return refuse(d, ST_FORMAT, "a statement that does not end");
        TRY(mysql_token_next(&d->r, &d->now));
    }
    return mysql_token_next(&d->r, &d->now);
}

static Status read_table(Dump *d)
{
    sqlite3 *db;
    Str name = {0}, sql = {0};
    TRY(current(d, &db));
    Status st = mysql_table_read(&d->r, &d->now, d->spec->ignore_case, &name, &sql);
    if (st == ST_OK)
        st = run(d, db, &sql, "a table that SQLite does not take");
    d->counts->tables += st == ST_OK;
    str_drop(&name);
    str_drop(&sql);
    return st;
}

/* Behind DROP: only TABLE counts, where one of that name came before. */
static Status read_drop(Dump *d)
{
    sqlite3 *db;
    bool was, exists;
    TRY(accept(d, "TABLE", &was));
    if (!was)
        return pass_statement(d);
    TRY(current(d, &db));
    TRY(accept(d, "IF", &was));
    if (was)
        TRY(mysql_token_expect(&d->r, &d->now, "EXISTS"));
    Str name = {0}, sql = {0};
    Status st = mysql_token_name(&d->r, &d->now, &name);
    if (st == ST_OK) {
        str_adds(&sql, "DROP TABLE IF EXISTS ");
        mysql_table_add_name(&sql, str_span(&name));
        exists = sqlite3_table_column_metadata(db, NULL, str_c(&name), NULL, NULL, NULL, NULL, NULL, NULL) ==
                 SQLITE_OK;
        st = run(d, db, &sql, "a table that cannot be dropped");
        d->counts->tables -= st == ST_OK && exists;
    }
    str_drop(&name);
    str_drop(&sql);
    TRY(st);
    return pass_statement(d);
}

/* Behind CREATE DATABASE or USE; a name follows, perhaps behind IF NOT EXISTS. */
static Status read_database(Dump *d)
{
    bool was;
    Str name = {0};
    TRY(accept(d, "IF", &was));
    if (was) {
        TRY(mysql_token_expect(&d->r, &d->now, "NOT"));
        TRY(mysql_token_expect(&d->r, &d->now, "EXISTS"));
    }
    Status st = mysql_token_name(&d->r, &d->now, &name);
    if (st == ST_OK)
        st = database_open(d, str_span(&name));
    str_drop(&name);
    TRY(st);
    return pass_statement(d);
}

static Status read_create(Dump *d)
{
    bool was;
    TRY(accept(d, "TABLE", &was));
    if (was)
        return read_table(d);
    TRY(accept(d, "DATABASE", &was));
    if (was) {
        size_t before = d->current == d->all.n ? SIZE_MAX : d->current;
        TRY(read_database(d));
        d->current = before == SIZE_MAX ? d->all.n : before; /* it makes one, and USE goes there */
        return ST_OK;
    }
    TRY(accept(d, "USER", &was));
    return was ? pass_statement(d) : refuse(d, ST_UNSUPPORTED, "CREATE of something that is not taken over");
}

static Status read_statement(Dump *d)
{
    static const char *const passed[] = {"SET",    "LOCK",  "UNLOCK", "GRANT",   "FLUSH",
                                         "COMMIT", "START", "BEGIN",  "ANALYZE", "ALTER"};
    bool was;
    TRY(tick(d));
    TRY(accept(d, ";", &was)); /* what is left of a statement that stood in a comment */
    if (was)
        return ST_OK;
    TRY(accept(d, "INSERT", &was));
    if (was)
        return read_insert(d);
    TRY(accept(d, "CREATE", &was));
    if (was)
        return read_create(d);
    TRY(accept(d, "USE", &was));
    if (was)
        return read_database(d);
    TRY(accept(d, "DROP", &was));
    if (was)
        return read_drop(d);
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++)
        if (mysql_token_is(&d->now, passed[i]))
            return pass_statement(d);
    return refuse(d, ST_UNSUPPORTED, "a statement that is not taken over");
}

static Status hand_over(Dump *d)
{
    Status st = ST_OK;
    for (size_t i = 0; i < d->all.n && st == ST_OK; i++) {
        sqlite3 *db = d->all.at[i].db;
        if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
            return sqlite_says(d, db, "a database that cannot be finished");
        d->all.at[i].db = NULL;
        st = d->spec->take(d->spec->context, d->all.at[i].name, db);
    }
    return st;
}

Status mysql_dump_read_text(MysqlDumpCounts *counts, Span text, const char *name, const MysqlDumpSpec *spec)
{
    *counts = (MysqlDumpCounts){0};
    Dump d = {.spec = spec,
              .counts = counts,
              .r = {.at = text.at, .end = text.at + text.n, .file = name, .line = 1},
              .start = text.at};
    if (spec->progress)
        d.progress = progress_start(name, (double)text.n / 1e6, "MB");
    Status st = mysql_token_next(&d.r, &d.now);
    while (st == ST_OK && d.now.kind != MYSQL_END)
        st = read_statement(&d);
    if (spec->progress)
        progress_end(&d.progress);
    if (st == ST_OK && d.all.n == 0)
        st = fail(ST_FORMAT, "%s: no database in it", name);
    if (st == ST_OK)
        st = hand_over(&d);
    for (size_t i = 0; i < d.all.n; i++) {
        sqlite3_close(d.all.at[i].db);
        mem_free(d.all.at[i].name);
    }
    array_drop(&d.all);
    mysql_reader_drop(&d.r);
    return st;
}

Status mysql_dump_read(MysqlDumpCounts *counts, const char *path, const MysqlDumpSpec *spec)
{
    FileMap map;
    TRY(file_map(&map, path));
    Status st = mysql_dump_read_text(counts, (Span){(const char *)map.at, map.n}, path, spec);
    file_unmap(&map);
    return st;
}
