/* mint_alfworld: its openings are the recorded ones, experts succeed, those who stop short do not, and
 * whoever uses up fifty commands does. */
#include "eval/agents/mint_data.h"

#include <stdlib.h>
#include <string.h>

#include "agent/hints.h"
#include "eval/agents/household_fixture_test.h"

static const char *const quits[] = {"<solution>done</solution>", "<solution>done</solution>", NULL};

static void experts_succeed_and_one_call_less_does_not(void **state)
{
    (void)state;
    Fixture h;
    house_open(&h, &mint_alfworld, false);
    needs_sandbox();
    for (size_t i = 0; i < h.questions.all.n; i += house_stride()) {
        const Question *q = &h.questions.all.at[i];
        Commands c = expert_commands(q);
        char *all = expert_cell(q, c.n), *less = expert_cell(q, c.n - 1);
        const char *const right[] = {all, NULL};
        const char *const wrong[] = {less, quits[0], quits[1], NULL};
        HouseResult r = house_ask(&h, q, right);
        if (r.success != 1 || r.goal != 1 || r.kind != SAMPLE_FINE || r.commands != (double)c.n)
            fail_msg("%s: the expert's list: success %g, goal %g, %g of %zu commands", q->id, r.success,
                     r.goal, r.commands, c.n);
        r = house_ask(&h, q, wrong);
        if (r.success != 0 || r.goal != 0 || r.commands != (double)c.n - 1)
            fail_msg("%s: without its last call: success %g, goal %g", q->id, r.success, r.goal);
        mem_free(all);
        mem_free(less);
        commands_drop(&c);
    }
    printf("%zu games, %lld not here\n", h.questions.all.n, (long long)h.questions.left_out);
    house_close(&h);
}

/* The fiftieth command is answered with "done": MINT takes it for success, and `goal` does not. */
static void fifty_commands_are_a_success_and_no_goal(void **state)
{
    (void)state;
    Fixture h;
    house_open(&h, &mint_alfworld, false);
    needs_sandbox();
    const Question *q = &h.questions.all.at[0];
    static const char *const fifty[] = {"<execute>for i in range(50): look()</execute>", NULL};
    static const char *const raising[] = {"<execute>for i in range(50): look()\n1/0</execute>", NULL};
    static const char *const fewer[] = {"<execute>for i in range(49): look()</execute>",
                                        "<execute>print(toggle('desk 1'))</execute>", NULL};
    static const char *const short_of_it[] = {"<execute>for i in range(49): look()</execute>",
                                              "<solution>done</solution>", "<solution>done</solution>", NULL};
    HouseResult r = house_ask(&h, q, fifty);
    assert_true(r.success == 1 && r.goal == 0 && r.commands == 50);
    r = house_ask(&h, q, raising);
    assert_true(r.success == 1 && r.goal == 0);
    r = house_ask(&h, q, fewer);
    assert_true(r.success == 1 && r.goal == 0 && h.script.said == 2);
    r = house_ask(&h, q, short_of_it);
    assert_true(r.success == 0 && r.goal == 0 && r.commands == 49);
    house_close(&h);
}

/* Every recorded episode whose game is here. */
static size_t compare_openings(const char *where, bool feedback, int steps)
{
    Fixture h;
    Str lines = {0};
    size_t compared = 0;
    static const char *const comments[] = {"No.", "No.", NULL};
    char *path = mem_format("%s/mint/replay/%s/decision_making/alfworld/results.jsonl", data_folder(), where);
    house_open(&h, &mint_alfworld, feedback);
    h.settings.steps = steps;
    h.settings.proposals = 2;
    h.comments.lines = comments;
    assert_int_equal(file_read(&lines, path, 0), ST_OK);
    char *rest = NULL, *line = strtok_r(lines.at, "\n", &rest);
    for (; line; line = strtok_r(NULL, "\n", &rest)) {
        json_t *episode = json_loads(line, 0, NULL);
        const json_t *history = json_object_get(json_object_get(episode, "state"), "history");
        Span recorded = doc_text(json_array_get(history, 0), "content");
        Span id = doc_text(json_object_get(episode, "task"), "task_id");
        for (size_t i = 0; i < h.questions.all.n; i++) {
            if (!span_is(id, h.questions.all.at[i].id))
                continue;
            h.comments.said = 0;
            house_ask(&h, &h.questions.all.at[i], quits);
            Span sent = h.script.asked.messages.at[0].content;
            assert_int_equal(sent.n, recorded.n);
            assert_memory_equal(sent.at, recorded.at, sent.n);
            compared++;
        }
        json_decref(episode);
    }
    str_drop(&lines);
    mem_free(path);
    house_close(&h);
    return compared;
}

