#include "env/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/scratch_test.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static const char dump[] =
    "CREATE DATABASE `zoo`;\nUSE `zoo`;\n"
    "CREATE TABLE `animal` (`id` int NOT NULL, `name` varchar(20) COLLATE utf8mb4_general_ci DEFAULT NULL,"
    " `born` date DEFAULT NULL, `seen` datetime DEFAULT NULL, `kg` double DEFAULT NULL,"
    " `price` decimal(6,2) DEFAULT NULL, PRIMARY KEY (`id`));\n"
    "INSERT INTO `animal` VALUES (1,'O\\'Hara','2001-02-03','2020-01-02 03:04:05',2.5,10.50),"
    "(2,'ape','1999-12-31','2020-01-02 03:04:00',1e16,3),(3,'APE ',NULL,NULL,NULL,NULL);\n"
    "CREATE TABLE `Show` (`id` int, `n` int);\n"
    "INSERT INTO `Show` VALUES (1,7),(1,8);\n";

static SqlWorlds *zoo;
static SqlWorld *world;

static int open_zoo(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    scratch_text("zoo.sql", dump);
    char *path = scratch_path("zoo.sql");
    Status st = sql_worlds_open(&zoo, path, NULL, NULL);
    if (st == ST_OK)
        st = sql_world_open(&world, zoo, "ZOO", NULL);
    mem_free(path);
    if (st != ST_OK)
        printf("%s\n", error_text());
    return st != ST_OK;
}

static int close_zoo(void **state)
{
    sql_world_close(world);
    sql_worlds_close(zoo);
    return scratch_remove(state);
}

static void expect_says(const char *action, const char *text)
{
    SqlTurn t = {0};
    if (sql_world_act(world, &t, span(action)) != ST_OK)
        fail_msg("%s", error_text());
    if (strcmp(str_c(&t.text), text) != 0)
        fail_msg("%s\n says   %s\n not    %s", action, str_c(&t.text), text);
    assert_int_equal(t.failed, strncmp(text, "Error executing query: ", 23) == 0);
    sql_turn_drop(&t);
}

static void rows_are_as_python_prints_them(void **state)
{
    (void)state;
    expect_says("SHOW TABLES", "[('animal',), ('Show',)]");
    expect_says(
        "SELECT * FROM animal WHERE id < 3",
        "[(1, \"O'Hara\", datetime.date(2001, 2, 3), datetime.datetime(2020, 1, 2, 3, 4, 5), 2.5, "
        "Decimal('10.50')), (2, 'ape', datetime.date(1999, 12, 31), datetime.datetime(2020, 1, 2, 3, 4), "
        "1e+16, Decimal('3.00'))]");
    expect_says("SELECT born FROM animal WHERE id = 3", "[(None,)]");
    expect_says("SELECT id FROM animal WHERE id > 3", "[]");
    expect_says("DESCRIBE `animal`",
                "[('id', b'int', 'NO', 'PRI', None, ''), ('name', b'varchar(20)', 'YES', '', None, ''), "
                "('born', b'date', 'YES', '', None, ''), ('seen', b'datetime', 'YES', '', None, ''), "
                "('kg', b'double', 'YES', '', None, ''), ('price', b'decimal(6,2)', 'YES', '', None, '')]");
}

static void queries_mean_what_mysql_means(void **state)
{
    (void)state;
    expect_says("SELECT id FROM animal WHERE name = \"APE\"", "[(2,), (3,)]");
    expect_says("SELECT id FROM animal WHERE name = 'O\\'Hara' # a comment", "[(1,)]");
    expect_says("SELECT 7 / 2, 1 || 0, concat('a', \"b\\\"\"), year(born) FROM animal WHERE id = 1",
                "[(3.5, 1, 'ab\"', 2001)]");
    expect_says("SELECT id FROM `show` WHERE n = 7", "[(1,)]");
}

