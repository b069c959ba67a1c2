/* alfworld and alfworld_python: experts win by either representation and those who stop short do not, budgets
 * are the same, and what the model is told is what the game says. */
#include "eval/agents/alfworld.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "eval/agents/household_fixture_test.h"

static void commands_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *command;
    } cases[] = {
        {"> go to desk 1", "go to desk 1"},
        {"I go.\n> go to desk 1\nOn the desk 1, you see nothing.\n> look", "go to desk 1"},
        {"  I go.\r\n\t>open drawer 1  \r\n", "open drawer 1"},
        {"\n look \n", "look"},
        {"> ", ""},
        {">", ""},
        {"", ""},
        {" \n\t\n", ""},
        {"I think that\nI go to desk 1", ""},
        {"3 > 2\nbut not here", ""},
        {"> think: a pen may be here\n", "think: a pen may be here"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!span_is(alfworld_command(span(cases[i].answer)), cases[i].command))
            fail_msg("case %zu: '%s'", i, cases[i].answer);
}

/* A script that is at its end ends the episode. */
static void end_scripts(Fixture *h)
{
    h->script.fails = ST_LIMIT;
    h->script.finish = CHAT_FINISH_CONTEXT;
}

static void check(Fixture *h, const Question *q, const char *const *lines, bool wins, size_t commands)
{
    HouseResult r = house_ask(h, q, lines);
    if (r.success != wins || r.goal != wins || r.kind != (wins ? SAMPLE_FINE : SAMPLE_CONTEXT) ||
        r.commands != (double)commands)
        fail_msg("%s, %s: success %g, goal %g, %g of %zu commands", h->benchmark->name, q->id, r.success,
                 r.goal, r.commands, commands);
}

static void commands_of_experts_win(void **state)
{
    (void)state;
    Fixture h;
    house_open(&h, &alfworld, false);
    end_scripts(&h);
    for (size_t i = 0; i < h.questions.all.n; i++) {
        const Question *q = &h.questions.all.at[i];
        Commands c = expert_commands(q);
        size_t n = c.n;
        array_push(&c, NULL);
        check(&h, q, (const char *const *)c.at, true, n);
        mem_free(c.at[n - 1]);
        c.at[n - 1] = NULL;
        check(&h, q, (const char *const *)c.at, false, n - 1);
        commands_drop(&c);
    }
    printf("%zu games, %lld not here\n", h.questions.all.n, (long long)h.questions.left_out);
    house_close(&h);
}

static void code_of_experts_wins(void **state)
{
    (void)state;
    Fixture h;
    house_open(&h, &alfworld_python, false);
    needs_sandbox();
    end_scripts(&h);
    for (size_t i = 0; i < h.questions.all.n; i += house_stride()) {
        const Question *q = &h.questions.all.at[i];
        Commands c = expert_commands(q);
        char *all = expert_cell(q, c.n), *less = expert_cell(q, c.n - 1);
        check(&h, q, (const char *const[]){all, NULL}, true, c.n);
        check(&h, q, (const char *const[]){less, NULL}, false, c.n - 1);
        mem_free(all);
        mem_free(less);
        commands_drop(&c);
    }
    house_close(&h);
}

static void both_ask_the_same(void **state)
{
    (void)state;
    Fixture text, code;
    house_open(&text, &alfworld, false);
    house_open(&code, &alfworld_python, false);
    assert_int_equal(text.questions.all.n, code.questions.all.n);
    for (size_t i = 0; i < text.questions.all.n; i++) {
        assert_string_equal(text.questions.all.at[i].id, code.questions.all.at[i].id);
        assert_string_equal(text.questions.all.at[i].part, code.questions.all.at[i].part);
    }
    house_close(&text);
    house_close(&code);
}

/* Fifty commands or fifty answers, and no success by that. */
static void budgets_are_the_same(void **state)
{
    (void)state;
    const char *looks[52] = {NULL}, *thinks[52] = {NULL}, *cells[52] = {NULL};
    static const char *const at_once[] = {
        "<execute>\nfor i in range(80): seen = look()\nprint(seen)</execute>", NULL};
    static const char *const twice[] = {"<execute>for i in range(49): look()</execute>",
                                        "<execute>look(); look(); 1/0</execute>", NULL};
    for (int i = 0; i < 51; i++) {
        looks[i] = "> look";
        thinks[i] = "I wonder.\nWhat now?";
        cells[i] = i % 2 ? "<execute>2</execute>" : "<solution>done</solution>";
    }
    Fixture text, code;
    house_open(&text, &alfworld, false);
    needs_sandbox();
    house_open(&code, &alfworld_python, false);
    const Question *q = &text.questions.all.at[0];
    HouseResult r = house_ask(&text, q, looks);
    assert_true(r.success == 0 && r.goal == 0 && r.commands == 50 && r.kind == SAMPLE_BUDGET);
    assert_int_equal(text.script.said, 50);
    r = house_ask(&text, q, thinks);
    assert_true(r.success == 0 && r.commands == 0 && r.kind == SAMPLE_UNREADABLE);
    assert_int_equal(text.script.said, 50);
    r = house_ask(&code, q, at_once);
    assert_true(r.success == 0 && r.goal == 0 && r.commands == 50 && r.kind == SAMPLE_BUDGET);
    r = house_ask(&code, q, twice);
    assert_true(r.success == 0 && r.commands == 50 && r.kind == SAMPLE_TOOL_ERROR);
    r = house_ask(&code, q, cells);
    assert_true(r.success == 0 && r.commands == 0);
    assert_int_equal(code.script.said, 50);
    text.settings.steps = code.settings.steps = 3;
    r = house_ask(&text, q, looks);
    assert_true(r.commands == 3 && text.script.said == 3);
    r = house_ask(&code, q, at_once);
    assert_true(r.commands == 3);
    static const char *const sleeps[] = {"<execute>import time; time.sleep(25)</execute>", NULL};
    code.settings.episode_seconds = 1; /* ends a cell as well */
    double began = clock_now();
    r = house_ask(&code, q, sleeps);
    assert_true(r.success == 0 && r.kind == SAMPLE_TIME && clock_now() - began < 20);
    house_close(&text);
    house_close(&code);
}

