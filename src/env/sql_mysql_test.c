/* Queries as SQLite gets them, what MySQL refuses, texts that come out as they were meant, and any bytes. */
#include "env/sql_mysql.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "env/sql_result.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static sqlite3 *db;
static Str out, error;

static int open_zoo(void **state)
{
    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    sql_mysql_functions(db);
    return sqlite3_exec(db,
                        "CREATE TABLE animal (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, kg REAL, "
                        "born TEXT); INSERT INTO animal VALUES (1, 'ape', 2.5, '2001-02-03'), (2, 'ox', 9, "
                        "NULL)",
                        NULL, NULL, NULL);
}

static int close_zoo(void **state)
{
    (void)state;
    str_drop(&out);
    str_drop(&error);
    return sqlite3_close(db);
}

/* The bytes have an end of their own, so that a look behind it is seen. */
static bool asked(Span query)
{
    char *own = malloc(query.n ? query.n : 1);
    memcpy(own, query.at, query.n);
    bool good = sql_mysql_query(&out, &error, "zoo", (Span){own, query.n});
    free(own);
    return good;
}

/* The first value of the only row, as text; a view until the next. */
static const char *value_of(const char *query)
{
    static char text[256];
    sqlite3_stmt *s = NULL;
    if (!asked(span(query)))
        fail_msg("%s: %s", query, str_c(&error));
    if (sqlite3_prepare_v2(db, str_c(&out), -1, &s, NULL) != SQLITE_OK || sqlite3_step(s) != SQLITE_ROW)
        fail_msg("%s: %s: %s", query, str_c(&out), sqlite3_errmsg(db));
    const char *value = (const char *)sqlite3_column_text(s, 0);
    strncpy(text, value ? value : "NULL", sizeof text - 1);
    sqlite3_finalize(s);
    return text;
}

