#include "env/sql_result.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "env/sql_memory.h"

enum { ASK_EVERY = 200 /* instructions of SQLite's machine between two looks at the limits */ };

SqlLimits sql_limits(void)
{
    return (SqlLimits){.seconds = 30, .rows = 1000000, .bytes = 256 << 20, .memory_bytes = 1 << 30};
}

const SqlValue *sql_value(const SqlResult *r, int64_t row, int64_t column)
{
    return &r->values.at[row * r->columns + column];
}

void sql_result_drop(SqlResult *r)
{
    array_drop(&r->values);
    array_drop(&r->declared);
    str_drop(&r->error);
    arena_drop(&r->arena);
    *r = (SqlResult){0};
}

/* Connections. ------------------------------------------------------------------------------------------- */

static int may(void *context, int action, const char *a, const char *name, const char *database,
               const char *by)
{
    (void)context, (void)database, (void)by;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    case SQLITE_FUNCTION:
        return name && sqlite3_stricmp(name, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_UPDATE: /* declaring json_each and its like asks this; a real one SQLite refuses */
        return sqlite3_stricmp(a, "sqlite_master") == 0 ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_PRAGMA:
        return sqlite3_stricmp(a, "table_info") == 0 || sqlite3_stricmp(a, "foreign_key_list") == 0
                   ? SQLITE_OK
                   : SQLITE_DENY;
    default: return SQLITE_DENY;
    }
}

static void limit(sqlite3 *db)
{
    static const struct {
        int what, value;
    } limits[] = {
        {SQLITE_LIMIT_LENGTH, 4000000},
        {SQLITE_LIMIT_SQL_LENGTH, 100000},
        {SQLITE_LIMIT_COLUMN, 500},
        {SQLITE_LIMIT_EXPR_DEPTH, 500},
        {SQLITE_LIMIT_COMPOUND_SELECT, 100},
        {SQLITE_LIMIT_VDBE_OP, 1000000},
        {SQLITE_LIMIT_FUNCTION_ARG, 100},
        {SQLITE_LIMIT_ATTACHED, 0},
        {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        sqlite3_limit(db, limits[i].what, limits[i].value);
}

/* Reads the schema once, which shows whether the bytes are a database, and shuts the door. */
static Status guard(sqlite3 **out, sqlite3 *db)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 1, NULL); /* Spider writes = "text" */
    if (sqlite3_exec(db, "PRAGMA temp_store = MEMORY; SELECT count(*) FROM sqlite_master", NULL, NULL,
                     NULL) != SQLITE_OK) {
        fail(ST_FORMAT, "%s", sqlite3_errmsg(db));
        sqlite3_close(db);
        return ST_FORMAT;
    }
    limit(db);
    sqlite3_set_authorizer(db, may, NULL);
    *out = db;
    return ST_OK;
}

static void add_uri(Str *uri, const char *path)
{
    str_adds(uri, path[0] == '/' ? "file:" : "file:./");
    for (; *path; path++)
        if (strchr("%?#", *path))
            str_addf(uri, "%%%02X", (unsigned)(unsigned char)*path);
        else
            str_addc(uri, *path);
    str_adds(uri, "?immutable=1");
}

Status sql_open_file(sqlite3 **out, const char *path)
{
    sqlite3 *db = NULL;
    Str uri = {0};
    sql_memory_count();
    add_uri(&uri, path);
    int rc = path_is_folder(path)
                 ? SQLITE_CANTOPEN
                 : sqlite3_open_v2(str_c(&uri), &db,
                                   SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
    str_drop(&uri);
    if (rc != SQLITE_OK) {
        sqlite3_close(db);
        return fail(ST_IO, "%s: cannot be opened as a database: %s", path, sqlite3_errstr(rc));
    }
    Status st = guard(out, db);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", path);
}

Status sql_open_image(sqlite3 **out, Span image)
{
    sqlite3 *db = NULL;
    union {
        const char *in;
        unsigned char *out;
    } bytes = {image.at}; /* READONLY: they are not written to */
    sql_memory_count();
    if (sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
        sqlite3_deserialize(db, "main", bytes.out, (sqlite3_int64)image.n, (sqlite3_int64)image.n,
                            SQLITE_DESERIALIZE_READONLY) != SQLITE_OK) {
        fail(ST_FORMAT, "an image of a database: %s", sqlite3_errmsg(db));
        sqlite3_close(db);
        return ST_FORMAT;
    }
    return guard(out, db);
}

/* A run. ------------------------------------------------------------------------------------------------- */

typedef struct {
    const SqlLimits *limits;
    double end;
    int64_t most;     /* of sql_memory_used */
    SqlOutcome ended; /* SQL_RAN: by nobody */
} Watch;

static int look(void *context)
{
    Watch *w = context;
    if (w->limits->stopped && w->limits->stopped(w->limits->stopped_context))
        w->ended = SQL_STOPPED;
    else if (clock_now() > w->end)
        w->ended = SQL_TIME;
    else if (sql_memory_used() > w->most)
        w->ended = SQL_LARGE;
    return w->ended != SQL_RAN;
}

static Span keep_valid(SqlResult *r, const char *text, size_t n)
{
    if (utf8_valid(text, n))
        return (Span){arena_strn(&r->arena, text, n), n};
    char *copy = arena_alloc(&r->arena, n);
    size_t kept = 0;
    for (size_t i = 0; i < n;) {
        uint32_t codepoint;
        int length = utf8_decode(&codepoint, text + i, n - i);
        memcpy(copy + kept, text + i, (size_t)length);
        kept += (size_t)length;
        i += length ? (size_t)length : 1;
    }
    return (Span){copy, kept};
}

static SqlValue value_of(SqlResult *r, sqlite3_stmt *s, int column)
{
    switch (sqlite3_column_type(s, column)) {
    case SQLITE_INTEGER: return (SqlValue){.kind = SQL_INT, .whole = sqlite3_column_int64(s, column)};
    case SQLITE_FLOAT: return (SqlValue){.kind = SQL_REAL, .real = sqlite3_column_double(s, column)};
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_column_text(s, column);
        size_t n = text ? (size_t)sqlite3_column_bytes(s, column) : 0;
        return (SqlValue){.kind = SQL_TEXT, .bytes = keep_valid(r, text ? text : "", n)};
    }
    case SQLITE_BLOB: {
        const void *bytes = sqlite3_column_blob(s, column);
        size_t n = bytes ? (size_t)sqlite3_column_bytes(s, column) : 0;
        return (SqlValue){.kind = SQL_BLOB, .bytes = {arena_strn(&r->arena, bytes ? bytes : "", n), n}};
    }
    default: return (SqlValue){.kind = SQL_NULL};
    }
}

