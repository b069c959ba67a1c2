#include "eval/agents/intercode.h"

#include <stdlib.h>

#include "agent/scripted_test.h"
#include "base/data_test.h"
#include "base/scratch_test.h"

typedef struct {
    Scripted script;
    EvalSettings settings;
    EvalRun run;
    Questions questions;
    void *state;
} Fixture;

static Fixture f;

static int open_fixture(void **state)
{
    (void)state;
    if (!folder_holds(data_folder(), INTERCODE_TEMPLATES))
        return 0;
    f = (Fixture){.settings = eval_settings()};
    f.script.fails = ST_PEER;
    f.run = (EvalRun){.data = data_folder(), .settings = &f.settings};
    f.run.models.chat = scripted_model(&f.script);
    if (ic_sql.open(&f.run, &f.questions, &f.state) == ST_OK)
        return 0;
    printf("%s\n", error_text());
    return -1;
}

static int close_fixture(void **state)
{
    (void)state;
    if (f.state) {
        ic_sql.close(f.state);
        questions_drop(&f.questions);
        chatmodel_close(f.run.models.chat);
    }
    return 0;
}

static void need_data(void)
{
    if (f.state)
        return;
    printf("SKIP no " INTERCODE_TEMPLATES " in %s (set LEMUR_DATA)\n", data_folder());
    skip();
}

/* Plays a question with these answers; the caller drops *s. */
static void ask(Sample *s, size_t question, const char *const *lines)
{
    sample_init(s);
    f.script.lines = lines;
    f.script.said = 0;
    if (ic_sql.ask(&f.run, f.state, &f.questions.all.at[question], s) != ST_OK)
        fail_msg("%s", error_text());
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gold_scores_one_and_nonsense_none),
                                       cmocka_unit_test(dialogue_is_the_originals),
                                       cmocka_unit_test(turns_end)};
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