static void values_are_mysqls(void **state)
{
    (void)state;
    static const struct {
        const char *query, *value;
    } cases[] = {
        {"SELECT 7/2", "3.5"},
        {"SELECT 5--3", "8"}, /* no comment without a blank */
        {"SELECT 5-- 3", "5"},
        {"SELECT 5--", "5"},
        {"SELECT 1--\xC3\xA9 FROM (SELECT 2 AS `\xC3\xA9`) AS a", "3"},
        {"SELECT 0||0", "0"}, /* operators with no blank beside them */
        {"SELECT name='ape'&&kg>3 FROM animal WHERE id=1", "0"},
        {"SELECT born<=>NULL FROM animal WHERE id=2", "1"},
        {"SELECT 'a' \"b\"'c'", "abc"}, /* texts in a row are one */
        {"SELECT 'a' AS 'b'", "a"},
        {"SELECT 'it''s'", "it's"},
        {"SELECT \"say \"\"it's\"\"\"", "say \"it's\""},
        {"SELECT 'a\\'b\\\\c\\n\\t\\b\\Z\\%'", "a'b\\c\n\t\b\x1a\\%"},
        {"SELECT /* a ' comment */ 1 # and ' another", "1"},
        {"SELECT x'41'", "A"},
        {"SELECT if(kg > 3, 'big', 'small') FROM animal WHERE name = 'OX  '", "big"},
        {"SELECT concat(name, NULL) FROM animal LIMIT 1", "NULL"},
        {"SELECT concat(year(born), '/', month(born), '/', day(born)) FROM animal WHERE id = 1", "2001/2/3"},
        {"SELECT year('not a date')", "NULL"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *value = value_of(cases[i].query);
        if (strcmp(value, cases[i].value) != 0)
            fail_msg("%s\n gives  %s\n not    %s", cases[i].query, value, cases[i].value);
    }
}

#define NEAR                                                                                                \
    "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version " \
    "for the right syntax to use near '"

static void refusals_are_mysqls(void **state)
{
    (void)state;
    static const struct {
        const char *query, *error;
    } cases[] = {
        {"SELECT 'a", NEAR "'a' at line 1"},
        {"SELECT 1\n/* a", NEAR "/* a' at line 2"},
        {"SELECT rank FROM animal", NEAR "FROM animal' at line 1"},
        {"SELECT count (*) FROM animal", NEAR "*) FROM animal' at line 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(asked(span(cases[i].query)));
        assert_string_equal(str_c(&error), cases[i].error);
        assert_int_equal(out.n, 0);
    }
}

/* What is quoted of a query is cut between characters, wherever that is. */
static void quoted_words_are_whole(void **state)
{
    (void)state;
    for (int before = 0; before < 4; before++) {
        Str query = {0};
        str_adds(&query, "SELECT '");
        for (int i = 0; i < before; i++)
            str_addc(&query, 'a');
        for (int i = 0; i < 40; i++)
            str_adds(&query, "\xE2\x82\xAC");
        assert_false(asked(str_span(&query)));
        assert_true(utf8_valid(error.at, error.n));
        sql_mysql_error(&error, "near \"'\": syntax error", "zoo", str_span(&query));
        assert_true(span_starts(str_span(&error), NEAR "'") && utf8_valid(error.at, error.n));
        str_drop(&query);
    }
}

static void errors_of_sqlite(void **state)
{
    (void)state;
    static const struct {
        const char *says, *query, *error;
    } cases[] = {
        {"no such table: cats", "SELECT 1 FROM cats", "Table 'zoo.cats' doesn't exist"},
        {"no such table: a.b", "SELECT 1 FROM a.b", "Table 'a.b' doesn't exist"},
        {"no such column: x", "SELECT a FROM b GROUP BY x", "Unknown column 'x' in 'group statement'"},
        {"no such column: b.x", "SELECT a FROM b ORDER BY b.`x`", "Unknown column 'b.x' in 'order clause'"},
        {"no such column: x", "", "Unknown column 'x' in 'field list'"},
        {"ambiguous column name: x", "SELECT 1 FROM a JOIN b ON x", "Column 'x' in on clause is ambiguous"},
        {"no such function: f", "SELECT f()", "FUNCTION zoo.f does not exist"},
        {"misuse of aggregate: max()", "", "Invalid use of group function"},
        {"near \"FROM\": syntax error", "SELECT\nFROM a", NEAR "FROM a' at line 2"},
        {"near \"", "SELECT", "near \""},
        {"near \"\": syntax error", "SELECT", NEAR "' at line 1"},
        {"incomplete input", "SELECT\n", NEAR "' at line 2"},
        {"other", "", "other"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sql_mysql_error(&error, cases[i].says, "zoo", span(cases[i].query));
        assert_string_equal(str_c(&error), cases[i].error);
    }
}

/* Any text, written as MySQL has it, is itself. */
static void texts_come_back(void **state)
{
    (void)state;
    Rng rng;
    Str query = {0};
    rng_seed(&rng, 4);
    for (int round = 0; round < 3000; round++) {
        char text[17], quote = rng_below(&rng, 2) ? '\'' : '"';
        size_t n = rng_below(&rng, sizeof text);
        str_clear(&query);
        str_addf(&query, "SELECT %c", quote);
        for (size_t i = 0; i < n; i++) {
            char c = text[i] = "'\"\\\n`a-/*# "[rng_below(&rng, 11)];
            if (c == '\\' || (c == quote && rng_below(&rng, 2)))
                str_addc(&query, '\\');
            else if (c == quote)
                str_addc(&query, c);
            str_addc(&query, c);
        }
        text[n] = 0;
        str_addc(&query, quote);
        const char *value = value_of(str_c(&query));
        if (strcmp(value, text) != 0)
            fail_msg("%s\n gives  %s\n not    %s", str_c(&query), value, text);
    }
    str_drop(&query);
}

/* Words of queries in any order, and bytes: a query or a sentence, and no query that writes. */
static void any_query(void **state)
{
    (void)state;
    static const char *const words[] = {
        "SELECT",   "FROM",    "animal",  "WHERE", "GROUP BY", "ORDER BY", "name", "`kg`",     "id",
        "max(",     "concat(", ")",       "(",     ",",        ".",        "/",    "-",        "||",
        "&&",       "<=>",     "*",       "'a'",   "\"b\"",    "'",        "`",    "-- ",      "/*",
        "*/",       "#",       "LIMIT",   "IN",    "1",        "JOIN",     "AS",   "x",        "HAVING",
        "count(*)", "rank",    "show",    "\n",    ";",        "\\",       "\xff", "\xC3\xA9", "UNION",
        "over",     "DROP",    "animal.", "1e-5",  "on"};
    Rng rng;
    SqlResult result = {0};
    SqlLimits limits = {.seconds = 1, .rows = 1000, .bytes = 1 << 20, .memory_bytes = 1 << 28};
    int ran = 0, refused = 0;
    Str query = {0};
    rng_seed(&rng, 8);
    for (int round = 0; round < 20000; round++) {
        str_clear(&query);
        str_adds(&query, rng_below(&rng, 4) ? "SELECT " : "");
        for (size_t i = rng_below(&rng, 12); i > 0; i--) {
            str_adds(&query, words[rng_below(&rng, sizeof words / sizeof *words)]);
            str_adds(&query, rng_below(&rng, 2) ? " " : "");
        }
        str_adds(&query, rng_below(&rng, 2) ? " FROM animal" : "");
        bool good = asked(str_span(&query));
        assert_true(good ? error.n == 0 : error.n && out.n == 0);
        refused += !good;
        if (good && sql_run(db, str_span(&out), &limits, &result) == SQL_RAN)
            ran++;
        else if (good)
            sql_mysql_error(&error, str_c(&result.error), "zoo", str_span(&query));
        assert_true(utf8_valid(error.at, error.n) || !utf8_valid(str_c(&query), query.n));
    }
    assert_true(ran > 100 && refused > 100);
    str_drop(&query);
    sql_result_drop(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_mysqls),      cmocka_unit_test(refusals_are_mysqls),
        cmocka_unit_test(quoted_words_are_whole), cmocka_unit_test(errors_of_sqlite),
        cmocka_unit_test(texts_come_back),        cmocka_unit_test(any_query)};
    return cmocka_run_group_tests(tests, open_zoo, close_zoo);
}
