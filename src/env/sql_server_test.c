/* A dump of our own on a MariaDB of our own, by the functions of sql.h; skips where none is installed.  The
 * wording of errors needs no server. */
#include "env/sql_server.h"

#include <stdlib.h>
#include <string.h>

#include "base/scratch_test.h"
#include "env/needs_mariadbd_test.h"
#include "env/sql.h"

static const char dump[] =
    "CREATE DATABASE `Zoo`;\nUSE `Zoo`;\n"
    "CREATE TABLE `animal` (`id` int NOT NULL AUTO_INCREMENT, `name` varchar(20) COLLATE utf8mb4_general_ci "
    "DEFAULT NULL,"
    " `born` date DEFAULT NULL, `seen` datetime DEFAULT NULL, `kg` double DEFAULT NULL,"
    " `price` decimal(6,2) DEFAULT NULL, `small` tinyint(1) DEFAULT '0', `raw` blob, `flags` bit(10) DEFAULT "
    "NULL,"
    " `span` time DEFAULT NULL, `at` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (`id`));\n"
    "INSERT INTO `animal` VALUES (1,'O\\'Hara','2001-02-03','2020-01-02 "
    "03:04:05',2.5,10.50,1,'a\\0b',5,'01:00:00',"
    "'2020-01-01 00:00:00'),(2,'ape','1999-12-31','2020-01-02 03:04:00',1e16,3,0,NULL,NULL,NULL,'2020-01-01 "
    "00:00:00'),"
    "(3,'APE ',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2020-01-01 00:00:00');\n"
    "CREATE TABLE `show` (`id` int, `n` int);\nINSERT INTO `show` VALUES (1,7),(1,8);\n";

static SqlWorlds *zoo;
static SqlWorld *world;
static Status started;

static int open_zoo(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    scratch_text(SQL_DUMP, dump);
    SqlSource source = {.data = scratch, .server = "auto"};
    started = sql_worlds_open_source(&zoo, &source);
    if (started == ST_OK)
        started = sql_world_open(&world, zoo, "ZOO", NULL);
    return 0; /* the tests say what came of it */
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
        fail_msg("%s: %s", action, error_text());
    if (strcmp(str_c(&t.text), text) != 0)
        fail_msg("%s\n says   %s\n not    %s", action, str_c(&t.text), text);
    assert_int_equal(t.failed, strncmp(text, "Error executing query: ", 23) == 0);
    sql_turn_drop(&t);
}

static void rows_are_as_python_prints_them(void **state)
{
    (void)state;
    needs_mariadbd(started);
    assert_true(sql_worlds_has(zoo, "zoo") && !sql_worlds_has(zoo, "mysql") && !sql_worlds_has(zoo, "farm"));
    assert_string_equal(sql_worlds_from(zoo), "server");
    assert_non_null(strstr(sql_worlds_server(zoo), "MariaDB"));
    expect_says("SHOW TABLES", "[('animal',), ('show',)]");
    expect_says(
        "SELECT id, name, born, seen, kg, price, small, raw, flags, span FROM animal",
        "[(1, \"O'Hara\", datetime.date(2001, 2, 3), datetime.datetime(2020, 1, 2, 3, 4, 5), 2.5, "
        "Decimal('10.50'), 1, b'a\\x00b', 5, datetime.timedelta(seconds=3600)), (2, 'ape', "
        "datetime.date(1999, 12, 31), datetime.datetime(2020, 1, 2, 3, 4), 1e+16, Decimal('3.00'), 0, None, "
        "None, None), (3, 'APE ', None, None, None, None, None, None, None, None)]");
    expect_says("SELECT id FROM animal WHERE id > 3", "[]");
    expect_says("SELECT avg(id), sum(id), count(*), avg(kg), 7 / 2, max(name) FROM animal WHERE id < 3",
                "[(Decimal('1.5000'), Decimal('3'), 2, 5000000000000001.0, Decimal('3.5000'), \"O'Hara\")]");
    expect_says("DESCRIBE animal",
                "[('id', b'int', 'NO', 'PRI', None, 'auto_increment'), ('name', b'varchar(20)', 'YES', '', "
                "None, ''), "
                "('born', b'date', 'YES', '', None, ''), ('seen', b'datetime', 'YES', '', None, ''), "
                "('kg', b'double', 'YES', '', None, ''), ('price', b'decimal(6,2)', 'YES', '', None, ''), "
                "('small', b'tinyint(1)', 'YES', '', b'0', ''), ('raw', b'blob', 'YES', '', None, ''), "
                "('flags', b'bit(10)', 'YES', '', None, ''), ('span', b'time', 'YES', '', None, ''), "
                "('at', b'timestamp', 'NO', '', b'CURRENT_TIMESTAMP', 'DEFAULT_GENERATED')]");
    expect_says("SHOW COLUMNS FROM `show`",
                "[('id', b'int', 'YES', '', None, ''), ('n', b'int', 'YES', '', None, '')]");
}

