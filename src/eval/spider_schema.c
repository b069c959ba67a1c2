#include "eval/spider_schema.h"

#include <string.h>
#include <utf8proc.h>

#include "base/array.h"
#include "base/map.h"

struct SpiderSchema {
    Map *ids;    /* "table.column" and "table" */
    Map *tables; /* "table" */
    Map *keys;   /* "table.column" -> its set's place in `firsts` */
    Array(char *) firsts;
};

/* The columns of tables.json or of the database in their order, and the keys between them by number. */
typedef struct {
    Array(char *) names;  /* "table.column", lower case */
    Array(int64_t) pairs; /* two numbers a key */
} Keys;

static char *lower_name(const char *table, const char *column)
{
    Str low = {0};
    char *whole = column ? mem_format("%s.%s", table, column) : mem_str(table);
    size_t n = strlen(whole);
    for (size_t i = 0; i < n;) {
        uint32_t c = 0;
        int length = utf8_decode(&c, whole + i, n - i);
        str_add_utf8(&low, length ? (uint32_t)utf8proc_tolower((utf8proc_int32_t)c) : 0xFFFD);
        i += length ? (size_t)length : 1;
    }
    mem_free(whole);
    return low.at ? low.at : mem_str("");
}

static void keys_drop(Keys *k)
{
    for (size_t i = 0; i < k->names.n; i++)
        mem_free(k->names.at[i]);
    array_drop(&k->names);
    array_drop(&k->pairs);
}

/* Sets. -------------------------------------------------------------------------------------------------- */

enum { COLUMNS_MAX = 10000, KEYS_MAX = 2000 };

static int64_t first_with(const bool *set_of, size_t columns, size_t sets, int64_t a, int64_t b)
{
    for (size_t s = 0; s < sets; s++)
        if (set_of[s * columns + (size_t)a] || set_of[s * columns + (size_t)b])
            return (int64_t)s;
    return (int64_t)sets;
}

static Status join_keys(SpiderSchema *schema, const Keys *k)
{
    size_t columns = k->names.n, sets = 0, pairs = k->pairs.n / 2;
    if (columns > COLUMNS_MAX || pairs > KEYS_MAX)
        return fail(ST_LIMIT, "a schema of more than %d columns or %d foreign keys", COLUMNS_MAX, KEYS_MAX);
    bool *member = mem_array(bool, pairs *columns);
    for (size_t i = 0; i < pairs; i++) {
        int64_t a = k->pairs.at[2 * i], b = k->pairs.at[2 * i + 1];
        size_t s = (size_t)first_with(member, columns, sets, a, b);
        sets += s == sets;
        member[s * columns + (size_t)a] = member[s * columns + (size_t)b] = true;
    }
    for (size_t s = 0; s < sets; s++) {
        const char *first = NULL;
        for (size_t c = 0; c < columns; c++) {
            if (!member[s * columns + c])
                continue;
            if (!first) {
                first = k->names.at[c];
                array_push(&schema->firsts, mem_str(first));
            }
            *map_put(schema->keys, k->names.at[c], strlen(k->names.at[c])) = (int64_t)s;
        }
    }
    mem_free(member);
    return ST_OK;
}

/* tables.json. ------------------------------------------------------------------------------------------- */

static Status read_entry(Keys *k, const json_t *entry)
{
    size_t i;
    json_t *item;
    const json_t *tables = json_object_get(entry, "table_names_original"),
                 *columns = json_object_get(entry, "column_names_original"),
                 *foreign = json_object_get(entry, "foreign_keys");
    if (!json_is_array(tables) || !json_is_array(columns) || !json_is_array(foreign))
        return fail(ST_FORMAT, "tables.json: an entry without table_names_original, column_names_original or "
                               "foreign_keys");
    json_array_foreach(columns, i, item)
    {
        json_int_t table = json_integer_value(json_array_get(item, 0));
        const char *name = json_string_value(json_array_get(item, 1));
        const char *of = table < 0 ? "" : json_string_value(json_array_get(tables, (size_t)table));
        if (!name || !of)
            return fail(ST_FORMAT, "tables.json: column %zu is none", i);
        array_push(&k->names, lower_name(of, name)); /* the first is "*" of table -1, and in no key */
    }
    json_array_foreach(foreign, i, item)
    {
        json_int_t a = json_integer_value(json_array_get(item, 0)),
                   b = json_integer_value(json_array_get(item, 1));
        if (json_array_size(item) != 2 || a < 0 || b < 0 || a >= (json_int_t)k->names.n ||
            b >= (json_int_t)k->names.n)
            return fail(ST_FORMAT, "tables.json: foreign key %zu is none", i);
        array_push(&k->pairs, a);
        array_push(&k->pairs, b);
    }
    return ST_OK;
}

