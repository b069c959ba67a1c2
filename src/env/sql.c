#include "env/sql.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/map.h"
#include "base/python_repr.h"
#include "env/mysql_dump.h"
#include "env/sql_mysql.h"

typedef struct {
    char *name;
    Span image; /* of sqlite3_serialize */
} Database;

struct SqlWorlds {
    Array(Database) all;
};

struct SqlWorld {
    sqlite3 *db;
    char *name;
    SqlLimits limits;
    SqlResult result;
    Str query, error;
};

/* Databases. ----------------------------------------------------------------------------------------------
 */

static Status keep(void *context, const char *name, sqlite3 *memory)
{
    SqlWorlds *w = context;
    sqlite3_int64 n = 0;
    const char *image = (const char *)sqlite3_serialize(memory, "main", &n, 0);
    sqlite3_close(memory);
    if (!image)
        return fail(ST_NOMEM, "no memory for the database %s", name);
    Database d = {mem_str(name), {image, (size_t)n}};
    array_push(&w->all, d);
    return ST_OK;
}

Status sql_worlds_open(SqlWorlds **out, const char *dump, bool (*stopped)(void *), void *context)
{
    SqlWorlds *w = mem_new(SqlWorlds);
    MysqlDumpCounts counts;
    MysqlDumpSpec spec = {.take = keep, .context = w, .ignore_case = true};
    spec.stopped = stopped;
    spec.stopped_context = context;
    Status st = mysql_dump_read(&counts, dump, &spec);
    if (st == ST_OK)
        *out = w;
    else
        sql_worlds_close(w);
    return st;
}

void sql_worlds_close(SqlWorlds *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->all.n; i++) {
        union {
            const char *in;
            void *out;
        } image = {w->all.at[i].image.at};
        sqlite3_free(image.out);
        mem_free(w->all.at[i].name);
    }
    array_drop(&w->all);
    mem_free(w);
}

static const Database *find(const SqlWorlds *w, const char *name)
{
    for (size_t i = 0; i < w->all.n; i++)
        if (strcasecmp(w->all.at[i].name, name) == 0)
            return &w->all.at[i];
    return NULL;
}

bool sql_worlds_has(const SqlWorlds *w, const char *database)
{
    return find(w, database) != NULL;
}

SqlLimits sql_world_limits(void)
{
    return (SqlLimits){.seconds = 10, .rows = 100000, .bytes = 64 << 20, .memory_bytes = 1 << 30};
}

Status sql_world_open(SqlWorld **out, const SqlWorlds *all, const char *database, const SqlLimits *limits)
{
    const Database *d = find(all, database);
    sqlite3 *db;
    if (!d)
        return fail(ST_ARG, "no database '%.64s' in the dump", database);
    TRY(sql_open_image(&db, d->image));
    sql_mysql_functions(db);
    SqlWorld *w = mem_new(SqlWorld);
    w->db = db;
    w->name = mem_str(d->name);
    w->limits = limits ? *limits : sql_world_limits();
    *out = w;
    return ST_OK;
}

void sql_world_close(SqlWorld *w)
{
    if (!w)
        return;
    sqlite3_close(w->db);
    sql_result_drop(&w->result);
    str_drop(&w->query);
    str_drop(&w->error);
    mem_free(w->name);
    mem_free(w);
}

void sql_turn_drop(SqlTurn *t)
{
    str_drop(&t->text);
}

/* Values as Python prints them. ---------------------------------------------------------------------------
 */

