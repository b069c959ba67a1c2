#include "env/mysql_script.h"

#include "base/file.h"
#include "env/mysql_token.h"

/* "CREATE USER", "GRANT", "FLUSH". */
typedef enum { BEGIN_NONE, BEGIN_CREATE, BEGIN_RUN, BEGIN_PASS } Begin;

/* What the next word at the beginning of a statement makes of it. */
static Begin judged(Begin before, const MysqlToken *t)
{
    if (before == BEGIN_NONE && mysql_token_is(t, "CREATE"))
        return BEGIN_CREATE;
    if (before == BEGIN_CREATE)
        return mysql_token_is(t, "USER") ? BEGIN_PASS : BEGIN_RUN;
    bool rights = mysql_token_is(t, "GRANT") || mysql_token_is(t, "FLUSH");
    return before != BEGIN_NONE ? before : rights ? BEGIN_PASS : BEGIN_RUN;
}

static Status run(SqlClient *c, SqlAnswer *a, Span statement, const MysqlReader *r, const SqlLimits *limits)
{
    TRY(sql_client_ask(c, a, statement, limits));
    if (a->outcome == SQL_STOPPED)
        return fail(ST_CANCELLED, "%s: stopped in line %lld", r->file, (long long)r->line);
    if (a->outcome != SQL_RAN)
        return fail(ST_FORMAT, "%s:%lld: %s", r->file, (long long)r->line, str_c(&a->error));
    return ST_OK;
}

static Status run_all(SqlClient *c, SqlAnswer *a, MysqlReader *r, const SqlLimits *limits)
{
    MysqlToken t;
    const char *begin = r->at;
    Begin what = BEGIN_NONE;
    for (;;) {
        TRY(mysql_token_next(r, &t));
        if (t.kind == MYSQL_END)
            break;
        if (!mysql_token_is(&t, ";")) {
            what = judged(what, &t);
            continue;
        }
        Span statement = span_trim((Span){begin, (size_t)(r->at - begin) - 1});
        if (statement.n && what != BEGIN_PASS)
            TRY(run(c, a, statement, r, limits));
        begin = r->at;
        what = BEGIN_NONE;
    }
    return what == BEGIN_NONE ? ST_OK : fail(ST_FORMAT, "%s: its last statement does not end", r->file);
}

Status mysql_script_run_text(SqlClient *c, Span text, const char *name, const SqlLimits *limits)
{
    SqlAnswer a = {0};
    MysqlReader r = {.at = text.at, .end = text.at + text.n, .file = name, .line = 1};
    Status st = run_all(c, &a, &r, limits);
    sql_answer_drop(&a);
    mysql_reader_drop(&r);
    return st;
}

Status mysql_script_run(SqlClient *c, const char *path, const SqlLimits *limits)
{
    FileMap map;
    TRY(file_map(&map, path));
    Status st = mysql_script_run_text(c, (Span){(const char *)map.at, map.n}, path, limits);
    file_unmap(&map);
    return st;
}