/* The database. ------------------------------------------------------------------------------------------ */

static Status sqlite_says(sqlite3 *db)
{
    return fail(ST_FORMAT, "its schema cannot be read: %s", sqlite3_errmsg(db));
}

/* Each column of each table, in their order. */
static Status read_columns(SpiderSchema *s, Keys *k, sqlite3 *db)
{
    sqlite3_stmt *q = NULL;
    int rc =
        sqlite3_prepare_v2(db,
                           "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c "
                           "WHERE m.type = 'table' ORDER BY m.rowid, c.cid",
                           -1, &q, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        if ((rc = sqlite3_step(q)) != SQLITE_ROW)
            break;
        const char *table = (const char *)sqlite3_column_text(q, 0),
                   *column = (const char *)sqlite3_column_text(q, 1);
        char *name = lower_name(table, NULL), *id = lower_name(table, column);
        *map_put(s->tables, name, strlen(name)) = 1;
        *map_put(s->ids, name, strlen(name)) = 1;
        *map_put(s->ids, id, strlen(id)) = 1;
        array_push(&k->names, id);
        mem_free(name);
    }
    sqlite3_finalize(q);
    return rc == SQLITE_DONE ? ST_OK : sqlite_says(db);
}

static int64_t number_of(const Keys *k, char *name)
{
    int64_t found = -1;
    for (size_t i = 0; i < k->names.n && found < 0; i++)
        if (strcmp(k->names.at[i], name) == 0)
            found = (int64_t)i;
    mem_free(name);
    return found;
}

/* A key to a table's primary key need not name the column: it is left out, as are keys to what is not there.
 */
static Status read_foreign(Keys *k, sqlite3 *db)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(
        db,
        "SELECT m.name, f.\"from\", f.\"table\", f.\"to\" FROM sqlite_master AS m, "
        "pragma_foreign_key_list(m.name) AS f WHERE m.type = 'table' AND f.\"to\" IS NOT NULL "
        "ORDER BY m.rowid, f.id DESC, f.seq",
        -1, &q, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        if ((rc = sqlite3_step(q)) != SQLITE_ROW)
            break;
        const char *text[4];
        for (int i = 0; i < 4; i++)
            text[i] = (const char *)sqlite3_column_text(q, i);
        int64_t a = number_of(k, lower_name(text[0], text[1])),
                b = number_of(k, lower_name(text[2], text[3]));
        if (a >= 0 && b >= 0) {
            array_push(&k->pairs, a);
            array_push(&k->pairs, b);
        }
    }
    sqlite3_finalize(q);
    return rc == SQLITE_DONE ? ST_OK : sqlite_says(db);
}

Status spider_schema_read(SpiderSchema **out, sqlite3 *db, const json_t *entry)
{
    SpiderSchema *s = mem_new(SpiderSchema);
    Keys own = {0}, given = {0};
    s->ids = map_new();
    s->tables = map_new();
    s->keys = map_new();
    Status st = read_columns(s, &own, db);
    if (st == ST_OK)
        st = entry ? read_entry(&given, entry) : read_foreign(&own, db);
    if (st == ST_OK)
        st = join_keys(s, entry ? &given : &own);
    if (st == ST_OK)
        *out = s;
    else
        spider_schema_free(s);
    keys_drop(&own);
    keys_drop(&given);
    return st;
}

void spider_schema_free(SpiderSchema *s)
{
    if (!s)
        return;
    map_free(s->ids);
    map_free(s->tables);
    map_free(s->keys);
    for (size_t i = 0; i < s->firsts.n; i++)
        mem_free(s->firsts.at[i]);
    array_drop(&s->firsts);
    mem_free(s);
}

bool spider_schema_has_table(const SpiderSchema *s, Span table)
{
    return map_find(s->tables, table.at, table.n) != NULL;
}

bool spider_schema_has(const SpiderSchema *s, Span id)
{
    return span_is(id, "*") || map_find(s->ids, id.at, id.n) != NULL;
}

bool spider_schema_has_column(const SpiderSchema *s, Span table, Span column)
{
    Str id = {0};
    str_addf(&id, "%.*s.%.*s", (int)table.n, table.at, (int)column.n, column.at);
    bool has = spider_schema_has_table(s, table) && spider_schema_has(s, str_span(&id));
    str_drop(&id);
    return has;
}

Span spider_schema_key_of(const SpiderSchema *s, Span id)
{
    const int64_t *set = map_find(s->keys, id.at, id.n);
    return set ? span(s->firsts.at[*set]) : id;
}

int64_t spider_schema_tables(const SpiderSchema *s)
{
    return map_count(s->tables);
}

Span spider_schema_table_at(const SpiderSchema *s, int64_t i)
{
    return map_key_at(s->tables, i);
}