static void queries_mean_what_mysql_means(void **state)
{
    (void)state;
    needs_mariadbd(started);
    expect_says("SELECT id FROM ANIMAL WHERE name = \"APE\"", "[(2,), (3,)]");
    expect_says("SELECT name, count(*) FROM animal GROUP BY id HAVING count(*) > 1",
                "[]"); /* its key is grouped */
    expect_says("SELECT id FROM `show` WHERE n = 7", "[(1,)]");
}

#define FAILS "Error executing query: "
#define SYNTAX                                                                                            \
    FAILS "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server " \
          "version for the right syntax to use near "

static void errors_are_mysqls(void **state)
{
    (void)state;
    needs_mariadbd(started);
    expect_says("SELECT x FROM animal", FAILS "Unknown column 'x' in 'field list'");
    expect_says("SELECT id FROM animal WHERE animal.x = 1",
                FAILS "Unknown column 'animal.x' in 'where clause'");
    expect_says("SELECT id FROM animal ORDER BY x", FAILS "Unknown column 'x' in 'order clause'");
    expect_says("SELECT 1 FROM animal a JOIN `show` s ON a.x = s.id JOIN `show` t ON t.y = 1",
                FAILS "Unknown column 't.y' in 'on clause'");
    expect_says("SELECT id FROM animal, `show`", FAILS "Column 'id' in field list is ambiguous");
    expect_says("SELECT id FROM cats", FAILS "Table 'zoo.cats' doesn't exist");
    expect_says("DESC cats", FAILS "Table 'zoo.cats' doesn't exist");
    expect_says("SELECT avg(n) FROM SHOW", SYNTAX "'SHOW' at line 1");
    expect_says("SELECT COUNT (*) FROM animal", SYNTAX "'*) FROM animal' at line 1");
    expect_says("SELECT foo(1)", FAILS "FUNCTION zoo.foo does not exist");
    expect_says("SELECT max(n), id FROM `show`", FAILS
                "In aggregated query without GROUP BY, expression #2 of SELECT list contains nonaggregated "
                "column 'zoo.show.id'; this is incompatible with sql_mode=only_full_group_by");
    expect_says("SELECT count(*) FROM (SELECT id FROM animal)",
                FAILS "Every derived table must have its own alias");
    expect_says("SELECT id FROM animal WHERE id IN (SELECT id FROM animal LIMIT 1)",
                FAILS "This version of MySQL doesn't yet support 'LIMIT & IN/ALL/ANY/SOME subquery'");
    expect_says("What is this?", SYNTAX "'What is this?' at line 1");
    expect_says(
        "SELECT id FROM animal which are here and whose name has more than the eighty letters that are shown",
        SYNTAX "'are here and whose name has more than the eighty letters that are shown' at line 1");
}

