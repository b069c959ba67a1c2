/* Verdicts on pairs of queries, for tests/spider_oracle.py to lay beside those of the published code.
 *
 *     make
 *     gcc -std=c17 -Isrc -D_GNU_SOURCE -O2 -o build/spider_verdicts tests/spider_verdicts.c \
 *         build/libeval.a build/libenv.a build/libbase.a $(pkg-config --libs sqlite3 jansson libutf8proc \
 *         libfyaml libarchive libpcre2-8 libxxhash libcrypto) -lm
 *
 * build/spider_verdicts databases DUMP.sql FOLDER
 *     writes FOLDER/DB/DB.sqlite for each database of a MySQL dump
 * build/spider_verdicts verdicts FOLDER TABLES
 *     reads {"db", "gold", "answer"} a line, prints exact-set match, the same with values, execution match (0, 1,
 *     or - where gold is refused) and hardness; TABLES is Spider's tables.json, or "" for the databases' own keys */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "base/json_file.h"
#include "env/mysql_dump.h"
#include "eval/spider_sql.h"
#include "eval/sql_match.h"

static Status write_database(void *context, const char *name, sqlite3 *db)
{
    char *folder = path_join(context, name), *file = mem_format("%s/%s.sqlite", folder, name);
    sqlite3 *to;
    Status st = folder_make(folder);
    check(st == ST_OK && sqlite3_open(file, &to) == SQLITE_OK);
    sqlite3_backup *b = sqlite3_backup_init(to, "main", db, "main");
    check(b && sqlite3_backup_step(b, -1) == SQLITE_DONE);
    sqlite3_backup_finish(b);
    sqlite3_close(to);
    sqlite3_close(db);
    mem_free(folder);
    mem_free(file);
    return ST_OK;
}

typedef struct {
    char name[64];
    sqlite3 *db;
    SpiderSchema *schema;
} Open;
static Open open_[300];
static size_t open_n;

static Open *open_of(const char *folder, const char *name, const json_t *tables)
{
    size_t i;
    json_t *it;
    const json_t *entry = NULL;
    for (i = 0; i < open_n; i++)
        if (strcmp(open_[i].name, name) == 0)
            return &open_[i];
    check(open_n < 300 && strlen(name) < 64);
    Open *o = &open_[open_n++];
    strcpy(o->name, name);
    char *path = mem_format("%s/%s/%s.sqlite", folder, name, name);
    json_array_foreach(tables, i, it) if (strcmp(json_string_value(json_object_get(it, "db_id")), name) == 0)
        entry = it;
    if (sql_open_file(&o->db, path) != ST_OK || spider_schema_read(&o->schema, o->db, entry) != ST_OK) {
        fprintf(stderr, "%s\n", error_text());
        check(false);
    }
    mem_free(path);
    return o;
}

static char execution(sqlite3 *db, const char *gold, const char *answer)
{
    static SqlResult g, a;
    SqlLimits limits = sql_limits();
    Str gs = {0}, as = {0};
    sql_match_prepare(&gs, span(gold), false);
    sql_match_prepare(&as, span(answer), false);
    char verdict = '-';
    if (sql_run(db, str_span(&gs), &limits, &g) == SQL_RAN)
        verdict = sql_run(db, str_span(&as), &limits, &a) == SQL_RAN &&
                          sql_match_results(&g, &a, sql_match_is_ordered(str_span(&gs)))
                      ? '1'
                      : '0';
    str_drop(&gs);
    str_drop(&as);
    return verdict;
}

static char exact(const SpiderSchema *schema, const char *gold, const char *answer, bool values)
{
    bool same;
    if (spider_sql_match(&same, schema, span(gold), span(answer), values) != ST_OK)
        return '-';
    return same ? '1' : '0';
}

int main(int argc, char **argv)
{
    json_t *tables = NULL;
    if (argc == 4 && strcmp(argv[1], "databases") == 0) {
        MysqlDumpCounts counts;
        MysqlDumpSpec spec = {.take = write_database, .context = argv[3]};
        if (mysql_dump_read(&counts, argv[2], &spec) == ST_OK)
            return 0;
        fprintf(stderr, "%s\n", error_text());
        return 1;
    }
    check(argc == 4 && strcmp(argv[1], "verdicts") == 0);
    if (*argv[3])
        check((tables = json_load_file(argv[3], 0, NULL)) != NULL);
    static char line[1 << 20];
    while (fgets(line, sizeof line, stdin)) {
        json_t *pair = json_loads(line, 0, NULL);
        check(pair);
        const char *gold = json_string_value(json_object_get(pair, "gold"));
        const char *answer = json_string_value(json_object_get(pair, "answer"));
        Open *o = open_of(argv[2], json_string_value(json_object_get(pair, "db")), tables);
        SpiderHardness hard;
        Status st = spider_sql_hardness(&hard, o->schema, span(gold));
        printf("%c %c %c %s\n", exact(o->schema, gold, answer, false), exact(o->schema, gold, answer, true),
               execution(o->db, gold, answer), st == ST_OK ? spider_hardness_names[hard] : "-");
        json_decref(pair);
    }
    return 0;
}
