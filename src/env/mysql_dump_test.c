/* Dumps of our own, every truncation of one, hostile ones; and InterCode's under $LEMUR_DATA, or
 * ../shared/data. */
#include "env/mysql_dump.h"
#include "base/data_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static const char small[] =
    "-- MySQL dump\n"
    "CREATE USER 'admin'@'%' IDENTIFIED BY 'a;b';\n"
    "CREATE DATABASE  IF NOT EXISTS `zoo` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;\n"
    "USE `zoo`;\n"
    "/*!40101 SET @x = 1 */;\n"
    "DROP TABLE IF EXISTS `keeper`;\n"
    "CREATE TABLE `keeper` (\n"
    "  `id` int NOT NULL AUTO_INCREMENT,\n"
    "  `name` varchar(20) COLLATE utf8mb4_general_ci NOT NULL DEFAULT 'it''s \\\\ \\'x\\'',\n"
    "  `pay` decimal(19,4) DEFAULT '-1.5' COMMENT 'in, (coins)',\n"
    "  `order` enum('a','b)') DEFAULT NULL,\n"
    "  `since` timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),\n"
    "  PRIMARY KEY (`id`,`name`(10)),\n"
    "  UNIQUE KEY `u` (`name`),\n"
    "  KEY `k` (`pay`),\n"
    "  CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `animal` (`id`) ON DELETE CASCADE,\n"
    "  CONSTRAINT `c` CHECK ((`pay` > 0))\n"
    ") ENGINE=InnoDB AUTO_INCREMENT=9 DEFAULT CHARSET=utf8mb4;\n"
    "LOCK TABLES `keeper` WRITE;\n"
    "INSERT INTO `keeper` VALUES (1,'O\\'Hara; "
    "\\n\\\"\\\\',-2.50,'a','2020-01-02'),(2,'na\xC3\xAFve',1e3,NULL,'x');\n"
    "INSERT INTO `keeper` (`id`, `name`) VALUES (9007199254740993,'');\n"
    "UNLOCK TABLES;\n"
    "CREATE DATABASE `empty`;\n"
    "USE `empty`;\n"
    "CREATE TABLE `b` (`raw` varbinary(9), `t` text);\n"
    "INSERT INTO `b` VALUES (0x00ff,'A'),(_binary 'a\\0b',NULL);\n";

typedef struct {
    int n;
    char *names[40];
    sqlite3 *db[40];
} Kept;

static Status keep(void *context, const char *name, sqlite3 *db)
{
    Kept *k = context;
    assert_true(k->n < 40);
    k->names[k->n] = mem_str(name);
    k->db[k->n++] = db;
    return ST_OK;
}

static void kept_drop(Kept *k)
{
    for (int i = 0; i < k->n; i++) {
        assert_int_equal(sqlite3_close(k->db[i]), SQLITE_OK);
        mem_free(k->names[i]);
    }
    *k = (Kept){0};
}

static Status read_text(Kept *k, const char *text, size_t n)
{
    MysqlDumpCounts counts;
    MysqlDumpSpec spec = {.take = keep, .context = k};
    return mysql_dump_read_text(&counts, (Span){text, n}, "dump", &spec);
}

static void expect_first(sqlite3 *db, const char *sql, const char *value)
{
    sqlite3_stmt *s;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(s, 0), value);
    sqlite3_finalize(s);
}

