/* Verdicts of Spider's published code on all pairs of queries in tests/golden/spider, against ours. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "eval/spider_sql.h"
#include "eval/sql_match.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#define FOLDER "tests/golden/spider/"

typedef struct {
    sqlite3 *db;
    Str image;
    SpiderSchema *schema;
    json_t *golden;
    const json_t *queries;
    SqlResult *results; /* of each query, and */
    SqlOutcome *outcomes;
    bool *ordered;
    size_t n;
} Golden;

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

static const char *query_at(const Golden *g, size_t i)
{
    return json_string_value(json_array_get(g->queries, i));
}

static int open_golden(void **state)
{
    Golden *g = mem_new(Golden);
    Str sql = {0};
    sqlite3 *made;
    must(file_read(&sql, FOLDER "schema.sql", 0));
    assert_int_equal(sqlite3_open(":memory:", &made), SQLITE_OK);
    assert_int_equal(sqlite3_exec(made, str_c(&sql), NULL, NULL, NULL), SQLITE_OK);
    sqlite3_int64 n;
    unsigned char *bytes = sqlite3_serialize(made, "main", &n, 0);
    str_add(&g->image, bytes, (size_t)n);
    sqlite3_free(bytes);
    sqlite3_close(made);
    str_drop(&sql);
    must(sql_open_image(&g->db, str_span(&g->image)));
    g->golden = json_load_file(FOLDER "verdicts.json", 0, NULL);
    g->queries = json_object_get(g->golden, "queries");
    g->n = json_array_size(g->queries);
    assert_true(g->n > 100);
    must(spider_schema_read(&g->schema, g->db, json_object_get(g->golden, "tables")));
    g->results = mem_array(SqlResult, g->n);
    g->outcomes = mem_array(SqlOutcome, g->n);
    g->ordered = mem_array(bool, g->n);
    SqlLimits limits = sql_limits();
    for (size_t i = 0; i < g->n; i++) {
        Str ready = {0};
        sql_match_prepare(&ready, span(query_at(g, i)), false);
        g->outcomes[i] = sql_run(g->db, str_span(&ready), &limits, &g->results[i]);
        g->ordered[i] = sql_match_is_ordered(str_span(&ready));
        str_drop(&ready);
    }
    *state = g;
    return 0;
}

static int close_golden(void **state)
{
    Golden *g = *state;
    for (size_t i = 0; i < g->n; i++)
        sql_result_drop(&g->results[i]);
    mem_free(g->results);
    mem_free(g->outcomes);
    mem_free(g->ordered);
    spider_schema_free(g->schema);
    sqlite3_close(g->db);
    str_drop(&g->image);
    json_decref(g->golden);
    mem_free(g);
    return 0;
}

static void hardness_is_the_published_one(void **state)
{
    const Golden *g = *state;
    const json_t *all = json_object_get(g->golden, "hardness");
    for (size_t i = 0; i < g->n; i++) {
        SpiderHardness h;
        bool parsed = spider_sql_hardness(&h, g->schema, span(query_at(g, i))) == ST_OK;
        const char *is = parsed ? spider_hardness_names[h] : "-";
        if (strcmp(is, json_string_value(json_array_get(all, i))) != 0)
            fail_msg("%s: %s", query_at(g, i), is);
    }
}

static int digit_of(const Golden *g, size_t gold, size_t answer)
{
    const char *row = json_string_value(json_array_get(json_object_get(g->golden, "verdicts"), gold));
    assert_int_equal(strlen(row), g->n);
    return (int)strtol((char[]){row[answer], '\0'}, NULL, 16);
}

static void exact_set_match_is_the_published_one(void **state)
{
    const Golden *g = *state;
    int yes = 0;
    for (size_t i = 0; i < g->n; i++)
        for (size_t j = 0; j < g->n; j++)
            for (int values = 0; values < 2; values++) {
                bool same;
                Status st =
                    spider_sql_match(&same, g->schema, span(query_at(g, i)), span(query_at(g, j)), values);
                if (same != (digit_of(g, i, j) >> values & 1) || (same && st != ST_OK))
                    fail_msg("%s | %s: %d", query_at(g, i), query_at(g, j), same);
                yes += same;
            }
    assert_true(yes > 200);
}

static void execution_match_is_the_published_one(void **state)
{
    const Golden *g = *state;
    int yes = 0;
    for (size_t i = 0; i < g->n; i++)
        for (size_t j = 0; j < g->n; j++) {
            bool same = g->outcomes[i] == SQL_RAN && g->outcomes[j] == SQL_RAN &&
                        sql_match_results(&g->results[i], &g->results[j], g->ordered[i]);
            if (same != (digit_of(g, i, j) >> 2 & 1))
                fail_msg("%s | %s: %d %s %s", query_at(g, i), query_at(g, j), same,
                         str_c(&g->results[i].error), str_c(&g->results[j].error));
            yes += same;
        }
    assert_true(yes > 200);
}

/* Every beginning of every query, as gold and as answer. */
static void beginnings_are_parsed_or_refused(void **state)
{
    const Golden *g = *state;
    for (size_t i = 0; i < g->n; i++)
        for (size_t n = 0; n < strlen(query_at(g, i)); n++) {
            bool same;
            char *part = mem_strn(query_at(g, i), n);
            Span cut = {part, n};
            Status st = spider_sql_match(&same, g->schema, cut, cut, true);
            if (st != ST_OK)
                assert_true(!same && st == ST_FORMAT && *error_text());
            mem_free(part);
        }
}

static void deep_and_long_queries_are_refused(void **state)
{
    const Golden *g = *state;
    bool same;
    Str deep = {0};
    for (int i = 0; i < 800; i++)
        str_adds(&deep, "SELECT Id FROM Author WHERE Id IN (");
    assert_int_equal(spider_sql_match(&same, g->schema, str_span(&deep), str_span(&deep), true), ST_FORMAT);
    str_clear(&deep);
    for (int i = 0; i < 400; i++)
        str_adds(&deep, "SELECT Id FROM Author UNION ");
    str_adds(&deep, "SELECT Id FROM Author");
    assert_int_equal(spider_sql_match(&same, g->schema, str_span(&deep), str_span(&deep), true), ST_FORMAT);
    for (int i = 0; i < 2000; i++)
        str_adds(&deep, " , Id , Id");
    assert_int_equal(spider_sql_match(&same, g->schema, str_span(&deep), str_span(&deep), true), ST_FORMAT);
    assert_non_null(strstr(error_text(), "20000"));
    str_drop(&deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hardness_is_the_published_one),
        cmocka_unit_test(exact_set_match_is_the_published_one),
        cmocka_unit_test(execution_match_is_the_published_one),
        cmocka_unit_test(beginnings_are_parsed_or_refused),
        cmocka_unit_test(deep_and_long_queries_are_refused),
    };
    return cmocka_run_group_tests(tests, open_golden, close_golden);
}
