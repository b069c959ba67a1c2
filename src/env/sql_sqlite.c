/* sql.h on SQLite. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/python_repr.h"
#include "env/mysql_dump.h"
#include "env/sql_backend.h"
#include "env/sql_group.h"
#include "env/sql_mysql.h"
#include "env/sql_print.h"
#include "env/sql_token.h"
#include "env/sql_unknown.h"

typedef struct {
    char *name;
    Span image; /* of sqlite3_serialize */
    SqlSchema schema;
} Database;

typedef struct {
    char *folder; /* Spider's; NULL: of a dump */
    Array(Database) all;
} Databases;

typedef struct {
    sqlite3 *db;
    char *name;
    const SqlSchema *schema;
    SqlSchema own; /* of a file */
    SqlLimits limits;
    SqlResult result;
    Str query, error;
} World;

/* Databases. --------------------------------------------------------------------------------------------- */

static void read_schema(SqlSchema *out, sqlite3 *db)
{
    sqlite3_stmt *s = NULL;
    static const char query[] =
        "SELECT m.name, c.name, c.pk FROM sqlite_master m, pragma_table_info(m.name) c "
        "WHERE m.type = 'table' ORDER BY m.rowid, c.cid";
    if (sqlite3_prepare_v2(db, query, -1, &s, NULL) == SQLITE_OK)
        while (sqlite3_step(s) == SQLITE_ROW)
            sql_schema_add(out, (const char *)sqlite3_column_text(s, 0),
                           (const char *)sqlite3_column_text(s, 1), sqlite3_column_int(s, 2) > 0);
    sqlite3_finalize(s);
}

static Status keep(void *context, const char *name, sqlite3 *memory)
{
    Databases *w = context;
    sqlite3_int64 n = 0;
    Database d = {.name = mem_str(name)};
    read_schema(&d.schema, memory);
    d.image.at = (const char *)sqlite3_serialize(memory, "main", &n, 0);
    d.image.n = (size_t)n;
    sqlite3_close(memory);
    array_push(&w->all, d);
    return d.image.at ? ST_OK : fail(ST_NOMEM, "no memory for the database %s", name);
}

static void close_all(void *all)
{
    Databases *w = all;
    for (size_t i = 0; i < w->all.n; i++) {
        union {
            const char *in;
            void *out;
        } image = {w->all.at[i].image.at};
        sqlite3_free(image.out);
        sql_schema_drop(&w->all.at[i].schema);
        mem_free(w->all.at[i].name);
    }
    array_drop(&w->all);
    mem_free(w->folder);
    mem_free(w);
}

Status sql_sqlite_open_dump(void **all, const char *dump, bool (*stopped)(void *), void *context)
{
    Databases *w = mem_new(Databases);
    MysqlDumpCounts counts;
    MysqlDumpSpec spec = {.take = keep, .context = w, .ignore_case = true};
    spec.stopped = stopped;
    spec.stopped_context = context;
    Status st = mysql_dump_read(&counts, dump, &spec);
    if (st == ST_OK)
        *all = w;
    else
        close_all(w);
    return st;
}

Status sql_sqlite_open_folder(void **all, const char *folder)
{
    if (!path_is_folder(folder))
        return fail(ST_IO, "%s: no such folder; it is Spider's, with NAME/NAME.sqlite in it", folder);
    Databases *w = mem_new(Databases);
    w->folder = mem_str(folder);
    *all = w;
    return ST_OK;
}

static const Database *find(const Databases *w, const char *name)
{
    for (size_t i = 0; i < w->all.n; i++)
        if (strcasecmp(w->all.at[i].name, name) == 0)
            return &w->all.at[i];
    return NULL;
}

/* Of one of Spider's; NULL: its name is none. */
static char *file_of(const Databases *w, const char *name)
{
    bool plain = name[0] && name[0] != '.' && !strchr(name, '/') && strlen(name) <= 64;
    return plain ? mem_format("%s/%s/%s.sqlite", w->folder, name, name) : NULL;
}

static bool has(const void *all, const char *database)
{
    const Databases *w = all;
    if (!w->folder)
        return find(w, database) != NULL;
    char *file = file_of(w, database);
    bool there = file && path_exists(file);
    mem_free(file);
    return there;
}