static Span message(const Fixture *h, size_t i)
{
    assert_true(i < h->script.asked.messages.n);
    return h->script.asked.messages.at[i].content;
}

/* An answer may take what is left of its episode, and no more. */
static void an_episodes_budgets_bound_its_answers(void **state)
{
    (void)state;
    Fixture h;
    house_open(&h, &alfworld, false);
    h.settings.episode_tokens = 25; /* the script's answers are of ten */
    h.settings.episode_seconds = 1000;
    static const char *const looks[] = {"> look", "> look", "> look", "> look", NULL};
    house_ask(&h, &h.questions.all.at[0], looks);
    assert_int_equal(h.script.said, 3);
    assert_int_equal(h.script.call.max_tokens, 5);
    assert_true(h.script.call.deadline_s > 0 && h.script.call.deadline_s <= 1000);
    house_close(&h);
}

static void the_model_is_told_what_the_game_says(void **state)
{
    (void)state;
    static const char *const lines[] = {"I look.\n> look\nThere is a pen.",
                                        "Well,\nnothing.",
                                        "> think: hm",
                                        "> go to the moon",
                                        "> look",
                                        NULL};
    static const char *const cells[] = {"<execute>print(look()); print(goto('the moon')); x = 6</execute>",
                                        "nothing", "<execute>x * 7</execute>", "<execute>0</execute>", NULL};
    Fixture h;
    Household *game;
    Str house = {0};
    house_open(&h, &alfworld, false);
    const Question *q = &h.questions.all.at[0];
    assert_int_equal(household_task_open(&game, &h.run, q), ST_OK);
    Span room = household_room(game), task = household_task(game);
    str_addf(&house, "\n\n%.*s\n%.*s", (int)room.n, room.at, (int)task.n, task.at);
    h.settings.steps = 5;
    house_ask(&h, q, lines);
    assert_true(span_ends(message(&h, 0), str_c(&house)));
    assert_true(memmem(message(&h, 0).at, message(&h, 0).n, "within 5 commands", 17));
    assert_true(span_is(message(&h, 1), "I look.\n> look"));
    assert_true(span_starts(message(&h, 2), "You are in the middle of a room."));
    assert_true(span_starts(message(&h, 4), "There is no command in this."));
    assert_true(span_is(message(&h, 6), "OK."));
    assert_true(span_is(message(&h, 8), "Nothing happens."));
    house_close(&h);
    needs_sandbox();
    house_open(&h, &alfworld_python, false);
    h.settings.steps = 4;
    house_ask(&h, q = &h.questions.all.at[0], cells);
    assert_true(span_ends(message(&h, 0), str_c(&house)));
    assert_true(memmem(message(&h, 0).at, message(&h, 0).n, "between <execute> and </execute>", 32));
    assert_true(span_starts(message(&h, 2), "You are in the middle of a room."));
    assert_true(span_ends(message(&h, 2), "\nNothing happens."));
    assert_true(
        span_is(message(&h, 4), "There is no code in this. Write it between <execute> and </execute>."));
    assert_true(span_is(message(&h, 6), "Out[2]: 42"));
    h.settings.actions = ACTION_FENCES;
    house_ask(&h, q, cells);
    assert_true(memmem(message(&h, 0).at, message(&h, 0).n, "between ```python and ```.", 26));
    house_close(&h);
    household_close(game);
    str_drop(&house);
}

/* By either, in the same words, without "You arrive at loc 7. ". */
static void observations_have_no_location(void **state)
{
    (void)state;
    Fixture text, code;
    house_open(&text, &alfworld, false);
    needs_sandbox();
    house_open(&code, &alfworld_python, false);
    text.settings.steps = code.settings.steps = 2;
    const Question *q = &text.questions.all.at[0];
    Commands c = expert_commands(q);
    char *cell = expert_cell(q, 1);
    house_ask(&text, q, (const char *const[]){c.at[0], "> look", NULL});
    house_ask(&code, q, (const char *const[]){cell, "<execute>look()</execute>", NULL});
    Span said = message(&text, 2);
    assert_true(span_starts(span(c.at[0]), "> go to ") && said.n > 0);
    assert_false(span_starts(said, "You arrive"));
    assert_false(span_is(said, "Nothing happens."));
    assert_int_equal(said.n, message(&code, 2).n);
    assert_memory_equal(said.at, message(&code, 2).at, said.n);
    mem_free(cell);
    commands_drop(&c);
    house_close(&text);
    house_close(&code);
}