static void errors_are_mysqls(void **state)
{
    (void)state;
#define FAILS "Error executing query: "
    expect_says("SELECT x FROM animal", FAILS "Unknown column 'x' in 'field list'");
    expect_says("SELECT id FROM animal WHERE animal.x = 1",
                FAILS "Unknown column 'animal.x' in 'where clause'");
    expect_says("SELECT id FROM cats", FAILS "Table 'zoo.cats' doesn't exist");
    expect_says("DESC cats", FAILS "Table 'zoo.cats' doesn't exist");
    expect_says(
        "SELECT avg(n) FROM SHOW",
        FAILS "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server "
              "version for the right syntax to use near 'SHOW' at line 1");
    expect_says("SELECT '\xff", /* the text is UTF-8, whatever was asked */
                FAILS "You have an error in your SQL syntax; check the manual that corresponds to your MySQL "
                      "server version for the right syntax to use near ''\xEF\xBF\xBD' at line 1");
    expect_says("SELECT max(n), id FROM `show`", FAILS
                "In aggregated query without GROUP BY, expression #2 of SELECT list contains nonaggregated "
                "column 'zoo.show.id'; this is incompatible with sql_mode=only_full_group_by");
    expect_says("SELECT id, count(*) FROM animal GROUP BY id", "[(1, 1), (2, 1), (3, 1)]");
    expect_says("SELECT name, count(*) FROM animal GROUP BY id HAVING count(*) > 1",
                "[]"); /* its key is grouped */
    expect_says("SELECT count(*) FROM (SELECT id FROM animal)",
                FAILS "Every derived table must have its own alias");
    expect_says("SELECT count(*) FROM (SELECT id FROM animal) AS a", "[(3,)]");
    expect_says("SELECT id FROM animal WHERE id IN (SELECT id FROM animal LIMIT 1)",
                FAILS "This version of MySQL doesn't yet support 'LIMIT & IN/ALL/ANY/SOME subquery'");
    expect_says(
        "SELECT COUNT (*) FROM animal",
        FAILS "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server "
              "version for the right syntax to use near '*) FROM animal' at line 1");
    expect_says(
        "SELECT MAX (id) FROM animal",
        FAILS "FUNCTION zoo.MAX does not exist. Check the 'Function Name Parsing and Resolution' section in "
              "the Reference Manual");
    expect_says(
        "SELECT id FROM animal ORDER BY rank",
        FAILS "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server "
              "version for the right syntax to use near '' at line 1");
    expect_says("SELECT 1 FROM animal a JOIN `show` s ON a.x = s.id JOIN `show` t ON t.y = 1",
                FAILS "Unknown column 't.y' in 'on clause'");
}

/* Nothing that an action does outlives it. */
static void a_world_is_read_only(void **state)
{
    (void)state;
    static const char *const writes[] = {"DELETE FROM animal",        "DROP TABLE animal",
                                         "CREATE TABLE b (c int)",    "ATTACH 'x' AS y",
                                         "PRAGMA journal_mode = wal", ""};
    SqlTurn t = {0};
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        assert_int_equal(sql_world_act(world, &t, span(writes[i])), ST_OK);
        assert_true(t.failed);
    }
    SqlLimits few = sql_world_limits();
    few.rows = 2;
    SqlWorld *narrow;
    assert_int_equal(sql_world_open(&narrow, zoo, "zoo", &few), ST_OK);
    assert_int_equal(sql_world_act(narrow, &t, span("SELECT id FROM animal")), ST_OK);
    assert_true(t.failed);
    assert_int_equal(t.outcome, SQL_LARGE);
    assert_int_equal(sql_world_open(&narrow, zoo, "farm", NULL), ST_ARG);
    sql_turn_drop(&t);
    expect_says("SELECT count(*) FROM animal", "[(3,)]");
    sql_world_close(narrow);
}

