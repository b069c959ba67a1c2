/* Databases, questions and test suites of our own; and under $LEMUR_DATA, or ../shared/data, InterCode's 1034
 * gold queries, each of which must be right, and a wrong answer to each, which must not. */
#include "eval/static/spider.h"

#include <sqlite3.h>

#include "eval/static/scripted_test.h"

static void write_database(const char *file, const char *sql)
{
    sqlite3 *db;
    const char *path = in_scratch(file);
    unlink(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

#define TABLES                                                           \
    "CREATE TABLE Keeper (id INTEGER PRIMARY KEY, Name TEXT, Pay REAL);" \
    "CREATE TABLE Animal (id INTEGER PRIMARY KEY, Name TEXT, Keeper_id INT, Weight INT);"
#define ROWS                                               \
    "INSERT INTO Keeper VALUES (1,'Ann',10.5),(2,'Bo',7);" \
    "INSERT INTO Animal VALUES (1,'Rex',1,30),(2,'Tim',1,4),(3,'Ada',2,900);"

static const char tables_json[] =
    "[{\"db_id\": \"zoo\", \"table_names_original\": [\"Keeper\", \"Animal\"], \"column_names_original\": "
    "[[-1, \"*\"], [0, \"id\"], [0, \"Name\"], [0, \"Pay\"], [1, \"id\"], [1, \"Name\"], [1, \"Keeper_id\"], "
    "[1, \"Weight\"]], \"foreign_keys\": [[6, 1]]}]";
static const char dev_json[] =
    "[{\"db_id\": \"zoo\", \"question\": \"How many animals?\", \"query\": \"SELECT count(*) FROM "
    "Animal\"},\n"
    " {\"db_id\": \"zoo\", \"question\": \"Who keeps Rex?\", \"query\": \"SELECT T1.Name FROM Keeper AS T1 "
    "JOIN Animal AS "
    "T2 ON T1.id = T2.Keeper_id WHERE T2.Name = 'Rex'\"},\n"
    " {\"db_id\": \"zoo\", \"question\": \"Heavy ones first\", \"query\": \"SELECT DISTINCT Name FROM Animal "
    "ORDER BY "
    "Weight DESC\"},\n"
    " {\"db_id\": \"zoo\", \"question\": \"Broken\", \"query\": \"SELECT nothing FROM nowhere\"},\n"
    " {\"question\": \"no database\"}]";

static void write_own(void)
{
    assert_int_equal(folder_remove(in_scratch("spider")), ST_OK);
    scratch_text("spider/dev.json", dev_json);
    scratch_text("spider/tables.json", tables_json);
    scratch_text("spider/database/zoo/schema.sql", TABLES);
    write_database("spider/database/zoo/zoo.sqlite", TABLES ROWS);
}

static void open_own(Bench *x)
{
    if (bench_open(x, &spider, scratch) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(x->questions.all.n, 4);
    assert_int_equal(x->questions.bad, 1);
}

static void expect_scores(Bench *x, size_t question, const char *answer, double exec, double exact,
                          SampleKind kind)
{
    Sample s = bench_ask(x, &x->questions.all.at[question], answer);
    if (metric_of(&s, "exec") != exec || metric_of(&s, "exact_set") != exact || s.kind != kind) {
        char *more = json_dumps(s.more, 0);
        fail_msg("%s: exec %g, exact_set %g, \"%s\": %s", answer, metric_of(&s, "exec"),
                 metric_of(&s, "exact_set"), sample_kind_names[s.kind], more);
    }
    sample_drop(&s);
}

static void answers_are_marked(void **state)
{
    (void)state;
    Bench x = {0};
    write_own();
    open_own(&x);
    assert_string_equal(x.questions.all.at[0].part, "easy");
    assert_string_equal(x.questions.all.at[1].part, "medium");
    assert_string_equal(x.questions.all.at[3].part, "unparsed");
    expect_scores(&x, 0, "```sql\nSELECT count(*)\nFROM Animal -- all of them\n;\n```", 1, 1, SAMPLE_FINE);
    assert_non_null(strstr(str_c(&x.model.prompt), "CREATE TABLE Animal (id INTEGER PRIMARY KEY"));
    assert_non_null(strstr(str_c(&x.model.prompt), "\n-- How many animals?\n"));
    expect_scores(&x, 0, "It is SELECT count(id) FROM Animal; easy.", 1, 0, SAMPLE_FINE);
    expect_scores(&x, 0, "SELECT 3.0", 1, 0, SAMPLE_FINE);
    expect_scores(&x, 0, "SELECT '3'", 0, 0, SAMPLE_FINE);
    expect_scores(&x, 0, "SELECT count(*) FROM Beast", 0, 0, SAMPLE_TOOL_ERROR);
    expect_scores(&x, 0, "DELETE FROM Animal", 0, 0, SAMPLE_UNREADABLE);
    expect_scores(&x, 0, "```sql\nDELETE FROM Animal\n```", 0, 0, SAMPLE_TOOL_ERROR);
    expect_scores(&x, 0, "I do not know.", 0, 0, SAMPLE_UNREADABLE);
    expect_scores(
        &x, 1,
        "SELECT Keeper.Name FROM Animal JOIN Keeper ON Keeper.id = Animal.Keeper_id WHERE Animal.Name = "
        "\"Tim\"",
        1, 1, SAMPLE_FINE);
    expect_scores(&x, 2, "SELECT Name FROM Animal ORDER BY Weight DESC", 1, 1, SAMPLE_FINE);
    expect_scores(&x, 2, "SELECT Name FROM Animal ORDER BY Weight", 0, 0, SAMPLE_FINE);
    expect_scores(&x, 2, "SELECT Name FROM Animal ORDER BY Weight DESC LIMIT 3", 1, 0, SAMPLE_FINE);
    expect_scores(&x, 3, "SELECT 1", 0, 0, SAMPLE_FINE);
    x.settings.program_seconds = 0.3;
    expect_scores(&x, 0,
                  "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT count(*) FROM t", 0,
                  0, SAMPLE_TIME);
    bench_close(&x);
}

/* The animals that are heavier than 20 are two here, and one there. */
static void every_database_of_the_suite_counts(void **state)
{
    (void)state;
    Bench x = {0};
    write_own();
    scratch_text("spider/test_database/zoo/note.txt", "no database");
    write_database("spider/test_database/zoo/zoo.sqlite", TABLES ROWS);
    open_own(&x);
    expect_scores(&x, 0, "SELECT 3", 1, 0, SAMPLE_FINE);
    bench_close(&x);
    write_database("spider/test_database/zoo/zoo_1.sqlite", TABLES);
    Bench y = {0};
    open_own(&y);
    expect_scores(&y, 0, "SELECT 3", 0, 0, SAMPLE_FINE);
    expect_scores(&y, 0, "SELECT count(*) FROM Animal", 1, 1, SAMPLE_FINE);
    bench_close(&y);
}

static void prompts_are_read_from_data(void **state)
{
    (void)state;
    Bench x = {.run.models.plain = true};
    write_own();
    open_own(&x);
    expect_scores(&x, 0, " count(*) FROM Animal", 1, 1, SAMPLE_FINE);
    assert_int_equal(x.model.stops_n, 2);
    bench_close(&x);
    Bench y = {0};
    scratch_text("spider/prompt.txt", "Q {question} {question} S");
    assert_int_equal(bench_open(&y, &spider, scratch), ST_FORMAT);
    assert_non_null(strstr(error_text(), "{schema}"));
    questions_drop(&y.questions);
    chatmodel_close(y.run.models.chat);
    Bench z = {0};
    scratch_text("spider/prompt.txt", "Q {question}\nS {schema}\nselect");
    open_own(&z);
    expect_scores(&z, 0, "count(*) FROM Animal", 1, 1, SAMPLE_FINE);
    assert_int_equal(strncmp(str_c(&z.model.prompt), "Q How many animals?\nS CREATE TABLE Keeper", 30), 0);
    bench_close(&z);
}

static void expect_open_fails(const char *says)
{
    Bench x = {0};
    Status st = bench_open(&x, &spider, scratch);
    if (st == ST_OK || !strstr(error_text(), says))
        fail_msg("%s: %s", status_name(st), error_text());
    questions_drop(&x.questions);
    chatmodel_close(x.run.models.chat);
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    write_own();
    unlink(in_scratch("spider/database/zoo/zoo.sqlite"));
    expect_open_fails("spider/database/zoo/zoo.sqlite");
    scratch_text("spider/database/zoo/zoo.sqlite",
                 "this is no database, but it is longer than a header of one is");
    expect_open_fails("not a database");
    unlink(in_scratch("spider/tables.json"));
    expect_open_fails("spider/tables.json");
    scratch_text("spider/tables.json", "[]");
    write_database("spider/database/zoo/zoo.sqlite", TABLES);
    expect_open_fails("no entry for zoo");
    scratch_text("spider/tables.json",
                 "[{\"db_id\": \"zoo\", \"table_names_original\": [], \"column_names_original\": "
                 "[], \"foreign_keys\": [[0, 9]]}]");
    expect_open_fails("foreign key 0");
    scratch_text("spider/dev.json", "[{\"db_id\": \"../zoo\", \"question\": \"a\", \"query\": \"b\"}]");
    expect_open_fails("no name of a database");
    unlink(in_scratch("spider/dev.json"));
    expect_open_fails("spider/dev.json");
}

static void queries_are_found_in_answers(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *query;
        bool continues;
    } cases[] = {
        {"SELECT a FROM b", "SELECT a FROM b", false},
        {"Here it is:\n```sql\nselect a\n  from b -- c\n  where d = 'x  ; y'; select 2\n```\nDone; it's "
         "'fine'.",
         "select a from b where d = 'x  ; y'", false},
        {"```\nSELECT 1\n```\n```sql\nSELECT 2\n```", "SELECT 2", false},
        {"The answer is (SELECT 1) ;", "(SELECT 1)", false},
        {"With this query you get it: WITH x AS (SELECT 1) SELECT * FROM x\n\nIt selects.",
         "WITH x AS (SELECT 1) SELECT * FROM x", false},
        {"WITH RECURSIVE x(a) AS (SELECT 1) SELECT a FROM x",
         "WITH RECURSIVE x(a) AS (SELECT 1) SELECT a FROM x", false},
        {"Here's the query you asked for:\n\nSELECT a FROM b WHERE c = 'Joe'",
         "SELECT a FROM b WHERE c = 'Joe'", false},
        {"The singers' names are (as I'd say) in 'select': select a FROM b WHERE c = 'x''y'",
         "select a FROM b WHERE c = 'x''y'", false},
        {"In \"b:\n SELECT \"a\" FROM b", "SELECT \"a\" FROM b", false},
        {"1. It's:\n   ```sql\n   SELECT a\n   FROM b\n   ```", "SELECT a FROM b", false},
        {"a FROM b", "SELECT a FROM b", true},
        {"select a FROM b;", "select a FROM b", true},
        {"unselect this selection", NULL, false},
        {"", NULL, false},
        {"", NULL, true},
        {" ; ", NULL, false},
        {"```sql\n```", NULL, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Str out = {0};
        bool found = spider_answer_query(&out, span(cases[i].answer), cases[i].continues);
        if (found != (cases[i].query != NULL) || (found && strcmp(str_c(&out), cases[i].query) != 0))
            fail_msg("%s: %s", cases[i].answer, str_c(&out));
        str_drop(&out);
    }
}

static void intercode_gold_is_right_and_nonsense_wrong(void **state)
{
    (void)state;
    const char *data = data_with("intercode/sql/ic_spider_dbs.sql");
    if (!data)
        skip();
    Bench x = {0};
    if (bench_open(&x, &spider_intercode, data) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(x.questions.all.n, 1034);
    int hardness_agrees = 0;
    for (size_t i = 0; i < x.questions.all.n; i++) {
        const json_t *doc = x.questions.all.at[i].doc;
        const char *gold = json_string_value(json_object_get(doc, "gold"));
        hardness_agrees +=
            strcmp(x.questions.all.at[i].part, json_string_value(json_object_get(doc, "hardness"))) == 0;
        expect_scores(&x, i, gold, 1, 1, SAMPLE_FINE);
        expect_scores(&x, i, "SELECT 1, 2, 3, 4, 5, 6, 7, 'no such row', 9, 10, 11, 12, 13, 14, 15, 16, 17",
                      0, 0, SAMPLE_FINE);
    }
    assert_int_equal(hardness_agrees, 1034);
    bench_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_marked),
        cmocka_unit_test(every_database_of_the_suite_counts),
        cmocka_unit_test(prompts_are_read_from_data),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(queries_are_found_in_answers),
        cmocka_unit_test(intercode_gold_is_right_and_nonsense_wrong),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