static Status open_file(World *w, const Databases *all, const char *database)
{
    char *file = file_of(all, database);
    if (!file)
        return fail(ST_ARG, "'%.64s' is no database's name", database);
    Status st = sql_open_file(&w->db, file);
    mem_free(file);
    if (st == ST_OK) {
        w->name = mem_str(database);
        read_schema(&w->own, w->db);
        w->schema = &w->own;
    }
    return st;
}

static Status open_image(World *w, const Databases *all, const char *database)
{
    const Database *d = find(all, database);
    if (!d)
        return fail(ST_ARG, "no database '%.64s' in the dump", database);
    TRY(sql_open_image(&w->db, d->image));
    w->name = mem_str(d->name);
    w->schema = &d->schema;
    return ST_OK;
}

static void end(void *world)
{
    World *w = world;
    sqlite3_close(w->db);
    sql_result_drop(&w->result);
    sql_schema_drop(&w->own);
    str_drop(&w->query);
    str_drop(&w->error);
    mem_free(w->name);
    mem_free(w);
}

static Status open(void **world, const void *all, const char *database, const SqlLimits *limits)
{
    const Databases *d = all;
    World *w = mem_new(World);
    w->limits = *limits;
    Status st = d->folder ? open_file(w, d, database) : open_image(w, d, database);
    if (st != ST_OK) {
        end(w);
        return st;
    }
    sql_mysql_functions(w->db);
    *world = w;
    return ST_OK;
}

/* Values as Python prints them. -------------------------------------------------------------------------- */

static bool declares(Span type, const char *word)
{
    size_t n = strlen(word);
    return type.n >= n && strncasecmp(type.at, word, n) == 0 && (type.n == n || type.at[n] == '(');
}

/* SQLite has no dates: they are text in columns that are declared so. */
static bool add_date(Str *out, Span type, Span text)
{
    if (declares(type, "datetime") || declares(type, "timestamp"))
        return sql_print_datetime(out, text);
    return declares(type, "date") && sql_print_date(out, text);
}

/* decimal(10,2) has two digits behind the point; decimal(10,0) and decimal none. */
static bool add_decimal(Str *out, Span type, const SqlValue *v)
{
    if (!declares(type, "decimal") && !declares(type, "numeric"))
        return false;
    const char *comma = memchr(type.at, ',', type.n);
    int digits = comma && comma + 1 < type.at + type.n ? comma[1] - '0' : 0;
    str_addf(out, "Decimal('%.*f')", digits < 0 || digits > 9 ? 0 : digits,
             v->kind == SQL_INT ? (double)v->whole : v->real);
    return true;
}

static void add_value(Str *out, Span type, const SqlValue *v)
{
    switch (v->kind) {
    case SQL_NULL: str_adds(out, "None"); return;
    case SQL_INT:
        if (!add_decimal(out, type, v))
            str_addf(out, "%lld", (long long)v->whole);
        return;
    case SQL_REAL:
        if (!add_decimal(out, type, v))
            python_repr_real(out, v->real);
        return;
    case SQL_TEXT:
        if (!add_date(out, type, v->bytes))
            sql_print_text(out, v->bytes);
        return;
    case SQL_BLOB: sql_print_bytes(out, v->bytes); return;
    }
}

static void add_rows(Str *out, const SqlResult *r)
{
    str_addc(out, '[');
    for (int64_t row = 0; row < r->rows; row++) {
        str_adds(out, row ? ", (" : "(");
        for (int64_t i = 0; i < r->columns; i++) {
            str_adds(out, i ? ", " : "");
            add_value(out, r->declared.at[i], sql_value(r, row, i));
        }
        str_adds(out, r->columns == 1 ? ",)" : ")");
    }
    str_addc(out, ']');
}

/* Actions. ----------------------------------------------------------------------------------------------- */

