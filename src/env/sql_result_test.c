/* Queries of all types of values, and those of attackers and clumsy models: each is bounded, and the database
 * stays as it was. */
#include "env/sql_result.h"

#include <pthread.h>

#include "base/scratch_test.h"
#include "env/sql_memory.h"

static sqlite3 *open_own(void)
{
    sqlite3 *db;
    unlink(in_scratch("own ?#%.sqlite"));
    assert_int_equal(sqlite3_open(in_scratch("own ?#%.sqlite"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE TABLE t (a, b TEXT); INSERT INTO t VALUES (1, 'x'), (2.5, NULL), "
                                  "(x'00ff', CAST(x'61ff62e282' AS TEXT)), (-9223372036854775808, '')",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    if (sql_open_file(&db, in_scratch("own ?#%.sqlite")) != ST_OK)
        fail_msg("%s", error_text());
    return db;
}

static void values_keep_their_types(void **state)
{
    (void)state;
    SqlResult r = {0};
    SqlLimits limits = sql_limits();
    sqlite3 *db = open_own();
    assert_int_equal(sql_run(db, span("SELECT a, b FROM t ORDER BY rowid; -- all\n ;"), &limits, &r),
                     SQL_RAN);
    assert_int_equal(r.rows, 4);
    assert_int_equal(r.columns, 2);
    assert_int_equal(sql_value(&r, 0, 0)->kind, SQL_INT);
    assert_int_equal(sql_value(&r, 0, 0)->whole, 1);
    assert_true(span_is(sql_value(&r, 0, 1)->bytes, "x"));
    assert_true(sql_value(&r, 1, 0)->kind == SQL_REAL && sql_value(&r, 1, 0)->real == 2.5);
    assert_int_equal(sql_value(&r, 1, 1)->kind, SQL_NULL);
    assert_true(sql_value(&r, 2, 0)->kind == SQL_BLOB && sql_value(&r, 2, 0)->bytes.n == 2);
    assert_true(span_is(sql_value(&r, 2, 1)->bytes, "ab")); /* what is no UTF-8 is left out */
    assert_true(sql_value(&r, 3, 0)->whole == INT64_MIN);
    assert_int_equal(sql_value(&r, 3, 1)->bytes.n, 0);
    assert_int_equal(sql_run(db, span("SELECT value FROM json_each('[1,2,3]')"), &limits, &r), SQL_RAN);
    assert_int_equal(r.rows, 3);
    assert_int_equal(sql_run(db, span("SELECT name FROM pragma_table_info('t')"), &limits, &r), SQL_RAN);
    assert_int_equal(r.rows, 2);
    sql_result_drop(&r);
    sqlite3_close(db);
}

static void nothing_but_reading_is_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        SqlOutcome outcome;
    } cases[] = {
        {"INSERT INTO t VALUES (1, 2)", SQL_FORBIDDEN},
        {"UPDATE t SET a = 1", SQL_FORBIDDEN},
        {"DELETE FROM t RETURNING a", SQL_FORBIDDEN},
        {"DROP TABLE t", SQL_FORBIDDEN},
        {"CREATE TEMP TABLE u AS SELECT 1", SQL_FORBIDDEN},
        {"UPDATE sqlite_master SET sql = ''", SQL_ERROR},
        {"ATTACH '/tmp/x' AS y", SQL_FORBIDDEN},
        {"PRAGMA writable_schema = 1", SQL_FORBIDDEN},
        {"PRAGMA temp_store_directory = '/'", SQL_FORBIDDEN},
        {"VACUUM INTO '/tmp/lemur-vacuum'", SQL_FORBIDDEN},
        {"BEGIN", SQL_FORBIDDEN},
        {"EXPLAIN SELECT 1", SQL_FORBIDDEN},
        {"SELECT load_extension('/tmp/x.so')", SQL_ERROR},
        {"SELECT writefile('/tmp/x', 'y')", SQL_ERROR},
        {"SELECT 1; DROP TABLE t", SQL_ERROR},
        {"SELECT ?", SQL_ERROR},
        {"SELECT", SQL_ERROR},
        {"", SQL_ERROR},
        {"-- nothing", SQL_ERROR},
        {"SELECT abs(-9223372036854775808)", SQL_ERROR},
        {"SELECT zeroblob(2000000000)", SQL_ERROR},
        {"SELECT a FROM t WHERE b LIKE replace(hex(zeroblob(1000)), '0', '%')", SQL_ERROR},
    };
    SqlResult r = {0};
    SqlLimits limits = sql_limits();
    sqlite3 *db = open_own();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SqlOutcome is = sql_run(db, span(cases[i].query), &limits, &r);
        if (is != cases[i].outcome || r.rows || !r.error.n)
            fail_msg("%s: %d, %s", cases[i].query, is, str_c(&r.error));
    }
    assert_int_equal(sql_run(db, (Span){"SELECT 1\0", 9}, &limits, &r), SQL_ERROR);
    assert_int_equal(sql_run(db, span("SELECT count(*) FROM t"), &limits, &r), SQL_RAN);
    assert_int_equal(sql_value(&r, 0, 0)->whole, 4);
    sql_result_drop(&r);
    sqlite3_close(db);
}

