#include "eval/agents/intercode.h"

#include <stdlib.h>

#include "agent/scripted_test.h"
#include "base/data_test.h"
#include "base/scratch_test.h"
#include "env/needs_mariadbd_test.h"

typedef struct {
    Scripted script;
    EvalSettings settings;
    EvalRun run;
    Questions questions;
    void *state;
} Fixture;

static Fixture f;

static Status open_on(Fixture *to, const char *server)
{
    *to = (Fixture){.settings = eval_settings()};
    to->settings.sql_server = server;
    to->script.fails = ST_PEER;
    to->run = (EvalRun){.data = data_folder(), .settings = &to->settings};
    to->run.models.chat = scripted_model(&to->script);
    return ic_sql.open(&to->run, &to->questions, &to->state);
}

static int open_fixture(void **state)
{
    (void)state;
    if (!folder_holds(data_folder(), INTERCODE_TEMPLATES))
        return 0;
    if (open_on(&f, NULL) == ST_OK)
        return 0;
    printf("%s\n", error_text());
    return -1;
}

static void close_on(Fixture *from)
{
    if (from->state)
        ic_sql.close(from->state);
    questions_drop(&from->questions);
    chatmodel_close(from->run.models.chat);
}

static int close_fixture(void **state)
{
    (void)state;
    if (f.state)
        close_on(&f);
    return 0;
}

static void need_data(void)
{
    if (f.state)
        return;
    printf("SKIP no " INTERCODE_TEMPLATES " in %s (set LEMUR_DATA)\n", data_folder());
    skip();
}

static void ask_on(Fixture *on, Sample *s, size_t question, const char *const *lines)
{
    sample_init(s);
    on->script.lines = lines;
    on->script.said = 0;
    if (ic_sql.ask(&on->run, on->state, &on->questions.all.at[question], s) != ST_OK)
        fail_msg("%s", error_text());
}

/* Plays a question with these answers; the caller drops *s. */
static void ask(Sample *s, size_t question, const char *const *lines)
{
    ask_on(&f, s, question, lines);
}

static double metric(const Sample *s, const char *name)
{
    return json_number_value(json_object_get(s->metrics, name));
}

/* Every 9th question: its gold query wins at once, nonsense never; where the gold query fails no rows do. */
static void gold_scores_one_and_nonsense_none(void **state)
{
    (void)state;
    need_data();
    assert_int_equal(f.questions.all.n, 1034);
    assert_int_equal(f.questions.bad, 0);
    const char *const nonsense[] = {"SELECT 'nonsense' AS x", "dunno", "SELECT", "skip", NULL};
    for (size_t i = 0; i < f.questions.all.n; i += 9) {
        Sample s;
        char *gold = mem_format("Sure:\n```sql\n%s\n```", doc_text(f.questions.all.at[i].doc, "gold").at);
        const char *const right[] = {gold, NULL};
        ask(&s, i, nonsense);
        bool gold_fails = json_object_get(s.more, "gold");
        assert_true(metric(&s, "success") == 0 && metric(&s, "reward") == 0 && metric(&s, "steps") == 4);
        sample_drop(&s);
        if (!gold_fails) {
            ask(&s, i, right);
            if (metric(&s, "success") != 1 || metric(&s, "steps") != 1)
                fail_msg("question %zu: the gold query does not win", i);
            sample_drop(&s);
        }
        mem_free(gold);
    }
}

static Span message(const Conversation *c, size_t i)
{
    assert_true(i < c->messages.n);
    return c->messages.at[i].content;
}

