#include "env/sql.h"

#include <string.h>

#include "base/file.h"
#include "env/sql_backend.h"

struct SqlWorlds {
    const SqlBackend *backend;
    void *all;
    const char *server, *from;
};

struct SqlWorld {
    const SqlBackend *backend;
    void *world;
};

SqlLimits sql_world_limits(void)
{
    return (SqlLimits){.seconds = 10, .rows = 100000, .bytes = 64 << 20, .memory_bytes = 1 << 30};
}

void sql_turn_drop(SqlTurn *t)
{
    str_drop(&t->text);
}

Status sql_turn_fail(SqlTurn *out, const char *why)
{
    out->failed = true;
    str_clear(&out->text);
    str_adds(&out->text, "Error executing query: ");
    str_add_valid(&out->text, why, strlen(why)); /* it has words of the query, which may be any bytes */
    return ST_OK;
}

static SqlWorlds *of(const SqlBackend *backend, void *all, const char *server, const char *from)
{
    SqlWorlds *w = mem_new(SqlWorlds);
    *w = (SqlWorlds){backend, all, server, from};
    return w;
}

Status sql_worlds_open(SqlWorlds **out, const char *dump, bool (*stopped)(void *), void *context)
{
    void *all;
    TRY(sql_sqlite_open_dump(&all, dump, stopped, context));
    *out = of(&sql_on_sqlite, all, "SQLite", "dump");
    return ST_OK;
}

static Status open_server(SqlWorlds **out, const SqlSource *s, const char *dump)
{
    void *all;
    if (s->from == SQL_FROM_SPIDER)
        return fail(ST_ARG, "Spider's files are SQLite's: a server of databases takes the dump, " SQL_DUMP);
    TRY(sql_server_open(&all, s->server, dump, s->stopped, s->stopped_context));
    *out = of(&sql_on_server, all, sql_server_version(all), "server");
    return ST_OK;
}

static Status open_spider(SqlWorlds **out, const char *folder)
{
    void *all;
    TRY(sql_sqlite_open_folder(&all, folder));
    *out = of(&sql_on_sqlite, all, "SQLite", "spider");
    return ST_OK;
}

Status sql_worlds_open_source(SqlWorlds **out, const SqlSource *s)
{
    char *dump = path_join(s->data, SQL_DUMP), *spider = path_join(s->data, SQL_SPIDER);
    bool files = s->from == SQL_FROM_SPIDER ||
                 (s->from == SQL_FROM_EITHER && !path_exists(dump) && path_is_folder(spider));
    Status st = s->server ? open_server(out, s, dump)
                : files   ? open_spider(out, spider)
                          : sql_worlds_open(out, dump, s->stopped, s->stopped_context);
    mem_free(dump);
    mem_free(spider);
    return st;
}

const char *sql_worlds_server(const SqlWorlds *w)
{
    return w->server;
}

const char *sql_worlds_from(const SqlWorlds *w)
{
    return w->from;
}

bool sql_worlds_has(const SqlWorlds *w, const char *database)
{
    return w->backend->has(w->all, database);
}

void sql_worlds_close(SqlWorlds *w)
{
    if (w)
        w->backend->close(w->all);
    mem_free(w);
}

Status sql_world_open(SqlWorld **out, const SqlWorlds *all, const char *database, const SqlLimits *limits)
{
    void *world;
    SqlLimits own = sql_world_limits();
    TRY(all->backend->open(&world, all->all, database, limits ? limits : &own));
    SqlWorld *w = mem_new(SqlWorld);
    *w = (SqlWorld){all->backend, world};
    *out = w;
    return ST_OK;
}

void sql_world_close(SqlWorld *w)
{
    if (w)
        w->backend->end(w->world);
    mem_free(w);
}

Status sql_world_act(SqlWorld *w, SqlTurn *out, Span action)
{
    str_clear(&out->text);
    out->failed = false;
    out->outcome = SQL_RAN;
    return w->backend->act(w->world, out, action);
}

Status sql_world_gold(SqlWorld *w, SqlTurn *out, Span query)
{
    TRY(sql_world_act(w, out, query));
    if (out->outcome == SQL_TIME || out->outcome == SQL_LARGE)
        return fail(ST_LIMIT, "the gold query %s, so that there is nothing to compare with: %.200s",
                    out->outcome == SQL_TIME ? "ran past its time" : "gave or needed more than is allowed",
                    str_c(&out->text));
    return ST_OK;
}

bool sql_turn_lists(const SqlTurn *t)
{
    return !t->failed && t->text.n && t->text.at[0] == '[';
}