#define ENDLESS "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "

static void endless_queries_end(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        SqlOutcome outcome;
    } cases[] = {
        {ENDLESS "SELECT count(*) FROM n", SQL_TIME},
        {ENDLESS "SELECT max(n.i) FROM n, n AS m, n AS o", SQL_TIME},
        {ENDLESS "SELECT i FROM n", SQL_LARGE},
        {ENDLESS "SELECT hex(zeroblob(100000)) FROM n", SQL_LARGE},
        {ENDLESS "SELECT i FROM n ORDER BY zeroblob(100000)", SQL_LARGE},
        {ENDLESS "SELECT DISTINCT zeroblob(100000) || i FROM n ORDER BY 1", SQL_LARGE},
        {ENDLESS "SELECT group_concat(hex(zeroblob(100000))) FROM n", SQL_TIME},
    };
    SqlResult r = {0};
    SqlLimits limits = sql_limits();
    limits.rows = 10000;
    limits.bytes = 20 << 20;
    limits.memory_bytes = 64 << 20;
    sqlite3 *db = open_own();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        limits.seconds = cases[i].outcome == SQL_TIME ? 0.2 : 60;
        SqlOutcome is = sql_run(db, span(cases[i].query), &limits, &r);
        if (is != cases[i].outcome || !r.error.n)
            fail_msg("%s: %d, %s", cases[i].query, is, str_c(&r.error));
        assert_true(sqlite3_memory_used() < 32 << 20); /* all of it is given back */
    }
    sql_result_drop(&r);
    sqlite3_close(db);
}

/* As another thread's query does meanwhile. */
static void *hold_much(void *context)
{
    *(void **)context = sqlite3_malloc(200 << 20);
    return NULL;
}

static bool start_other(void *context)
{
    pthread_t other;
    if (!*(void **)context && pthread_create(&other, NULL, hold_much, context) == 0)
        pthread_join(other, NULL);
    return false;
}

/* One query's memory is no other's. */
static void memory_is_the_querys_own(void **state)
{
    (void)state;
    void *others = NULL;
    SqlResult r = {0};
    SqlLimits limits = sql_limits();
    limits.memory_bytes = 64 << 20;
    limits.stopped = start_other;
    limits.stopped_context = &others;
    sqlite3 *db = open_own();
    const char *few = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
                      "SELECT sum(i) FROM n";
    assert_int_equal(sql_run(db, span(few), &limits, &r), SQL_RAN);
    assert_non_null(others);
    assert_true(sqlite3_memory_used() > 200 << 20);
    sqlite3_free(others);
    sql_result_drop(&r);
    sqlite3_close(db);
}

static bool stop(void *context)
{
    return ++*(int *)context > 3;
}

static void queries_can_be_stopped(void **state)
{
    (void)state;
    SqlResult r = {0};
    int asked = 0;
    SqlLimits limits = sql_limits();
    limits.stopped = stop;
    limits.stopped_context = &asked;
    sqlite3 *db = open_own();
    assert_int_equal(sql_run(db, span(ENDLESS "SELECT count(*) FROM n"), &limits, &r), SQL_STOPPED);
    sql_result_drop(&r);
    sqlite3_close(db);
}

static void what_is_no_database_is_refused(void **state)
{
    (void)state;
    sqlite3 *db;
    assert_int_equal(sql_open_file(&db, in_scratch("absent")), ST_IO);
    assert_false(path_exists(in_scratch("absent")));
    assert_int_equal(sql_open_file(&db, scratch), ST_IO);
    scratch_text("text",
                 "this is no database at all, though it is long enough to be the header of one: 1234567890 "
                 "1234567890");
    assert_int_equal(sql_open_file(&db, in_scratch("text")), ST_FORMAT);
    assert_int_equal(sql_open_image(&db, span("SQLite format 3")), ST_FORMAT);
}

int main(void)
{
    sql_memory_count();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_keep_their_types),
        cmocka_unit_test(nothing_but_reading_is_allowed),
        cmocka_unit_test(endless_queries_end),
        cmocka_unit_test(memory_is_the_querys_own),
        cmocka_unit_test(queries_can_be_stopped),
        cmocka_unit_test(what_is_no_database_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