/* The first two messages and the last five; the texts are the templates', filled. */
static void dialogue_is_the_originals(void **state)
{
    (void)state;
    need_data();
    const char *const lines[] = {
        "SHOW TABLES", "no idea", "SELECT x FROM people", "SELECT Name FROM people WHERE 0", "select",
        "skip",        NULL};
    Sample s;
    ask(&s, 0, lines);
    assert_true(metric(&s, "success") == 0);
    const Conversation *c = &f.script.asked;
    assert_int_equal(c->messages.n, 7);
    assert_true(c->messages.at[0].role == CHAT_SYSTEM && c->messages.at[1].role == CHAT_USER);
    assert_true(span_starts(message(c, 0), "MySQL tables, with their properties\n- poker_player: "
                                           "['Poker_Player_ID', 'People_ID', "));
    assert_true(span_ends(message(c, 1),
                          "Query: \"What are the names of poker players, ordered ascending by the "
                          "number of final tables they have made?\".\nDo not generate any output or "
                          "reward.\n"));
    assert_true(span_starts(message(c, 2),
                            "MySQL Database Output: Error executing query: Unknown column 'x' in "
                            "'field list'\nReward: 0.0\nHere is the query again: \"What are"));
    assert_true(span_is(message(c, 3), "```sql\nSELECT Name FROM people WHERE 0\n```"));
    assert_true(span_starts(message(c, 4), "MySQL Database Output: No output\nReward: 0.0\n"));
    assert_true(span_is(message(c, 5), "select"));
    assert_true(span_starts(message(c, 6), "MySQL Database Output: No SQL code was found"));
    const json_t *messages = json_object_get(s.transcript, "messages");
    assert_int_equal(json_array_size(messages), 13); /* whole: 2, five turns of 2, the last answer */
    assert_string_equal(json_string_value(json_object_get(s.transcript, "end")), "gave_up");
    assert_int_equal(json_array_size(json_object_get(s.transcript, "steps")), 6);
    sample_drop(&s);
}

/* Neither rows nor errors nor rewards, and the same score. */
static void observations_can_be_withheld(void **state)
{
    (void)state;
    need_data();
    const char *const lines[] = {"SHOW TABLES", "SELECT x FROM people", "skip", NULL};
    Sample s;
    f.settings.no_observations = true;
    ask(&s, 0, lines);
    f.settings.no_observations = false;
    for (size_t i = 3; i < 6; i += 2)
        assert_true(span_starts(message(&f.script.asked, i),
                                "MySQL Database Output: What came of it is not shown. The task is not solved "
                                "yet.\nReward: not shown\nHere is the query again"));
    assert_true(metric(&s, "steps") == 3);
    sample_drop(&s);
}

/* Ten turns, and the best reward counts. */
static void turns_end(void **state)
{
    (void)state;
    need_data();
    const char *lines[12] = {"SELECT 'Teodor Salparov'"};
    for (int i = 1; i < 11; i++)
        lines[i] = "SELECT 1";
    Sample s;
    ask(&s, 0, lines);
    assert_true(metric(&s, "success") == 0 && metric(&s, "steps") == 10);
    assert_true(metric(&s, "reward") == 0.2); /* one of five */
    assert_int_equal(s.kind, SAMPLE_BUDGET);
    assert_string_equal(json_string_value(json_object_get(s.transcript, "end")), "max_steps");
    sample_drop(&s);
    f.settings.steps = 2;
    ask(&s, 0, lines);
    assert_true(metric(&s, "steps") == 2);
    sample_drop(&s);
    f.settings.steps = -1;
}

