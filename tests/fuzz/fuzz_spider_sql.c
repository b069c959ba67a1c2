/* Any two texts, a "|" between them, as a gold query and an answer: the parser and the match of parts, what
 * the execution match makes of the texts, both of them run, and their results compared. */
#include <string.h>

#include "base/check.h"
#include "eval/spider_sql.h"
#include "eval/sql_match.h"
#include "eval/static/spider.h"

static sqlite3 *db;
static SpiderSchema *schema;

static void open_once(void)
{
    static const char tables[] = "CREATE TABLE a (id INTEGER PRIMARY KEY, n TEXT, v REAL); CREATE TABLE b "
                                 "(a_id INT REFERENCES a (id), n TEXT);"
                                 "INSERT INTO a VALUES (1, 'x', 1.5), (2, 'y', 2), (3, NULL, 2); INSERT INTO "
                                 "b VALUES (1, 'x'), (1, 'z');";
    sqlite3 *made;
    sqlite3_int64 n;
    check(sqlite3_open(":memory:", &made) == SQLITE_OK);
    check(sqlite3_exec(made, tables, NULL, NULL, NULL) == SQLITE_OK);
    const char *image = (const char *)sqlite3_serialize(made, "main", &n, 0);
    sqlite3_close(made);
    check(sql_open_image(&db, (Span){image, (size_t)n}) == ST_OK);
    check(spider_schema_read(&schema, db, NULL) == ST_OK);
}

/* What matches with values matches without; what is parsed matches itself, but for two queries in one FROM.
 */
static void parts(Span gold, Span answer)
{
    bool with, without;
    SpiderHardness hardness;
    Status st = spider_sql_match(&with, schema, gold, answer, true);
    check(spider_sql_match(&without, schema, gold, answer, false) == st || with);
    check(!with || without);
    st = spider_sql_hardness(&hardness, schema, gold);
    check(st == ST_OK || (st == ST_FORMAT && *error_text()));
}

static void run(Span query, SqlResult *r, bool *ran)
{
    SqlLimits limits = {.seconds = 0.2, .rows = 1000, .bytes = 1 << 20, .memory_bytes = 1 << 28};
    Str ready = {0};
    sql_match_prepare(&ready, query, false);
    *ran = sql_run(db, str_span(&ready), &limits, r) == SQL_RAN;
    check(*ran || r->error.n);
    str_drop(&ready);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static SqlResult g, a;
    const char *bar = n ? memchr(bytes, '|', n) : NULL;
    Span gold = {(const char *)bytes, bar ? (size_t)(bar - (const char *)bytes) : n};
    Span answer = bar ? (Span){bar + 1, n - gold.n - 1} : gold;
    Str query = {0};
    bool g_ran, a_ran;
    if (!db)
        open_once();
    check(spider_answer_query(&query, answer, n % 2) == (query.n > 0));
    parts(gold, answer);
    run(gold, &g, &g_ran);
    run(answer, &a, &a_ran);
    if (g_ran) {
        check(sql_match_results(&g, &g, sql_match_is_ordered(gold)));
        check(!a_ran || sql_match_results(&g, &a, false) || !sql_match_results(&g, &a, true));
    }
    str_drop(&query);
    return 0;
}
