#include "env/sql_group.h"
#include "env/sql_unknown.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static SqlSchema schema;

static int make(void **state)
{
    (void)state;
    sql_schema_add(&schema, "singer", "Singer_ID", true);
    sql_schema_add(&schema, "singer", "Name", false);
    sql_schema_add(&schema, "singer", "Country", false);
    sql_schema_add(&schema, "concert", "id", true);
    sql_schema_add(&schema, "concert", "Singer", false);
    sql_schema_add(&schema, "concert", "Year", false);
    sql_schema_add(&schema, "pair", "a", true);
    sql_schema_add(&schema, "pair", "b", true);
    sql_schema_add(&schema, "pair", "c", false);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    sql_schema_drop(&schema);
    return 0;
}

#define LIST(n) \
    "Expression #" #n " of SELECT list is not in GROUP BY clause and contains nonaggregated column "
#define ORDER(n) \
    "Expression #" #n " of ORDER BY clause is not in GROUP BY clause and contains nonaggregated column "
#define BEHIND                                                                                       \
    " which is not functionally dependent on columns in GROUP BY clause; this is incompatible with " \
    "sql_mode=only_full_group_by"
#define NONE(n) \
    "In aggregated query without GROUP BY, expression #" #n " of SELECT list contains nonaggregated column "
#define MODE "; this is incompatible with sql_mode=only_full_group_by"

/* The wording is that of recorded messages; what passes does in MySQL 8 by its manual, 12.19.3. */
static void groups_are_judged_as_mysql_does(void **state)
{
    (void)state;
    static const struct {
        const char *query, *error; /* NULL: passes */
    } cases[] = {
        {"SELECT Name, count(*) FROM singer GROUP BY Name", NULL},
        {"SELECT name, count(*) FROM singer GROUP BY Country", LIST(1) "'music.singer.Name'" BEHIND},
        {"SELECT count(*), Country, Name FROM singer GROUP BY Country", LIST(3) "'music.singer.Name'" BEHIND},
        {"SELECT Name, Country FROM singer GROUP BY Singer_ID", NULL}, /* its key */
        {"SELECT * FROM singer GROUP BY Singer_ID", NULL},
        {"SELECT * FROM singer GROUP BY Name", LIST(1) "'music.singer.Singer_ID'" BEHIND},
        {"SELECT s.* FROM concert AS c JOIN singer s ON s.Singer_ID = c.Singer GROUP BY c.Singer", NULL},
        {"SELECT T1.Name FROM singer T1 JOIN concert T2 ON T1.Singer_ID = T2.Singer GROUP BY T2.Singer",
         NULL},
        {"SELECT T1.Name, T2.Year FROM singer T1 JOIN concert T2 ON T1.Singer_ID = T2.Singer GROUP BY "
         "T2.Singer",
         LIST(2) "'music.T2.Year'" BEHIND},
        {"SELECT Name FROM singer, concert WHERE Singer_ID = Singer GROUP BY Singer", NULL},
        {"SELECT Name FROM singer WHERE Name = 'x' GROUP BY Country", NULL}, /* a constant */
        {"SELECT c FROM pair GROUP BY a", LIST(1) "'music.pair.c'" BEHIND},  /* half a key */
        {"SELECT c FROM pair GROUP BY a, b", NULL},
        {"SELECT upper(Name) AS n FROM singer GROUP BY n", NULL},
        {"SELECT upper(Name) AS n FROM singer GROUP BY upper(Name)", NULL},
        {"SELECT Name n, count(*) FROM singer GROUP BY 1", NULL},
        {"SELECT Country, max(Name) m FROM singer GROUP BY Country ORDER BY m DESC, count(*)", NULL},
        {"SELECT Country FROM singer GROUP BY Country ORDER BY Name DESC",
         ORDER(1) "'music.singer.Name'" BEHIND},
        {"SELECT Country FROM singer GROUP BY Country ORDER BY count(*), Name LIMIT 3",
         ORDER(2) "'music.singer.Name'" BEHIND},
        {"SELECT max(Year), Singer FROM concert", NONE(2) "'music.concert.Singer'" MODE},
        {"SELECT max(Year) FROM concert", NULL},
        {"SELECT Name FROM singer ORDER BY count(*)", NONE(1) "'music.singer.Name'" MODE},
        {"SELECT Name FROM singer HAVING count(*) > 1", NONE(1) "'music.singer.Name'" MODE},
        {"SELECT `Name` , count( * ) FROM `singer` GROUP BY `Country`", LIST(1) "'music.singer.Name'" BEHIND},
        {"SELECT Country FROM singer WHERE Singer_ID IN (SELECT Singer FROM concert GROUP BY Year)",
         LIST(1) "'music.concert.Singer'" BEHIND},
        {"SELECT (SELECT count(*) FROM concert), Name FROM singer", NULL},
        {"SELECT Country FROM singer UNION SELECT Name FROM singer GROUP BY Country",
         LIST(1) "'music.singer.Name'" BEHIND},
        /* of which nothing is said */
        {"SELECT x.Name, count(*) FROM (SELECT Name FROM singer) x GROUP BY x.y", NULL},
        {"SELECT Name, count(*) FROM singer JOIN concert USING (id) GROUP BY Country", NULL},
        {"SELECT Name, sum(1) OVER () FROM singer GROUP BY Country", NULL},
        {"SELECT other FROM nowhere GROUP BY thing", NULL},
        {"SELECT Name, count(*) FROM singer GROUP BY Country WITH ROLLUP", NULL},
        {"SELECT", NULL},
        {"SELECT max(", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Str error = {0};
        bool refused = sql_group_refuses(&error, &schema, "Music", span(cases[i].query));
        if (refused != (cases[i].error != NULL) || strcmp(str_c(&error), refused ? cases[i].error : "") != 0)
            fail_msg("%s\n  %s", cases[i].query, str_c(&error));
        str_drop(&error);
    }
}

static void the_last_join_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *query, *named, *mysql;
    } cases[] = {
        {"SELECT 1 FROM singer s JOIN concert c ON s.x = c.id JOIN pair p ON p.y = c.z", "s.x", "p.y"},
        {"SELECT 1 FROM singer s JOIN concert c ON s.x = c.id JOIN pair p ON p.a = c.id", "s.x", "s.x"},
        {"SELECT 1 FROM singer s JOIN (SELECT 1 FROM pair p JOIN concert c ON p.x = c.y) z ON s.q = 1", "p.x",
         "p.x"},
        {"SELECT 1 FROM singer JOIN other ON other.x = singer.y", "singer.y", "singer.y"},
        {"SELECT 1 FROM singer s JOIN concert c ON", "s.x", "s.x"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Str error = {0}, expected = {0};
        str_addf(&error, "Unknown column '%s' in 'on clause'", cases[i].named);
        str_addf(&expected, "Unknown column '%s' in 'on clause'", cases[i].mysql);
        sql_unknown_column(&error, &schema, span(cases[i].query));
        assert_string_equal(str_c(&error), str_c(&expected));
        str_drop(&error);
        str_drop(&expected);
    }
    Str other = {0};
    str_adds(&other, "Unknown column 's.x' in 'field list'");
    sql_unknown_column(&other, &schema, span(cases[0].query));
    assert_string_equal(str_c(&other), "Unknown column 's.x' in 'field list'");
    str_drop(&other);
}

