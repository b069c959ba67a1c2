#include "base/data_test.h"
#include "eval/replay_intercode.h"

#include <stdlib.h>

#include "base/json_file.h"
#include "base/scratch_test.h"
#include "env/needs_mariadbd_test.h"
#include "env/sandbox.h"
#include "env/sql.h"
#include "env/sql_reward.h"

static void need_data(void)
{
    if (folder_holds(data_folder(), SQL_DUMP))
        return;
    printf("SKIP no " SQL_DUMP " in %s (set LEMUR_DATA)\n", data_folder());
    skip();
}

/* The recordings given: rewards from text all agree, and at least 99 of 100 by SQLite. */
static void recordings_agree(void **state)
{
    (void)state;
    need_data();
    char *folder = path_join(data_folder(), "intercode/replay");
    ReplayFiles files;
    ReplaySpec spec = {.intercode = data_folder(), .checks = 1 << REPLAY_S2 | 1 << REPLAY_S4, .threads = 2};
    ReplayReport report = {0};
    if (replay_find(&files, folder) != ST_OK)
        fail_msg("%s", error_text());
    replay_run(&report, &spec, &files);
    const ReplayCount *s2 = &report.counts[REPLAY_S2], *s4 = &report.counts[REPLAY_S4];
    assert_int_equal(report.troubles.n, 0);
    assert_true(s2->compared >= 3000 && s2->agreed == s2->compared);
    assert_int_equal(s2->legacy, files.count[RECORDING_INTERCODE_SQL]); /* they follow the plain rule */
    assert_true(s4->compared >= 5000 && s4->agreed * 1000 >= s4->compared * 995);
    for (size_t i = 0; i < report.mismatches.n; i++)
        assert_non_null(strstr(report.mismatches.at[i].what, ": "));
    replay_report_drop(&report);
    replay_files_drop(&files);
    mem_free(folder);
}

/* On MariaDB: what its queries show is what was recorded but for one turn of 4053, and rewards but for what
 * LIMIT keeps of equals. */
static void recordings_agree_on_a_server(void **state)
{
    (void)state;
    need_data();
    char *folder = path_join(data_folder(), "intercode/replay");
    ReplayFiles files;
    ReplaySpec spec = {.intercode = data_folder(), .checks = 1 << REPLAY_S3 | 1 << REPLAY_S4, .threads = 2};
    ReplayReport report = {0};
    SqlWorlds *worlds = NULL;
    SqlSource source = {.data = data_folder(), .server = "auto"};
    needs_mariadbd(sql_worlds_open_source(&worlds, &source));
    spec.sql = worlds;
    if (replay_find(&files, folder) != ST_OK)
        fail_msg("%s", error_text());
    replay_run(&report, &spec, &files);
    const ReplayCount *s3 = &report.counts[REPLAY_S3], *s4 = &report.counts[REPLAY_S4];
    assert_int_equal(report.troubles.n, 0);
    assert_true(s3->compared >= 4000 && s3->agreed * 1000 >= s3->compared * 999);
    assert_true(replay_undecided(s3) * 10 < s3->compared);
    assert_true(s4->compared >= 5000 && s4->agreed * 1000 >= s4->compared * 998);
    replay_report_drop(&report);
    replay_files_drop(&files);
    sql_worlds_close(worlds);
    mem_free(folder);
}

/* Whatever can be compared of the commands agrees. */
static void ctf_recordings_agree(void **state)
{
    (void)state;
    Str says = {0};
    need_data();
    Status st = sandbox_probe(&says);
    str_drop(&says);
    if (st != ST_OK) {
        printf("SKIP sandbox: %s\n", error_text());
        skip();
    }
    char *folder = path_join(data_folder(), "intercode/replay/ctf");
    ReplayFiles files;
    ReplaySpec spec = {.intercode = data_folder(), .checks = 1 << REPLAY_CTF, .threads = 1};
    ReplayReport report = {0};
    if (replay_find(&files, folder) != ST_OK)
        fail_msg("%s", error_text());
    replay_run(&report, &spec, &files);
    const ReplayCount *c = &report.counts[REPLAY_CTF];
    for (size_t i = 0; i < report.mismatches.n; i++)
        printf("%s\n", report.mismatches.at[i].what);
    assert_int_equal(report.troubles.n, 0);
    assert_true(c->compared >= 30 && c->agreed == c->compared);
    replay_report_drop(&report);
    replay_files_drop(&files);
    mem_free(folder);
}

typedef struct {
    SqlWorlds *worlds;
    json_t *questions;
} Set;

/* The reward of an action in a task by our own execution. */
static double reward_of(const Set *set, size_t task, const char *action, InterCodeRule rule)
{
    const json_t *q = json_array_get(set->questions, task);
    SqlWorld *w;
    SqlTurn turn = {0}, of_gold = {0};
    RowTexts rows = {0}, gold = {0};
    const char *query = json_string_value(json_object_get(q, "gold"));
    if (sql_world_open(&w, set->worlds, json_string_value(json_object_get(q, "db")), NULL) != ST_OK ||
        sql_world_act(w, &turn, span(action ? action : query)) != ST_OK ||
        sql_world_act(w, &of_gold, span(query)) != ST_OK)
        fail_msg("%s", error_text());
    bool listed = !turn.failed && row_texts_read(&rows, str_span(&turn.text)) == ST_OK;
    assert_true(turn.failed || listed);
    if (!of_gold.failed)
        assert_int_equal(row_texts_read(&gold, str_span(&of_gold.text)), ST_OK);
    double reward = listed ? intercode_reward(rule, &rows, &gold) : 0;
    sql_turn_drop(&turn);
    sql_turn_drop(&of_gold);
    row_texts_drop(&rows);
    row_texts_drop(&gold);
    sql_world_close(w);
    return reward;
}