/* Spider's own files: read where they stand, and never written. */
static void spiders_files_are_read(void **state)
{
    (void)state;
    SqlWorlds *all;
    SqlWorld *w;
    SqlTurn t = {0};
    SqlSource source = {.data = in_scratch("data")};
    assert_int_equal(sql_worlds_open_source(&all, &source), ST_IO); /* neither is there */
    scratch_text("data/spider/database/farm/readme.txt", "");
    sqlite3 *db;
    assert_int_equal(sqlite3_open(in_scratch("data/spider/database/farm/farm.sqlite"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE TABLE Cow (id INTEGER PRIMARY KEY, name TEXT, born date);"
                                  "INSERT INTO Cow VALUES (1, 'Bess', '2001-02-03'), (2, 'Daisy', NULL)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    scratch_text("data/spider/database/bad/bad.sqlite", "this is none");
    Str before = scratch_read("data/spider/database/farm/farm.sqlite");
    char *data = scratch_path("data");
    source.data = data;
    assert_int_equal(sql_worlds_open_source(&all, &source), ST_OK);
    assert_string_equal(sql_worlds_from(all), "spider");
    assert_true(sql_worlds_has(all, "farm") && !sql_worlds_has(all, "zoo") &&
                !sql_worlds_has(all, "../farm") && !sql_worlds_has(all, ""));
    assert_int_equal(sql_world_open(&w, all, "bad", NULL), ST_FORMAT);
    assert_int_equal(sql_world_open(&w, all, "zoo", NULL), ST_IO);
    assert_int_equal(sql_world_open(&w, all, "farm", NULL), ST_OK);
    static const char *const turns[][2] = {
        {"SHOW TABLES", "[('Cow',)]"},
        {"SELECT * FROM Cow", "[(1, 'Bess', datetime.date(2001, 2, 3)), (2, 'Daisy', None)]"},
        {"SELECT name, count(*) FROM Cow GROUP BY id", "[('Bess', 1), ('Daisy', 1)]"},
        {"DELETE FROM Cow", NULL},
        {"SELECT count(*) FROM Cow", "[(2,)]"}};
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++) {
        assert_int_equal(sql_world_act(w, &t, span(turns[i][0])), ST_OK);
        assert_int_equal(t.failed, turns[i][1] == NULL);
        if (turns[i][1])
            assert_string_equal(str_c(&t.text), turns[i][1]);
    }
    sql_turn_drop(&t);
    sql_world_close(w);
    sql_worlds_close(all);
    Str after = scratch_read("data/spider/database/farm/farm.sqlite");
    FolderList files;
    assert_true(before.n == after.n && memcmp(before.at, after.at, after.n) == 0);
    assert_int_equal(folder_list(&files, in_scratch("data/spider/database/farm")), ST_OK);
    assert_int_equal(files.n, 2); /* no journal beside it */
    folder_list_drop(&files);
    str_drop(&before);
    str_drop(&after);
    /* The dump is taken where both are, unless the files are asked for. */
    scratch_text("data/" SQL_DUMP, dump);
    for (int from = SQL_FROM_EITHER; from <= SQL_FROM_SPIDER; from++) {
        source.from = (SqlFrom)from;
        assert_int_equal(sql_worlds_open_source(&all, &source), ST_OK);
        assert_string_equal(sql_worlds_from(all), from == SQL_FROM_SPIDER ? "spider" : "dump");
        sql_worlds_close(all);
    }
    mem_free(data);
}

static void answers_are_parsed_with_their_quirks(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *action;
        bool code;
    } cases[] = {
        {"SELECT 1; SELECT 2", "SELECT 1", true},
        {"I will SELECT a\\_b FROM c", "SELECT a_b FROM c", true},
        {"SQL: select 1;", "select 1", true},
        {"select a from b ORDER BY a DESC", "DESC", true},
        {"SELECT a, then SHOW TABLES", "SHOW TABLES", true},
        {"DESCRIBE a", "DESCRIBE a", true},
        {"Nothing here", "Nothing here", false},
        {"skip", "skip", false},
        {"", "", false},
        {"Try:\n```sql\nselect  a\nfrom b;\n```\nand SELECT 2", "select a from b", true},
        {"```SQL\nDESC a\n``` ```sql\nSELECT 1\n```", "DESC a", true},
        {"```\nSELECT 1\n```", "SELECT 1", true},
        {"```Sql\nSELECT 1\n```", "Sql SELECT 1", false},
        {"```sql\nWITH a AS (SELECT 1) SELECT * FROM a\n```", "WITH a AS (SELECT 1) SELECT * FROM a", false},
        {"```sql\nSELECT 1", "```sql\nSELECT 1", false},
        {"```sql```", "```sql```", false},
    };
    Str action = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool code = sql_action_read(&action, span(cases[i].answer));
        if (code != cases[i].code || strcmp(str_c(&action), cases[i].action) != 0)
            fail_msg("%s: %d \"%s\"", cases[i].answer, code, str_c(&action));
    }
    str_drop(&action);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_as_python_prints_them),
                                       cmocka_unit_test(queries_mean_what_mysql_means),
                                       cmocka_unit_test(errors_are_mysqls),
                                       cmocka_unit_test(a_world_is_read_only),
                                       cmocka_unit_test(answers_are_parsed_with_their_quirks),
                                       cmocka_unit_test(spiders_files_are_read)};
    return cmocka_run_group_tests(tests, open_zoo, close_zoo);
}