static void tables_and_rows_are_taken_over(void **state)
{
    (void)state;
    Kept k = {0};
    MysqlDumpCounts counts;
    MysqlDumpSpec spec = {.take = keep, .context = &k};
    assert_int_equal(mysql_dump_read_text(&counts, span(small), "dump", &spec), ST_OK);
    assert_int_equal(counts.databases, 2);
    assert_int_equal(counts.tables, 2);
    assert_int_equal(counts.rows, 5);
    assert_string_equal(k.names[0], "zoo");
    sqlite3 *db = k.db[0];
    expect_first(
        db, "SELECT sql FROM sqlite_master WHERE name = 'keeper'",
        "CREATE TABLE keeper (\n    id int NOT NULL,\n    name varchar(20) NOT NULL DEFAULT 'it''s \\ ''x''',"
        "\n    pay decimal(19,4) DEFAULT '-1.5',\n    \"order\" text DEFAULT NULL,\n"
        "    since timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,\n    PRIMARY KEY (id, name),\n"
        "    UNIQUE (name),\n    FOREIGN KEY (id) REFERENCES animal (id)\n)");
    expect_first(db, "SELECT name FROM keeper WHERE id = 1", "O'Hara; \n\"\\");
    expect_first(db, "SELECT typeof(pay) || pay FROM keeper WHERE id = 1", "real-2.5");
    expect_first(db, "SELECT typeof(pay) || pay FROM keeper WHERE id = 2", "integer1000");
    expect_first(db, "SELECT hex(name) FROM keeper WHERE id = 2", "6E61C3AF7665");
    expect_first(db, "SELECT pay FROM keeper WHERE id = 9007199254740993", "-1.5");
    expect_first(k.db[1], "SELECT group_concat(hex(raw)) FROM b", "00FF,610062");
    kept_drop(&k);
}

static void case_is_ignored_on_demand(void **state)
{
    (void)state;
    Kept k = {0};
    MysqlDumpCounts counts;
    MysqlDumpSpec spec = {.take = keep, .context = &k, .database = "d", .ignore_case = true};
    assert_int_equal(
        mysql_dump_read_text(&counts, span("CREATE TABLE a (t text NOT NULL); INSERT INTO a VALUES ('X');"),
                             "dump", &spec),
        ST_OK);
    expect_first(k.db[0], "SELECT count(*) FROM a WHERE t = 'x'", "1");
    kept_drop(&k);
}

/* A beginning that ends between two statements is a dump; any other is refused. */
static void truncations_are_refused(void **state)
{
    (void)state;
    int taken = 0;
    for (size_t n = 0; n < sizeof small - 1; n++) {
        Kept k = {0};
        char *copy = mem_strn(small, n); /* so that a read past the end is seen */
        Status st = read_text(&k, copy, n);
        if (st == ST_OK)
            taken++;
        else
            assert_true((st == ST_FORMAT || st == ST_UNSUPPORTED) && k.n == 0 &&
                        strncmp(error_text(), "dump", 4) == 0);
        kept_drop(&k);
        mem_free(copy);
    }
    assert_in_range(taken, 10, 60);
}