/* repr of str, or of bytes behind a b. */
static void add_quoted(Str *out, Span text, bool bytes)
{
    bool single = memchr(text.at, '\'', text.n) && !memchr(text.at, '"', text.n);
    char quote = single ? '"' : '\'';
    str_adds(out, bytes ? "b" : "");
    str_addc(out, quote);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.at[i];
        unsigned char next = i + 1 < text.n ? (unsigned char)text.at[i + 1] : 0;
        if (c == (unsigned char)quote || c == '\\')
            str_addf(out, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t')
            str_adds(out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        else if (c < ' ' || c == 127 || (bytes && c > 127))
            str_addf(out, "\\x%02x", c);
        else if (c == 0xC2 && (next <= 0xA0 || next == 0xAD)) /* U+0080 to U+00A0 and U+00AD do not show */
            str_addf(out, "\\x%02x", (unsigned)(unsigned char)text.at[++i]);
        else
            str_addc(out, (char)c);
    }
    str_addc(out, quote);
}

static bool declares(Span type, const char *word)
{
    size_t n = strlen(word);
    return type.n >= n && strncasecmp(type.at, word, n) == 0 && (type.n == n || type.at[n] == '(');
}

static bool add_date(Str *out, Span type, Span text)
{
    int y, mo, d, h = 0, mi = 0, s = 0, n = 0;
    char c[32];
    bool time = declares(type, "datetime") || declares(type, "timestamp");
    if ((!time && !declares(type, "date")) || text.n >= sizeof c)
        return false;
    memcpy(c, text.at, text.n);
    c[text.n] = 0;
    if (sscanf(c, "%4d-%2d-%2d%n %2d:%2d:%2d%n", &y, &mo, &d, &n, &h, &mi, &s, &n) < (time ? 6 : 3) ||
        (size_t)n != text.n)
        return false;
    str_addf(out, time ? "datetime.datetime(%d, %d, %d, %d, %d" : "datetime.date(%d, %d, %d", y, mo, d, h,
             mi);
    if (time && s)
        str_addf(out, ", %d", s);
    str_addc(out, ')');
    return true;
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
            add_quoted(out, v->bytes, false);
        return;
    case SQL_BLOB: add_quoted(out, v->bytes, true); return;
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

/* Actions. ------------------------------------------------------------------------------------------------
 */

static Status failed(SqlTurn *out, const char *why)
{
    out->failed = true;
    str_adds(&out->text, "Error executing query: ");
    str_add_valid(&out->text, why, strlen(why)); /* it has words of the query, which may be any bytes */
    return ST_OK;
}

static Status run_query(SqlWorld *w, SqlTurn *out, Span query)
{
    out->outcome = SQL_ERROR;
    if (!sql_mysql_query(&w->query, &w->error, w->db, w->name, query))
        return failed(out, str_c(&w->error));
    out->outcome = sql_run(w->db, str_span(&w->query), &w->limits, &w->result);
    if (out->outcome == SQL_STOPPED)
        return fail(ST_CANCELLED, "stopped");
    if (out->outcome == SQL_RAN) {
        add_rows(&out->text, &w->result);
        return ST_OK;
    }
    sql_mysql_error(&w->error, str_c(&w->result.error), w->name, query);
    return failed(out, str_c(&w->error));
}

/* The next word of a statement, or a name in quotes without them. */
static Span next_word(Span *rest)
{
    *rest = span_trim(*rest);
    size_t n = 0;
    bool quoted = rest->n && strchr("`\"'", rest->at[0]);
    const char *end = quoted ? memchr(rest->at + 1, rest->at[0], rest->n - 1) : NULL;
    if (end) {
        Span word = {rest->at + 1, (size_t)(end - rest->at) - 1};
        *rest = (Span){end + 1, rest->n - word.n - 2};
        return word;
    }
    while (n < rest->n && !strchr(" \t\r\n;", rest->at[n]))
        n++;
    Span word = {rest->at, n};
    *rest = (Span){rest->at + n, rest->n - n};
    return word;
}

static bool is_word(Span word, const char *text)
{
    return word.n == strlen(text) && strncasecmp(word.at, text, word.n) == 0;
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

static Status ask(SqlWorld *w, SqlTurn *out, const char *query)
{
    out->outcome = sql_run(w->db, span(query), &w->limits, &w->result);
    if (out->outcome == SQL_STOPPED)
        return fail(ST_CANCELLED, "stopped");
    if (out->outcome != SQL_RAN)
        return failed(out, str_c(&w->result.error));
    add_rows(&out->text, &w->result);
    return ST_OK;
}

static Status tell_columns(SqlWorld *w, SqlTurn *out, Span table)
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
        str_clear(&out->text);
        str_clear(&query);
        str_addf(&query, "Table '%s.%s' doesn't exist", w->name, str_c(&name));
        out->outcome = SQL_ERROR;
        st = failed(out, str_c(&query));
    }
    str_drop(&name);
    str_drop(&query);
    return st;
}

static Status show(SqlWorld *w, SqlTurn *out, Span rest)
{
    Span what = next_word(&rest);
    if (is_word(what, "FULL"))
        what = next_word(&rest);
    if (is_word(what, "TABLES"))
        return ask(w, out, tables_query);
    if (is_word(what, "COLUMNS") || is_word(what, "FIELDS")) {
        Span from = next_word(&rest);
        if (is_word(from, "FROM") || is_word(from, "IN"))
            return tell_columns(w, out, next_word(&rest));
    }
    out->outcome = SQL_FORBIDDEN;
    return failed(out, "this world answers SHOW TABLES and SHOW COLUMNS FROM, and no other SHOW");
}

Status sql_world_act(SqlWorld *w, SqlTurn *out, Span action)
{
    str_clear(&out->text);
    out->failed = false;
    out->outcome = SQL_RAN;
    Span rest = span_trim(action);
    Span first = next_word(&rest), before = rest, second = next_word(&before);
    if (is_word(first, "SHOW"))
        return show(w, out, rest);
    bool describe = is_word(first, "DESCRIBE") || is_word(first, "DESC");
    if (describe && second.n && !is_word(second, "SELECT"))
        return tell_columns(w, out, second);
    return run_query(w, out, action);
}

/* The parser of answers. ----------------------------------------------------------------------------------
 */

static const char *const keywords[] = {"SHOW", "SELECT", "DESCRIBE", "DESC"};
enum { KEYWORDS = 4 };

static Span before_semicolon(Span s)
{
    const char *at = memchr(s.at, ';', s.n);
    return (Span){s.at, at ? (size_t)(at - s.at) : s.n};
}

/* Without a fence. */
static bool read_bare(Span *action, Span answer)
{
    if (span_starts(answer, "SQL: ")) {
        *action = before_semicolon((Span){answer.at + 5, answer.n - 5});
        return true;
    }
    for (int i = 0; i < KEYWORDS; i++) {
        const char *at = memmem(answer.at, answer.n, keywords[i], strlen(keywords[i]));
        if (at) {
            *action = before_semicolon((Span){at, (size_t)(answer.at + answer.n - at)});
            return true;
        }
    }
    return false;
}

/* What is between the first fence and the next, without its sql or SQL; another language's name stays. */
static bool find_block(Span *block, Span answer)
{
    const char *end = answer.at + answer.n, *at = memmem(answer.at, answer.n, "```", 3) + 3;
    if (end - at >= 3 && (memcmp(at, "sql", 3) == 0 || memcmp(at, "SQL", 3) == 0))
        at += 3;
    const char *close = memmem(at, (size_t)(end - at), "```", 3);
    *block = (Span){at, close ? (size_t)(close - at) : 0};
    return close != NULL;
}

static void add_collapsed(Str *out, Span text)
{
    bool blank = false;
    text = span_trim(text);
    for (size_t i = 0; i < text.n; i++) {
        bool white = strchr(" \t\r\n\v\f", text.at[i]) != NULL;
        if (blank && !white)
            str_addc(out, ' ');
        if (!white)
            str_addc(out, text.at[i]);
        blank = white;
    }
}

/* *action stays empty where there is no block. */
static bool read_fenced(Str *action, Span answer)
{
    Span block;
    if (!find_block(&block, answer))
        return false;
    add_collapsed(action, block);
    action->n = before_semicolon(str_span(action)).n;
    if (action->at)
        action->at[action->n] = 0;
    Span rest = str_span(action), first = next_word(&rest);
    for (int i = 0; i < KEYWORDS; i++)
        if (is_word(first, keywords[i]))
            return true;
    return false;
}

bool sql_action_read(Str *action, Span answer)
{
    Str text = {0};
    for (size_t i = 0; i < answer.n; i++)
        if (answer.at[i] != '\\' || i + 1 == answer.n || answer.at[i + 1] != '_')
            str_addc(&text, answer.at[i]);
    Span all = str_span(&text), found;
    str_clear(action);
    bool good = false;
    if (all.n && memmem(all.at, all.n, "```", 3))
        good = read_fenced(action, all);
    else if (all.n && (good = read_bare(&found, all)))
        str_add(action, found.at, found.n);
    if (!good && action->n == 0)
        str_add(action, str_c(&text), text.n);
    str_drop(&text);
    return good;
}
