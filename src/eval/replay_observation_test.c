/* On SQLite, which knows no RAND(seed): what ORDER BY makes of rows is tested on a server, by
 * replay_intercode_test.c. */
#include "eval/replay_observation.h"

#include <stdlib.h>

#include "base/scratch_test.h"

static const char dump[] = "CREATE DATABASE `zoo`;\nUSE `zoo`;\nCREATE TABLE `cow` (`id` int, `name` text);\n"
                           "INSERT INTO `cow` VALUES (1,'a'),(2,'b');\n";

static void observations_are_compared(void **state)
{
    (void)state;
    static const struct {
        const char *action, *recorded;
        Seen seen;
        ReplayWhy why;
    } cases[] = {
        {"SELECT id FROM cow", "[(1,), (2,)]", SEEN_SAME, 0},
        {"SELECT id FROM cow", "[(2,), (1,)]", SEEN_SAME, 0}, /* nothing orders them */
        {"SELECT id FROM cow", "[(2,), (2,)]", SEEN_OTHER, 0},
        {"SELECT id FROM cow", "[(1,)]", SEEN_OTHER, 0},
        {"SELECT id FROM cow", "[]", SEEN_OTHER, 0},
        {"SELECT max(id) FROM cow", "[(2,)]", SEEN_SAME, 0},
        {"SELECT max(id) FROM cow", "[(3,)]", SEEN_OTHER, 0},
        {"SELECT id FROM cow LIMIT 1", "[(1,)]", SEEN_UNDECIDED, REPLAY_CHANCE},
        {"SHOW TABLES", "[('cow',)]", SEEN_SAME, 0},
        {"DESCRIBE cow", "[('id', 'int', 'YES', '', None, ''), ('name', 'text', 'YES', '', None, '')]",
         SEEN_SAME, 0},
        {"DESCRIBE cow", "[('id', 'int', 'NO', '', None, ''), ('name', 'text', 'YES', '', None, '')]",
         SEEN_OTHER, 0},
        {"SELECT x FROM cow", "Error executing query: Unknown column 'x' in 'field list'", SEEN_SAME, 0},
        {"SELECT x FROM cow", "Error executing query: Unknown column 'y' in 'field list'", SEEN_OTHER, 0},
        {"SELECT FROM cow", "Error executing query: You have an error in your SQL syntax; or so",
         SEEN_UNDECIDED, REPLAY_SYNTAX},
        {"SELECT id FROM cow", "Error executing query: You have an error in your SQL syntax; or so",
         SEEN_OTHER, 0},
    };
    SqlWorlds *all;
    SqlWorld *w;
    SqlTurn ours = {0};
    scratch_text("zoo.sql", dump);
    if (sql_worlds_open(&all, in_scratch("zoo.sql"), NULL, NULL) != ST_OK ||
        sql_world_open(&w, all, "zoo", NULL) != ST_OK)
        fail_msg("%s", error_text());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Seen seen;
        ReplayWhy why = 0;
        assert_int_equal(sql_world_act(w, &ours, span(cases[i].action)), ST_OK);
        assert_int_equal(
            replay_observation(&seen, &why, w, span(cases[i].action), span(cases[i].recorded), &ours), ST_OK);
        if (seen != cases[i].seen || (seen == SEEN_UNDECIDED && why != cases[i].why))
            fail_msg("%s: %s: %d", cases[i].action, cases[i].recorded, seen);
    }
    /* A table is altered by what was written, and by a column that ours has not. */
    AlteredTables altered = {0};
    assert_int_equal(sql_world_act(w, &ours, span("DESCRIBE cow")), ST_OK);
    altered_tables_note(&altered, span("DESCRIBE cow"), span("[(1,), (2,)]"), &ours);
    altered_tables_note(&altered, span("SELECT 1 FROM cow"), span("None"), &ours);
    assert_false(altered_tables_in(&altered, span("SELECT * FROM cow")));
    altered_tables_note(&altered, span("ALTER TABLE Pig ADD COLUMN x int"), span("None"), &ours);
    assert_true(altered_tables_in(&altered, span("SELECT * FROM pig WHERE 1")));
    assert_false(altered_tables_in(&altered, span("SELECT 'pig' FROM cow")));
    altered_tables_note(&altered, span("SHOW COLUMNS FROM cow"), span("[(1,), (2,), (3,)]"), &ours);
    assert_true(altered_tables_in(&altered, span("DESC COW")));
    altered_tables_drop(&altered);
    sql_turn_drop(&ours);
    sql_world_close(w);
    sql_worlds_close(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(observations_are_compared)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