static void openings_are_the_recorded_ones(void **state)
{
    (void)state;
    if (!data_with("mint/replay/lemur-70b-chat-v1"))
        skip();
    size_t n = compare_openings("lemur-70b-chat-v1/F=None/max5_p2+tool+cd", false, 5);
    n += compare_openings("lemur-70b-chat-v1/F=None/max2_p2+tool+cd", false, 2);
    n += compare_openings("lemur-70b-chat-v1/F=gpt-4-0613/PHF=no_GT-textual/max5_p2+tool+cd", true, 5);
    n += compare_openings("gpt-3.5-turbo-0613/F=None/max5_p2+tool+cd", false, 5);
    printf("%zu openings\n", n);
    assert_true(n >= 4);
}

/* With the right solution given, MINT's second model reads the expert's list. */
static void feedback_may_know_the_list(void **state)
{
    (void)state;
    Fixture h;
    static const char *const comments[] = {"Go on.", "Go on.", NULL};
    house_open(&h, &mint_alfworld, true);
    h.settings.feedback_gold = true;
    h.comments.lines = comments;
    const Question *q = &h.questions.all.at[0];
    house_ask(&h, q, quits);
    Span asked = h.comments.asked.messages.at[0].content, list = span_trim(doc_text(q->doc, "reference"));
    assert_true(list.n > 0 && asked.n > list.n && memmem(asked.at, asked.n, list.at, list.n));
    house_close(&h);
}

/* A scripted expert says the same to the same game, by what it has told. */
static void hints_stand_behind_what_the_game_says(void **state)
{
    (void)state;
    Fixture h;
    Sample s;
    static const char *const lines[] = {"<execute>print(look())</execute>", "<solution>done</solution>",
                                        "<execute>print(goto('nowhere 1'))</execute>", "<solution>done</solution>",
                                        NULL};
    house_open(&h, &mint_alfworld, false);
    needs_sandbox();
    scratch_text("hints.jsonl",
                 "{\"contains\": \"Your task is to\", \"over\": \"answers\", \"repeats\": false, \"hints\": "
                 "[{\"has\": \"Nothing happens\", \"hint\": \"Mind where you are.\"}], \"otherwise\": \"Look for it.\"}");
    assert_int_equal(hints_open(&h.run.models.hints, in_scratch("hints.jsonl")), ST_OK);
    sample_init(&s);
    h.script.lines = lines;
    if (h.benchmark->ask(&h.run, h.state, &h.questions.all.at[0], &s) != ST_OK)
        fail_msg("%s", error_text());
    const json_t *messages = json_object_get(s.transcript, "messages");
    static const char *const ends[] = {"\nExpert feedback:\nLook for it.\n", "propose solution left.\n",
                                       "\nExpert feedback:\nMind where you are.\n"};
    for (size_t i = 0; i < 3; i++) {
        const char *told = json_string_value(json_object_get(json_array_get(messages, 2 * i + 2), "content"));
        if (!span_ends(span(told), ends[i]))
            fail_msg("%s", told);
    }
    assert_true(house_metric(&s, "feedback") == 2);
    sample_drop(&s);
    hints_close(h.run.models.hints);
    house_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(experts_succeed_and_one_call_less_does_not),
        cmocka_unit_test(fifty_commands_are_a_success_and_no_goal),
        cmocka_unit_test(openings_are_the_recorded_ones),
        cmocka_unit_test(feedback_may_know_the_list),
        cmocka_unit_test(hints_stand_behind_what_the_game_says),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