static SqlOutcome take_rows(sqlite3_stmt *s, const SqlLimits *limits, SqlResult *out, int *rc)
{
    int64_t bytes = 0;
    while ((*rc = sqlite3_step(s)) == SQLITE_ROW) {
        if (out->rows == limits->rows)
            return SQL_LARGE;
        for (int i = 0; i < out->columns; i++) {
            SqlValue v = value_of(out, s, i);
            bytes += (int64_t)sizeof v + (v.kind >= SQL_TEXT ? (int64_t)v.bytes.n : 0);
            array_push(&out->values, v);
        }
        out->rows++;
        if (bytes > limits->bytes)
            return SQL_LARGE;
    }
    return SQL_RAN;
}

/* What is left behind the statement is nothing but marks, blanks and comments. */
static bool is_rest_empty(sqlite3 *db, const char *tail, const char *end)
{
    sqlite3_stmt *s = NULL;
    while (tail < end) {
        const char *next = NULL;
        int rc = sqlite3_prepare_v2(db, tail, (int)(end - tail), &s, &next);
        sqlite3_finalize(s);
        if (rc != SQLITE_OK || s)
            return false;
        if (next <= tail)
            break;
        tail = next;
    }
    return true;
}

static SqlOutcome refuse(SqlResult *out, SqlOutcome outcome, const char *why)
{
    str_adds(&out->error, why);
    return outcome;
}

static void keep_declared(SqlResult *out, sqlite3_stmt *s)
{
    for (int i = 0; i < out->columns; i++) {
        const char *type = sqlite3_column_decltype(s, i);
        size_t n = type ? strlen(type) : 0;
        Span kept = {n ? arena_strn(&out->arena, type, n) : "", n};
        array_push(&out->declared, kept);
    }
}

static SqlOutcome step_through(sqlite3 *db, sqlite3_stmt *s, const SqlLimits *limits, SqlResult *out)
{
    static const char *const ends[] = {[SQL_TIME] = "ran past its time",
                                       [SQL_LARGE] = "gives or needs more than is allowed",
                                       [SQL_STOPPED] = "stopped"};
    Watch watch = {limits, clock_now() + limits->seconds, sql_memory_used() + limits->memory_bytes, SQL_RAN};
    int rc;
    out->columns = sqlite3_column_count(s);
    keep_declared(out, s);
    sqlite3_progress_handler(db, ASK_EVERY, look, &watch);
    SqlOutcome outcome = take_rows(s, limits, out, &rc);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    if (outcome == SQL_RAN)
        outcome = watch.ended != SQL_RAN || rc == SQLITE_DONE ? watch.ended : SQL_ERROR;
    if (rc == SQLITE_NOMEM)
        outcome = SQL_LARGE;
    return outcome == SQL_RAN
               ? outcome
               : refuse(out, outcome, outcome == SQL_ERROR ? sqlite3_errmsg(db) : ends[outcome]);
}

SqlOutcome sql_run(sqlite3 *db, Span query, const SqlLimits *limits, SqlResult *out)
{
    sqlite3_stmt *s = NULL;
    const char *tail = NULL;
    SqlOutcome outcome;
    out->rows = out->columns = 0;
    array_clear(&out->values);
    array_clear(&out->declared);
    str_clear(&out->error);
    arena_clear(&out->arena);
    if (query.n > 100000 || (query.n && memchr(query.at, '\0', query.n)))
        return refuse(out, SQL_ERROR, "a query longer than 100 000 bytes, or with a NUL");
    int rc = sqlite3_prepare_v2(db, query.at, (int)query.n, &s, &tail);
    if (rc != SQLITE_OK)
        outcome = refuse(out, rc == SQLITE_AUTH ? SQL_FORBIDDEN : SQL_ERROR, sqlite3_errmsg(db));
    else if (!s)
        outcome = refuse(out, SQL_ERROR, "no statement");
    else if (!is_rest_empty(db, tail, query.at + query.n))
        outcome = refuse(out, SQL_ERROR, "more than one statement");
    else if (!sqlite3_stmt_readonly(s) || sqlite3_stmt_isexplain(s))
        outcome = refuse(out, SQL_FORBIDDEN, "not a query");
    else if (sqlite3_bind_parameter_count(s) > 0)
        outcome = refuse(out, SQL_ERROR, "a parameter without a value");
    else
        outcome = step_through(db, s, limits, out);
    sqlite3_finalize(s);
    return outcome;
}