static void admissible_commands_are_told_where_they_are_wanted(void **state)
{
    (void)state;
    static const char *const lines[] = {"> look", "> go to nowhere", "> look", NULL};
    static const char told[] = "\nCommands that do something here: go to ";
    Fixture h;
    house_open(&h, &alfworld, false);
    h.settings.admissible = true;
    h.settings.steps = 3;
    house_ask(&h, &h.questions.all.at[0], lines);
    for (size_t i = 0; i < 5; i += 2)
        assert_true(memmem(message(&h, i).at, message(&h, i).n, told, sizeof told - 1) &&
                    memmem(message(&h, i).at, message(&h, i).n, ", look", 6));
    house_close(&h);
}

static const char *command_of(const Sample *s, size_t step, size_t i, const char *key)
{
    const json_t *steps = json_object_get(s->transcript, "steps"),
                 *commands = json_object_get(json_array_get(steps, step), "commands");
    return json_string_value(json_object_get(json_array_get(commands, i), key));
}

/* Each command is kept with what the game said, also where the model is not told it. */
static void transcripts_hold_the_commands(void **state)
{
    (void)state;
    static const char *const lines[] = {"> look", "no\ncommand", "> go to nowhere", NULL};
    static const char *const cells[] = {"<execute>for i in range(2): look()</execute>",
                                        "<execute>goto(\"nowhere\")\n1/0</execute>", NULL};
    Fixture text, code;
    Sample s;
    house_open(&text, &alfworld, false);
    needs_sandbox();
    house_open(&code, &alfworld_python, false);
    text.settings.steps = code.settings.steps = 3;
    text.settings.no_observations = true;
    const Question *q = &text.questions.all.at[0];
    sample_init(&s);
    text.script.lines = lines;
    assert_int_equal(alfworld.ask(&text.run, text.state, q, &s), ST_OK);
    assert_true(span_is(message(&text, 2), "What came of it is not shown. The task is not solved yet."));
    assert_true(span_is(message(&text, 4), "What came of it is not shown. The task is not solved yet."));
    assert_string_equal(command_of(&s, 0, 0, "command"), "look");
    assert_true(span_starts(span(command_of(&s, 0, 0, "heard")), "You are in the middle of a room."));
    assert_null(command_of(&s, 1, 0, "command"));
    assert_string_equal(command_of(&s, 2, 0, "heard"), "Nothing happens.");
    sample_drop(&s);
    sample_init(&s);
    code.script.lines = cells;
    assert_int_equal(alfworld_python.ask(&code.run, code.state, q, &s), ST_OK);
    assert_string_equal(command_of(&s, 0, 1, "command"), "look");
    assert_null(command_of(&s, 0, 2, "command"));
    assert_string_equal(command_of(&s, 1, 0, "command"), "go to nowhere");
    sample_drop(&s);
    house_close(&text);
    house_close(&code);
}

/* A prompt in the data folder stands in for ours. */
static void prompts_can_be_replaced(void **state)
{
    (void)state;
    const EvalSettings settings = eval_settings();
    const EvalRun run = {.data = scratch, .settings = &settings};
    Questions q = {0};
    void *world = NULL;
    char sum[2][65];
    scratch_text(HOUSEHOLD_GAMES "/pick_and_place-A/t1/game.tw-pddl", "{}");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(alfworld.open(&run, &q, &world), ST_OK);
        snprintf(sum[i], sizeof sum[i], "%s", doc_text(q.facts, ALFWORLD_COMMANDS).at);
        alfworld.close(world);
        questions_drop(&q);
        scratch_text(ALFWORLD_COMMANDS, "{task}\n---\nA command, please.\n");
    }
    assert_string_not_equal(sum[0], sum[1]);
    scratch_text(ALFWORLD_COMMANDS, "{task}\nno second part");
    assert_int_equal(alfworld.open(&run, &q, &world), ST_FORMAT);
    expect_words("no line \"---\"");
    questions_drop(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_found),
        cmocka_unit_test(commands_of_experts_win),
        cmocka_unit_test(code_of_experts_wins),
        cmocka_unit_test(both_ask_the_same),
        cmocka_unit_test(budgets_are_the_same),
        cmocka_unit_test(an_episodes_budgets_bound_its_answers),
        cmocka_unit_test(the_model_is_told_what_the_game_says),
        cmocka_unit_test(observations_have_no_location),
        cmocka_unit_test(admissible_commands_are_told_where_they_are_wanted),
        cmocka_unit_test(transcripts_hold_the_commands),
        cmocka_unit_test(prompts_can_be_replaced),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