static Status run_query(World *w, SqlTurn *out, Span query)
{
    out->outcome = SQL_ERROR;
    if (!sql_mysql_query(&w->query, &w->error, w->name, query))
        return sql_turn_fail(out, str_c(&w->error));
    out->outcome = sql_run(w->db, str_span(&w->query), &w->limits, &w->result);
    if (out->outcome == SQL_STOPPED)
        return fail(ST_CANCELLED, "stopped");
    str_clear(&w->error);
    if (out->outcome == SQL_RAN && !sql_group_refuses(&w->error, w->schema, w->name, query)) {
        add_rows(&out->text, &w->result);
        return ST_OK;
    }
    if (out->outcome == SQL_RAN) {
        out->outcome = SQL_ERROR;
        return sql_turn_fail(out, str_c(&w->error));
    }
    sql_mysql_error(&w->error, str_c(&w->result.error), w->name, query);
    sql_unknown_column(&w->error, w->schema, query);
    return sql_turn_fail(out, str_c(&w->error));
}

static const char tables_query[] = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY lower(name)";
static const char columns_query[] =
    "SELECT c.name, CAST(lower(c.type) AS BLOB), CASE WHEN c.\"notnull\" OR c.pk THEN 'NO' ELSE 'YES' END,"
    " CASE WHEN c.pk THEN 'PRI'"
    " WHEN EXISTS (SELECT 1 FROM pragma_foreign_key_list(m.name) f WHERE f.\"from\" = c.name) THEN 'MUL'"
    " ELSE '' END, nullif(trim(c.dflt_value, ''''), 'NULL'), ''"
    " FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND lower(m.name) = "
    "lower('%s')"
    " ORDER BY c.cid";

static Status ask(World *w, SqlTurn *out, const char *query)
{
    out->outcome = sql_run(w->db, span(query), &w->limits, &w->result);
    if (out->outcome == SQL_STOPPED)
        return fail(ST_CANCELLED, "stopped");
    if (out->outcome != SQL_RAN)
        return sql_turn_fail(out, str_c(&w->result.error));
    add_rows(&out->text, &w->result);
    return ST_OK;
}

static Status tell_columns(World *w, SqlTurn *out, Span table)
{
    const char *dot = memchr(table.at, '.', table.n);
    Str name = {0}, query = {0};
    if (dot && (size_t)(dot - table.at) == strlen(w->name) &&
        strncasecmp(table.at, w->name, strlen(w->name)) == 0)
        table = (Span){dot + 1, table.n - (size_t)(dot + 1 - table.at)};
    for (size_t i = 0; i < table.n; i++)
        if (table.at[i] != '`' && table.at[i] != '\'' && table.at[i] >= ' ')
            str_addc(&name, table.at[i]);
    str_addf(&query, columns_query, str_c(&name));
    Status st = ask(w, out, str_c(&query));
    if (st == ST_OK && !out->failed && w->result.rows == 0) {
        str_clear(&query);
        str_addf(&query, "Table '%s.%s' doesn't exist", w->name, str_c(&name));
        out->outcome = SQL_ERROR;
        st = sql_turn_fail(out, str_c(&query));
    }
    str_drop(&name);
    str_drop(&query);
    return st;
}

static Status show(World *w, SqlTurn *out, Span rest)
{
    Span what = sql_word_next(&rest);
    if (sql_word_is(what, "FULL"))
        what = sql_word_next(&rest);
    if (sql_word_is(what, "TABLES"))
        return ask(w, out, tables_query);
    if (sql_word_is(what, "COLUMNS") || sql_word_is(what, "FIELDS")) {
        Span from = sql_word_next(&rest);
        if (sql_word_is(from, "FROM") || sql_word_is(from, "IN"))
            return tell_columns(w, out, sql_word_next(&rest));
    }
    out->outcome = SQL_FORBIDDEN;
    return sql_turn_fail(out, "this world answers SHOW TABLES and SHOW COLUMNS FROM, and no other SHOW");
}

static Status act(void *world, SqlTurn *out, Span action)
{
    World *w = world;
    Span rest = span_trim(action);
    Span first = sql_word_next(&rest), before = rest, second = sql_word_next(&before);
    if (sql_word_is(first, "SHOW"))
        return show(w, out, rest);
    bool describe = sql_word_is(first, "DESCRIBE") || sql_word_is(first, "DESC");
    if (describe && second.n && !sql_word_is(second, "SELECT"))
        return tell_columns(w, out, second);
    return run_query(w, out, action);
}

const SqlBackend sql_on_sqlite = {has, open, act, end, close_all};