/* What surprises in the original, as whole episodes. */
static void expect_curiosities(Fixture *on)
{
    static const struct {
        size_t question;
        const char *lines[6];
        double reward;
        int steps;
        const char *end;
    } cases[] = {
        /* The tables of wta_1 are empty: whatever brings no rows wins. */
        {106, {"SELECT 1 FROM players"}, 1, 1, "task_success"},
        /* A gold query that fails stands for no rows: the right answer scores nothing, no answer wins. */
        {54,
         {"SELECT min(Version_Number) FROM Templates", "SELECT 1 FROM Templates WHERE 0"},
         1,
         2,
         "task_success"},
        {164,
         {"SELECT avg(Attendance) FROM `show`", "SELECT 1 FROM orchestra WHERE 0"},
         1,
         2,
         "task_success"},
        {710, {"SELECT id FROM TV_Channel", "SELECT 1 FROM TV_Channel WHERE 0"}, 1, 2, "task_success"},
        {798,
         {"SELECT min(Version_Number) FROM Templates", "SELECT 1 FROM Templates WHERE 0"},
         1,
         2,
         "task_success"},
        {802,
         {"SELECT avg(Attendance) FROM `show`", "SELECT 1 FROM orchestra WHERE 0"},
         1,
         2,
         "task_success"},
        /* An error is no list: it does not win, also where no rows would. */
        {54, {"SELECT nothing FROM Templates", "skip"}, 0, 2, "gave_up"},
        /* Answers without SQL are turns, and the database does not see them; reward 1 ends before turn 10. */
        {0,
         {"Let me think.", "```python\nprint(1)\n```", "SELECT 1",
          "SELECT T1.Name FROM people AS T1 JOIN poker_player AS T2 ON T1.People_ID = T2.People_ID ORDER BY "
          "T2.Final_Table_Made",
          "SELECT 'is not asked for any more'"},
         1,
         4,
         "task_success"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Sample s;
        ask_on(on, &s, cases[i].question, cases[i].lines);
        const char *end = json_string_value(json_object_get(s.transcript, "end"));
        if (metric(&s, "reward") != cases[i].reward || metric(&s, "steps") != cases[i].steps ||
            strcmp(end, cases[i].end) != 0)
            fail_msg("case %zu: reward %g, %g steps, %s", i, metric(&s, "reward"), metric(&s, "steps"), end);
        sample_drop(&s);
    }
}

static void curiosities(void **state)
{
    (void)state;
    need_data();
    assert_string_equal(json_string_value(json_object_get(f.questions.facts, "server")), "SQLite");
    expect_curiosities(&f);
}

/* A gold query that was not let end has no rows to compare with: the question is asked again, and an answer
 * without rows does not win. */
static void a_gold_query_that_is_cut_off_is_no_gold(void **state)
{
    (void)state;
    need_data();
    const char *const none[] = {"SELECT 1 FROM (SELECT 1) AS x WHERE 1 = 0", NULL};
    Question q = f.questions.all.at[0];
    Sample s;
    q.doc = json_deep_copy(q.doc);
    json_object_set_new(q.doc, "gold", json_string("SELECT count(*) FROM people AS a, people AS b, people AS c"));
    sample_init(&s);
    f.script.lines = none;
    f.script.said = 0;
    f.settings.program_seconds = 1e-9;
    Status st = ic_sql.ask(&f.run, f.state, &q, &s);
    f.settings.program_seconds = -1;
    assert_int_equal(st, ST_LIMIT);
    expect_words("the gold query ran past its time");
    sample_drop(&s);
    json_decref(q.doc);
}

/* What gives no list is told as such and scores nothing, also where no rows would win. */
static void no_list_is_no_rows(Fixture *on)
{
    const char *const lines[] = {"SELECT 1 INTO @a", "SELECT 1 FROM orchestra WHERE 0", NULL};
    Sample s;
    ask_on(on, &s, 164, lines);
    assert_true(metric(&s, "success") == 1 && metric(&s, "steps") == 2);
    const Conversation *c = &on->script.asked;
    if (!span_starts(message(c, 3), "MySQL Database Output: None\nReward: 0"))
        fail_msg("%.*s", (int)message(c, 3).n, message(c, 3).at);
    sample_drop(&s);
}

static void curiosities_on_a_server(void **state)
{
    (void)state;
    need_data();
    Fixture on;
    Status st = open_on(&on, "auto");
    if (st == ST_OK) {
        assert_non_null(strstr(json_string_value(json_object_get(on.questions.facts, "server")), "MariaDB"));
        expect_curiosities(&on);
        no_list_is_no_rows(&on);
    }
    close_on(&on);
    needs_mariadbd(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gold_scores_one_and_nonsense_none),
                                       cmocka_unit_test(dialogue_is_the_originals),
                                       cmocka_unit_test(observations_can_be_withheld),
                                       cmocka_unit_test(turns_end), cmocka_unit_test(curiosities),
                                       cmocka_unit_test(a_gold_query_that_is_cut_off_is_no_gold),
                                       cmocka_unit_test(curiosities_on_a_server)};
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