/* What the original does that surprises: an empty result wins where the gold query fails or its tables are
 * empty. */
static void expect_curiosities(Set *set)
{
    static const struct {
        size_t task;
        const char *empty, *full;
    } bad[] = {{54, "SELECT 1 FROM Templates WHERE 0", "SELECT min(Version_Number) FROM Templates"},
               {164, "SELECT 1 FROM orchestra WHERE 0", "SELECT avg(Attendance) FROM `show`"},
               {710, "SELECT 1 FROM TV_Channel WHERE 0", "SELECT id FROM TV_Channel"},
               {798, "SELECT 1 FROM Templates WHERE 0", "SELECT min(Version_Number) FROM Templates"},
               {802, "SELECT 1 FROM orchestra WHERE 0", "SELECT avg(Attendance) FROM `show`"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_true(reward_of(set, bad[i].task, NULL, INTERCODE_IOU) == 0); /* the gold query itself fails */
        assert_true(reward_of(set, bad[i].task, bad[i].empty, INTERCODE_IOU) == 1);
        assert_true(reward_of(set, bad[i].task, bad[i].full, INTERCODE_IOU) == 0);
    }
    int64_t wta = 0, wins = 0, fails = 0;
    for (size_t i = 0; i < json_array_size(set->questions); i++) {
        const char *db = json_string_value(json_object_get(json_array_get(set->questions, i), "db"));
        double own = reward_of(set, i, NULL, INTERCODE_SCALED);
        fails += own != 1;
        if (strcmp(db, "wta_1") == 0) {
            wta++;
            wins += reward_of(set, i, "SELECT * FROM players", INTERCODE_SCALED) == 1;
        }
    }
    assert_int_equal(json_array_size(set->questions), 1034);
    assert_int_equal(wta, 62);
    assert_true(reward_of(set, 12, "SELECT 1", INTERCODE_IOU) < 1);
    assert_int_equal(wins, 44); /* the others count rows, or ask for an average, and have one */
    /* The five; nameless subqueries, COUNT (*) and ungrouped columns, in pairs but for one. */
    assert_int_equal(fails, 17);
}

static void curiosities_on(const char *server)
{
    need_data();
    Set set = {0};
    char *list = path_join(data_folder(), SQL_QUESTIONS);
    SqlSource source = {.data = data_folder(), .from = SQL_FROM_DUMP, .server = server};
    Status st = sql_worlds_open_source(&set.worlds, &source);
    if (server)
        needs_mariadbd(st);
    if (st != ST_OK || json_file_read(&set.questions, list) != ST_OK)
        fail_msg("%s", error_text());
    expect_curiosities(&set);
    sql_worlds_close(set.worlds);
    json_decref(set.questions);
    mem_free(list);
}

static void curiosities(void **state)
{
    (void)state;
    curiosities_on(NULL);
}

static void curiosities_on_a_server(void **state)
{
    (void)state;
    curiosities_on("auto");
}

/* A recording of the scaled rule is told from one of the plain rule, and a wrong reward in it is found. */
static void rules_are_told_apart(void **state)
{
    (void)state;
    static const char questions[] = "[{\"db\": \"a\", \"query\": \"q\", \"gold\": \"SELECT n FROM t\"}]";
    static const char form[] = "{\"0\": {\"task_id\": 0, \"query\": \"q\", \"turn_history\": {\"actions\": "
                               "[\"SELECT n FROM t ORDER BY n "
                               "DESC\", \"x\", \"SELECT n FROM t\"], \"observations\": [\"[(2,), (1,)]\", "
                               "\"Error executing query: no\", "
                               "\"[(1,), (2,)]\"], \"rewards\": [%d, 0, 1]}, \"summary\": {\"max_reward\": "
                               "1, \"max_reward_idx\": 2, "
                               "\"turns_taken\": 3, \"turns_max\": 10}}}";
    static const struct {
        int reward;
        int64_t current, agreed;
    } cases[] = {{-1, 1, 4}, {0, 0, 3}};
    scratch_text("data/" SQL_QUESTIONS, questions);
    char *data = scratch_path("data"), *path = scratch_path("ic_sql_multiturn_x.json");
    for (size_t i = 0; i < 2; i++) {
        char text[1000];
        snprintf(text, sizeof text, form, cases[i].reward);
        scratch_text("ic_sql_multiturn_x.json", text);
        ReplaySpec spec = {.intercode = data, .checks = 1 << REPLAY_S2};
        ReplayReport report = {0};
        if (replay_intercode_sql_file(&report, &spec, path) != ST_OK)
            fail_msg("%s", error_text());
        assert_int_equal(report.counts[REPLAY_S2].compared, 4);
        assert_int_equal(report.counts[REPLAY_S2].agreed, cases[i].agreed);
        assert_int_equal(report.counts[REPLAY_S2].current, cases[i].current);
        replay_report_drop(&report);
    }
    mem_free(data);
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recordings_agree),        cmocka_unit_test(recordings_agree_on_a_server),
        cmocka_unit_test(ctf_recordings_agree),    cmocka_unit_test(curiosities),
        cmocka_unit_test(curiosities_on_a_server), cmocka_unit_test(rules_are_told_apart)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