/* Nothing that an action does outlives it, and one that is ended does not end the world. */
static void a_world_is_read_only(void **state)
{
    (void)state;
    needs_mariadbd(started);
    static const char *const writes[] = {"DELETE FROM animal",
                                         "DROP TABLE animal",
                                         "SET @@max_statement_time = 0",
                                         "UPDATE animal SET id = 9",
                                         "USE mysql",
                                         "SELECT 1 INTO OUTFILE '/tmp/x'",
                                         ""};
    SqlTurn t = {0};
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        assert_int_equal(sql_world_act(world, &t, span(writes[i])), ST_OK);
        if (!t.failed)
            fail_msg("%s is allowed", writes[i]);
    }
    expect_says("SELECT @@tx_read_only", "[(1,)]"); /* on a server of somebody else's, whose user may write */
    SqlLimits few = sql_world_limits();
    few.rows = 2;
    few.seconds = 0.3;
    SqlWorld *narrow;
    assert_int_equal(sql_world_open(&narrow, zoo, "zoo", &few), ST_OK);
    static const struct {
        const char *action;
        SqlOutcome outcome;
    } ends[] = {{"SELECT id FROM animal", SQL_LARGE},
                {"SELECT count(*) FROM seq_1_to_100000 a, seq_1_to_100000 b", SQL_TIME},
                {"SELECT id FROM animal LIMIT 2", SQL_RAN}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        assert_int_equal(sql_world_act(narrow, &t, span(ends[i].action)), ST_OK);
        if (t.outcome != ends[i].outcome)
            fail_msg("%s: %d %s", ends[i].action, t.outcome, str_c(&t.text));
    }
    sql_world_close(narrow);
    assert_int_equal(sql_world_open(&narrow, zoo, "farm", NULL), ST_ARG);
    sql_turn_drop(&t);
    expect_says("SELECT count(*) FROM animal", "[(3,)]");
}

static void mariadbs_words_become_mysqls(void **state)
{
    (void)state;
    static const char *const words[][2] = {
        {"Unknown column 'x' in 'SELECT'", "Unknown column 'x' in 'field list'"},
        {"Unknown column 'x' in 'GROUP BY'", "Unknown column 'x' in 'group statement'"},
        {"Unknown column 'x' in 'IN/ALL/ANY'", "Unknown column 'x' in 'IN/ALL/ANY subquery'"},
        {"Unknown column 'x' in 'where clause'", "Unknown column 'x' in 'where clause'"},
        {"Column 'a' in WHERE is ambiguous", "Column 'a' in where clause is ambiguous"},
        {"Table 'a.b' doesn't exist", "Table 'a.b' doesn't exist"},
        {"This version of MariaDB doesn't", "This version of MySQL doesn't"},
        {"your MariaDB server version near 'two thr...' at line 3",
         "your MySQL server version near 'two three four' at line 3"},
        {"near 'no such...' at line 1", "near 'no such...' at line 1"},
        {"", ""}};
    static const char *const types[][2] = {{"int(11)", "int"},
                                           {"bigint(20) unsigned", "bigint unsigned"},
                                           {"tinyint(1)", "tinyint(1)"},
                                           {"tinyint(4)", "tinyint"},
                                           {"year(4)", "year"},
                                           {"int(5) unsigned zerofill", "int(5) unsigned zerofill"},
                                           {"varchar(20)", "varchar(20)"},
                                           {"int", "int"},
                                           {"point", "point"},
                                           {"", ""}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        Str out = {0};
        sql_server_wording(&out, span(words[i][0]), span("one two three four"));
        assert_string_equal(str_c(&out), words[i][1]);
        str_drop(&out);
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        Str room = {0};
        Span type = sql_server_type(&room, span(types[i][0]));
        if (!span_is(type, types[i][1]))
            fail_msg("%s is %.*s", types[i][0], (int)type.n, type.at);
        str_drop(&room);
    }
}

static void what_is_no_server_is_told(void **state)
{
    (void)state;
    SqlWorlds *w;
    SqlSource spider = {.data = scratch, .from = SQL_FROM_SPIDER, .server = "auto"};
    SqlSource nobody = {.data = scratch, .server = "u:hush@/nowhere/at.sock"};
    SqlSource nothing = {.data = scratch, .server = "somewhere"};
    assert_int_equal(sql_worlds_open_source(&w, &spider), ST_ARG);
    assert_int_equal(sql_worlds_open_source(&w, &nothing), ST_ARG);
    expect_words("mysql://USER");
    Status st = sql_worlds_open_source(&w, &nobody);
    assert_true(st == ST_PEER || st == ST_UNSUPPORTED);
    assert_null(strstr(error_text(), "hush"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_as_python_prints_them),
                                       cmocka_unit_test(queries_mean_what_mysql_means),
                                       cmocka_unit_test(errors_are_mysqls),
                                       cmocka_unit_test(a_world_is_read_only),
                                       cmocka_unit_test(mariadbs_words_become_mysqls),
                                       cmocka_unit_test(what_is_no_server_is_told)};
    return cmocka_run_group_tests(tests, open_zoo, close_zoo);
}