static void hostile_dumps_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
        Status st;
    } bad[] = {
        {"", "no database", ST_FORMAT},
        {"CREATE TABLE `a` (`b` int);", "before any USE", ST_FORMAT},
        {"USE `../../etc`;", "no name of a file", ST_FORMAT},
        {"USE `.x`;", "no name of a file", ST_FORMAT},
        {"USE ``;", "a name should stand here", ST_FORMAT},
        {"USE `a`;\nATTACH DATABASE '/tmp/x' AS y;", "dump:2: a statement that is not taken over",
         ST_UNSUPPORTED},
        {"USE `a`; CREATE TRIGGER x;", "CREATE of something", ST_UNSUPPORTED},
        {"USE `a`; DELIMITER ;;", "not taken over: DELIMITER", ST_UNSUPPORTED},
        {"USE `a`; CREATE TABLE `sqlite_master` (`x` int);", "reserved for internal use", ST_FORMAT},
        {"USE `a`; CREATE TABLE `x` (`p` point);", "a type that is not taken over: point", ST_UNSUPPORTED},
        {"USE `a`; CREATE TABLE `x` (`p` int(load_extension('x')));", "brackets", ST_FORMAT},
        {"USE `a`; CREATE TABLE `x` (`p` int DEFAULT (randomblob(9)));", "a default", ST_UNSUPPORTED},
        {"USE `a`; CREATE TABLE `x` (`p` int AS (`q`) STORED);", "behind a column's type", ST_UNSUPPORTED},
        {"USE `a`; CREATE TABLE `x` (`p` int, `p` int);", "duplicate column", ST_FORMAT},
        {"USE `a`; CREATE TABLE `x` (`p` int); INSERT INTO `x` VALUES (1,2);", "more values", ST_FORMAT},
        {"USE `a`; CREATE TABLE `x` (`p` int,`q` int); INSERT INTO `x` VALUES (1);", "fewer values",
         ST_FORMAT},
        {"USE `a`; CREATE TABLE `x` (`p` int); INSERT INTO `x` VALUES (1.2.3);", "no number", ST_FORMAT},
        {"USE `a`; CREATE TABLE `x` (`p` int); INSERT INTO `x` VALUES (sleep(9));", "a value",
         ST_UNSUPPORTED},
        {"USE `a`; CREATE TABLE `x` (`p` int NOT NULL, PRIMARY KEY (`p`)); INSERT INTO `x` VALUES (1),(1);",
         "UNIQUE constraint", ST_FORMAT},
        {"USE `a`; INSERT INTO `x` VALUES (1);", "no such table", ST_FORMAT},
        {"USE `a`; INSERT INTO `x", "without its closing `", ST_FORMAT},
        {"USE `a`; /* x", "a comment without its end", ST_FORMAT},
        {"USE `a`; CREATE TABLE `x` (`p` blob); INSERT INTO `x` VALUES (0x123);", "hexadecimal", ST_FORMAT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        Kept k = {0};
        Status st = read_text(&k, bad[i].text, strlen(bad[i].text));
        if (st != bad[i].st || !strstr(error_text(), bad[i].says))
            fail_msg("%s: %s: %s", bad[i].text, status_name(st), error_text());
        assert_int_equal(k.n, 0);
    }
}

static bool stop(void *context)
{
    return ++*(int *)context > 1;
}

static void it_can_be_stopped(void **state)
{
    (void)state;
    Kept k = {0};
    int asked = 0;
    MysqlDumpCounts counts;
    MysqlDumpSpec spec = {
        .take = keep, .context = &k, .database = "d", .stopped = stop, .stopped_context = &asked};
    Str text = {0};
    str_adds(&text, "CREATE TABLE a (b int); INSERT INTO a VALUES (1)");
    for (int i = 0; i < 5000; i++)
        str_adds(&text, ",(1)");
    str_adds(&text, ";");
    assert_int_equal(mysql_dump_read_text(&counts, str_span(&text), "dump", &spec), ST_CANCELLED);
    assert_int_equal(asked, 2);
    str_drop(&text);
}

static void intercode_is_read_whole(void **state)
{
    (void)state;
    char *path = path_join(data_folder(), "intercode/sql/ic_spider_dbs.sql");
    if (!path_exists(path)) {
        printf("SKIP no %s (set LEMUR_DATA)\n", path);
        mem_free(path);
        skip();
    }
    Kept k = {0};
    MysqlDumpCounts counts;
    MysqlDumpSpec spec = {.take = keep, .context = &k};
    if (mysql_dump_read(&counts, path, &spec) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(counts.databases, 20);
    assert_int_equal(counts.tables, 81);
    for (int i = 0; i < k.n; i++)
        if (strcmp(k.names[i], "world_1") == 0)
            expect_first(k.db[i], "SELECT count(*) || ' ' || sum(Population) FROM city", "4079 1429559884");
        else if (strcmp(k.names[i], "wta_1") == 0)
            expect_first(k.db[i], "SELECT count(*) FROM matches", "0");
    kept_drop(&k);
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_and_rows_are_taken_over),
        cmocka_unit_test(case_is_ignored_on_demand),
        cmocka_unit_test(truncations_are_refused),
        cmocka_unit_test(hostile_dumps_are_refused),
        cmocka_unit_test(it_can_be_stopped),
        cmocka_unit_test(intercode_is_read_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