/* Words of SQL in any order, and cut anywhere: judged without a fault. */
static void any_words_are_judged(void **state)
{
    (void)state;
    static const char *const words[] = {
        "SELECT", "FROM", "WHERE",  "GROUP",   "BY",       "HAVING",  "ORDER", "LIMIT", "UNION",
        "(",      ")",    ",",      ".",       "*",        "=",       "AS",    "count", "max",
        "(",      ")",    "singer", "concert", "Name",     "Country", "s",     "1",     "'x'",
        "`Name`", "JOIN", "ON",     "ASC",     "DISTINCT", "ROLLUP",  "over",  ";",     "\"",
        "'",      "`",    "-- ",    "/*",      "and",      "or"};
    srand(11);
    for (int round = 0; round < 20000; round++) {
        Str query = {0}, error = {0};
        str_adds(&query, round % 3 ? "SELECT Name , count ( * ) FROM singer " : "");
        for (int n = rand() % 24; n > 0; n--)
            str_addf(&query, "%s ", words[rand() % (int)(sizeof words / sizeof *words)]);
        size_t n = query.n ? (size_t)rand() % query.n : 0;
        char *cut = malloc(n + 1);
        if (n)
            memcpy(cut, query.at, n);
        (void)sql_group_refuses(&error, &schema, "music", (Span){cut, n});
        str_clear(&error);
        str_adds(&error, "Unknown column 's.x' in 'on clause'");
        sql_unknown_column(&error, &schema, (Span){cut, n});
        free(cut);
        str_drop(&query);
        str_drop(&error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(groups_are_judged_as_mysql_does),
                                       cmocka_unit_test(the_last_join_is_named),
                                       cmocka_unit_test(any_words_are_judged)};
    return cmocka_run_group_tests(tests, make, drop);
}
