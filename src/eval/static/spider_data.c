#include "eval/static/spider_data.h"

#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "env/mysql_dump.h"
#include "eval/data_folder.h"
#include "env/sql_result.h"

#define TABLES "spider/tables.json"
#define DUMP "intercode/sql/ic_spider_dbs.sql"

static SpiderDatabase *database_new(SpiderData *d, const char *name)
{
    SpiderDatabase *db = mem_new(SpiderDatabase);
    db->name = mem_str(name);
    array_push(&d->all, db);
    return db;
}

static void database_free(SpiderDatabase *db)
{
    union {
        const char *in;
        void *out;
    } image = {db->image.at};
    for (size_t i = 0; i < db->files.n; i++)
        mem_free(db->files.at[i]);
    array_drop(&db->files);
    sqlite3_free(image.out);
    spider_schema_free(db->schema);
    mem_free(db->name);
    mem_free(db->text);
    mem_free(db);
}

Status spider_data_open_published(SpiderData *d, const char *data)
{
    char *path;
    *d = (SpiderData){.data = data};
    TRY(data_find(&path, data, TABLES));
    Status st = json_file_read(&d->tables, path);
    mem_free(path);
    return st;
}

static Status keep(void *context, const char *name, sqlite3 *memory)
{
    sqlite3_int64 n = 0;
    SpiderDatabase *db = database_new(context, name);
    db->image.at = (const char *)sqlite3_serialize(memory, "main", &n, 0);
    db->image.n = (size_t)n;
    sqlite3_close(memory);
    return db->image.at ? ST_OK : fail(ST_NOMEM, "no memory for the database %s", name);
}

Status spider_data_open_dump(SpiderData *d, const char *data, bool (*stopped)(void *), void *context)
{
    char *path;
    MysqlDumpCounts counts;
    MysqlDumpSpec spec = {
        .take = keep, .context = d, .progress = true, .stopped = stopped, .stopped_context = context};
    *d = (SpiderData){.data = data};
    TRY(data_find(&path, data, DUMP));
    Status st = mysql_dump_read(&counts, path, &spec);
    mem_free(path);
    return st;
}

void spider_data_close(SpiderData *d)
{
    json_decref(d->tables);
    for (size_t i = 0; i < d->all.n; i++)
        database_free(d->all.at[i]);
    array_drop(&d->all);
}

/* Files. ------------------------------------------------------------------------------------------------- */

/* Names come from the questions, and become names of files. */
static bool is_name(const char *name)
{
    return *name && *name != '.' && !strchr(name, '/') && strlen(name) < 200;
}

/* spider/test_database/<name> where it holds any, as published code takes them: ".sqlite" in the name. */
static Status add_variants(SpiderDatabase *db, const char *data)
{
    FolderList list;
    char *folder = mem_format("%s/spider/test_database/%s", data, db->name);
    Status st = ST_OK;
    if (path_is_folder(folder) && (st = folder_list(&list, folder)) == ST_OK) {
        for (size_t i = 0; i < list.n; i++)
            if (strstr(list.at[i], ".sqlite"))
                array_push(&db->files, path_join(folder, list.at[i]));
        folder_list_drop(&list);
    }
    mem_free(folder);
    return st;
}

static Status find_files(SpiderDatabase **out, SpiderData *d, const char *name)
{
    char *file = mem_format("spider/database/%s/%s.sqlite", name, name), *path = NULL;
    Status st = is_name(name) ? data_find(&path, d->data, file)
                              : fail(ST_FORMAT, "spider/dev.json: no name of a database: '%.40s'", name);
    mem_free(file);
    TRY(st);
    *out = database_new(d, name);
    st = add_variants(*out, d->data);
    if ((*out)->files.n == 0)
        array_push(&(*out)->files, path);
    else
        mem_free(path);
    return st;
}

/* What the prompt and the match need. -------------------------------------------------------------------- */

static Status read_text(SpiderDatabase *db, sqlite3 *c)
{
    SqlResult r = {0};
    Str text = {0};
    SqlLimits limits = sql_limits();
    SqlOutcome outcome = sql_run(
        c,
        span(
            "SELECT sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid"),
        &limits, &r);
    for (int64_t i = 0; outcome == SQL_RAN && i < r.rows; i++) {
        const SqlValue *v = sql_value(&r, i, 0);
        if (v->kind == SQL_TEXT)
            str_addf(&text, "%.*s;\n", (int)v->bytes.n, v->bytes.at);
    }
    Status st =
        outcome == SQL_RAN ? ST_OK : fail(ST_FORMAT, "its schema cannot be read: %s", str_c(&r.error));
    if (st == ST_OK)
        db->text = mem_str(str_c(&text));
    str_drop(&text);
    sql_result_drop(&r);
    return st;
}

static const json_t *entry_of(const SpiderData *d, const char *name)
{
    size_t i;
    json_t *entry;
    json_array_foreach(d->tables, i, entry)
    {
        const char *id = json_string_value(json_object_get(entry, "db_id"));
        if (id && strcmp(id, name) == 0)
            return entry;
    }
    return NULL;
}

static Status read_schema(SpiderData *d, SpiderDatabase *db)
{
    sqlite3 *c;
    const json_t *entry = entry_of(d, db->name);
    if (d->tables && !entry)
        return fail(ST_FORMAT, "%s/" TABLES " has no entry for %s", d->data, db->name);
    TRY(spider_data_connect(&c, db, 0));
    Status st = read_text(db, c);
    if (st == ST_OK)
        st = spider_schema_read(&db->schema, c, entry);
    sqlite3_close(c);
    return st == ST_OK ? ST_OK : fail_in(st, "database %s", db->name);
}

Status spider_data_find(const SpiderDatabase **out, SpiderData *d, const char *name)
{
    SpiderDatabase *db = NULL;
    for (size_t i = 0; i < d->all.n && !db; i++)
        if (strcmp(d->all.at[i]->name, name) == 0)
            db = d->all.at[i];
    if (!db && !d->tables)
        return fail(ST_FORMAT, "%s/" DUMP " holds no database %.60s", d->data, name);
    if (!db)
        TRY(find_files(&db, d, name));
    if (!db->schema)
        TRY(read_schema(d, db));
    *out = db;
    return ST_OK;
}

int64_t spider_data_variants(const SpiderDatabase *db)
{
    return db->image.at ? 1 : (int64_t)db->files.n;
}

Status spider_data_connect(sqlite3 **out, const SpiderDatabase *db, int64_t i)
{
    return db->image.at ? sql_open_image(out, db->image) : sql_open_file(out, db->files.at[i]);
}
