/* Rules of the execution match beside those that tests/golden/spider shows (spider_golden_test.c). */
#include "eval/sql_match.h"

#include <string.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static void texts_are_made_ready(void **state)
{
    (void)state;
    static const struct {
        const char *query, *ready;
    } cases[] = {
        {"SELECT DISTINCT a FROM b", "SELECT  a FROM b"},
        {"select count(distinct a) from b where c > = 1 and d ! = 2 and e < = 3",
         "select count( a) from b where c >= 1 and d != 2 and e <= 3"},
        {"SELECT 'distinct', \"DISTINCT\", `distinct`, [distinct], adistinct, distinct_b -- distinct\n;",
         "SELECT 'distinct', \"DISTINCT\", `distinct`, [distinct], adistinct, distinct_b -- distinct\n;"},
        {"SELECT ';' ; SELECT 2", "SELECT ';' ;"},
        {"SELECT year ( curdate ( ) )  - a", "SELECT 2020- a"},
        {"SELECT YEAR(CURDATE(1))", "SELECT YEAR(CURDATE(1))"},
        {"SELECT 'it", "SELECT 'it"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Str out = {0};
        sql_match_prepare(&out, span(cases[i].query), false);
        assert_string_equal(str_c(&out), cases[i].ready);
        str_drop(&out);
    }
    Str kept = {0};
    sql_match_prepare(&kept, span("SELECT DISTINCT a"), true);
    assert_string_equal(str_c(&kept), "SELECT DISTINCT a");
    str_drop(&kept);
    assert_true(sql_match_is_ordered(span("select a from b Order By c")));
    assert_false(sql_match_is_ordered(span("select a from b order  by c")));
}

static bool match(const char *gold, const char *answer, bool ordered)
{
    SqlResult g = {0}, a = {0};
    SqlLimits limits = sql_limits();
    sqlite3 *db;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    if (sql_run(db, span(gold), &limits, &g) != SQL_RAN || sql_run(db, span(answer), &limits, &a) != SQL_RAN)
        fail_msg("%s | %s: %s %s", gold, answer, str_c(&g.error), str_c(&a.error));
    bool same = sql_match_results(&g, &a, ordered);
    sql_result_drop(&g);
    sql_result_drop(&a);
    sqlite3_close(db);
    return same;
}

static void results_are_bags_under_an_order_of_columns(void **state)
{
    (void)state;
    assert_true(match("VALUES (1, 'a'), (2, 'b')", "VALUES ('b', 2), ('a', 1)", false));
    assert_false(match("VALUES (1, 'a'), (2, 'b')", "VALUES ('b', 2), ('a', 1)", true));
    assert_true(match("VALUES (1, 'a'), (2, 'b')", "VALUES ('a', 1), ('b', 2)", true));
    assert_false(match("VALUES (1, 2), (3, 4)", "VALUES (2, 1), (3, 4)", false)); /* one order for all rows */
    assert_false(match("VALUES (1), (1), (2)", "VALUES (1), (2), (2)", false));
    assert_true(match("VALUES (1), (1), (2)", "VALUES (1.0), (2), (1)", false));
    assert_false(match("VALUES (1)", "VALUES ('1')", false));
    assert_false(match("VALUES ('1')", "VALUES (x'31')", false));
    assert_true(match("VALUES (NULL)", "VALUES (NULL)", false));
    assert_true(match("VALUES (0)", "VALUES (-0.0)", false));
    assert_false(match("VALUES (9007199254740993)", "VALUES (9007199254740992.0)", false));
    assert_true(match("SELECT 1 WHERE 0", "SELECT 1, 2 WHERE 0", false));
    assert_false(match("SELECT 1 WHERE 0", "SELECT 1", false));
    assert_false(match("VALUES (1)", "VALUES (1, 1)", false));
    /* 1 and 1.0 stand apart when sorted as "1<class 'int'>" and "1.0<class 'float'>" beside "10": as
     * published */
    assert_false(match("VALUES (1, 10.0)", "VALUES (1.0, 10)", false));
    assert_true(match("VALUES (1, 20.0)", "VALUES (1.0, 20)", false));
}

/* Thirty columns that are all alike, and thirty that are nearly so, have 30! orders. */
static void many_columns_take_no_time(void **state)
{
    (void)state;
    Str one = {0}, other = {0};
    str_adds(&one, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT i");
    str_adds(&other, str_c(&one));
    for (int c = 0; c < 30; c++) {
        str_addf(&one, ", (i * 7 + %d) %% 3", c);
        str_addf(&other, ", (i * 7 + %d) %% 3", 29 - c);
    }
    str_adds(&one, " FROM n");
    str_adds(&other, " FROM n ORDER BY i DESC");
    assert_true(match(str_c(&one), str_c(&other), false));
    str_adds(&other, " LIMIT 200 OFFSET 0");
    assert_true(match(str_c(&one), str_c(&other), false));
    str_drop(&one);
    str_drop(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_made_ready),
        cmocka_unit_test(results_are_bags_under_an_order_of_columns),
        cmocka_unit_test(many_columns_take_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
