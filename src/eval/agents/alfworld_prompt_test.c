/* What the prompts' example says is what a house says: the example is played, by command and by code, in a
 * house of our own with the rules and words of a published game. */
#include <stdlib.h>
#include <string.h>

#include "agent/action.h"
#include "base/json_file.h"
#include "env/household_tools.h"
#include "eval/agents/alfworld.h"
#include "eval/agents/household_fixture_test.h"

static const char *const places[][2] = {
    {"Cabinet_bar_1", "Cabinet"},         {"CounterTop_bar_1", "CounterTop"},
    {"DiningTable_bar_1", "DiningTable"}, {"Drawer_bar_1", "Drawer"},
    {"Drawer_bar_2", "Drawer"},           {"Sink_bar_1_bar_SinkBasin", "SinkBasin"}};
static const struct {
    const char *id, *type;
    int place;
} things[] = {{"Fork_bar_1", "Fork", 1},
              {"Fork_bar_2", "Fork", 1},
              {"Knife_bar_1", "Knife", 1},
              {"Bowl_bar_1", "Bowl", 2},
              {"SaltShaker_bar_1", "SaltShaker", 2}};

/* Fork in a drawer, clean; the agent stands at no place. */
static void add_problem(Str *out)
{
    str_adds(out,
             "(define (problem example) (:domain alfred) (:objects agent1 - agent loc_bar_0 - location"
             " CabinetType CounterTopType DiningTableType DrawerType SinkBasinType SinkType MicrowaveType"
             " FridgeType - rtype ForkType KnifeType BowlType SaltShakerType ButterKnifeType - otype");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        str_addf(out, " %s - receptacle loc_bar_%zu - location", places[i][0], i + 1);
    for (size_t i = 0; i < sizeof things / sizeof *things; i++)
        str_addf(out, " %s - object", things[i].id);
    str_adds(out, ") (:init (= (total-cost) 0) (atLocation agent1 loc_bar_0) (canContain DrawerType ForkType)"
                  " (openable Cabinet_bar_1) (openable Drawer_bar_1) (openable Drawer_bar_2)");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        str_addf(out, " (receptacleType %s %sType) (receptacleAtLocation %s loc_bar_%zu)", places[i][0],
                 places[i][1], places[i][0], i + 1);
    for (size_t i = 0; i < sizeof things / sizeof *things; i++)
        str_addf(out,
                 " (objectType %s %sType) (pickupable %s) (cleanable %s) (inReceptacle %s %s)"
                 " (objectAtLocation %s loc_bar_%d)",
                 things[i].id, things[i].type, things[i].id, things[i].id, things[i].id,
                 places[things[i].place][0], things[i].id, things[i].place + 1);
    str_adds(out,
             ") (:goal (exists (?r - receptacle) (exists (?o - object) (and (cleanable ?o) (objectType ?o"
             " ForkType) (receptacleType ?r DrawerType) (isClean ?o) (inReceptacle ?o ?r))))))");
}

/* The house, in the words of the first published game whose task has those of the example. */
static Household *open_example(void)
{
    static const char task[] = "clean some ";
    Fixture h;
    Household *out = NULL;
    Str problem = {0};
    house_open(&h, &alfworld, false);
    add_problem(&problem);
    for (size_t i = 0; i < h.questions.all.n && !out; i++) {
        json_t *game;
        char *path =
            mem_format("%s/" HOUSEHOLD_GAMES "/%s/game.tw-pddl", data_folder(), h.questions.all.at[i].id);
        assert_int_equal(json_file_read(&game, path), ST_OK);
        const char *grammar = json_string_value(json_object_get(game, "grammar")),
                   *at = strstr(grammar, task);
        if (at) {
            char *words = mem_format("%.*sclean some fork and put it in drawer%s", (int)(at - grammar),
                                     grammar, strchr(at, '.'));
            json_object_set_new(game, "grammar", json_string(words));
            json_object_set_new(game, "pddl_problem", json_string(str_c(&problem)));
            char *bytes = json_dumps(game, 0);
            if (household_read(&out, span(bytes)) != ST_OK)
                fail_msg("%s", error_text());
            free(bytes);
            mem_free(words);
        }
        json_decref(game);
        mem_free(path);
    }
    house_close(&h);
    str_drop(&problem);
    if (!out) {
        printf("SKIP no game here has a task of these words\n");
        skip();
    }
    return out;
}

/* What stands between the blank lines of an example, in order; views. */
typedef struct {
    Span at[64];
    size_t n;
} Blocks;

static Blocks blocks_of(Span prompt)
{
    static const char begin[] = "An example, in another household:\n\n", end[] = "\n\nThe example ends here.";
    Blocks out = {.n = 0};
    const char *at = memmem(prompt.at, prompt.n, begin, strlen(begin)),
               *stop = memmem(prompt.at, prompt.n, end, strlen(end));
    assert_true(at && stop);
    for (at += strlen(begin); at < stop; at += 2) {
        const char *next = memmem(at, (size_t)(stop - at), "\n\n", 2);
        next = next ? next : stop;
        assert_true(out.n < 64);
        out.at[out.n++] = (Span){at, (size_t)(next - at)};
        at = next;
    }
    return out;
}

static Str prompt_of(const Benchmark *b)
{
    static const char *const quits[] = {"", NULL};
    Fixture h;
    Str out = {0};
    house_open(&h, b, false);
    h.settings.steps = 1;
    house_ask(&h, &h.questions.all.at[0], quits);
    Span said = h.script.asked.messages.at[0].content;
    str_add(&out, said.at, said.n);
    house_close(&h);
    return out;
}

static void expect_block(Span block, Span said)
{
    if (block.n != said.n || memcmp(block.at, said.at, said.n) != 0)
        fail_msg("the example has '%.*s', the house '%.*s'", (int)block.n, block.at, (int)said.n, said.at);
}

static void expect_opening(const Blocks *b, const Household *game)
{
    Str opening = {0};
    Span room = household_room(game), task = household_task(game);
    str_addf(&opening, "%.*s\n%.*s", (int)room.n, room.at, (int)task.n, task.at);
    assert_true(b->n > 2 && b->n % 2 == 1);
    expect_block(b->at[0], str_span(&opening));
    str_drop(&opening);
}

static void commands_of_the_example_win(void **state)
{
    (void)state;
    Household *game = open_example();
    Str prompt = prompt_of(&alfworld);
    Blocks b = blocks_of(str_span(&prompt));
    HouseholdState *s = household_reset(game);
    expect_opening(&b, game);
    for (size_t i = 1; i < b.n; i += 2) {
        Span command = alfworld_command(b.at[i]);
        char *text = mem_strn(command.at, command.n);
        assert_false(s->won);
        assert_int_equal(household_step(game, s, text), ST_OK);
        expect_block(b.at[i + 1], household_heard(s));
        mem_free(text);
    }
    assert_true(s->won);
    household_state_free(s);
    household_close(game);
    str_drop(&prompt);
}

static void code_of_the_example_wins(void **state)
{
    (void)state;
    needs_sandbox();
    Household *game = open_example();
    Str prompt = prompt_of(&alfworld_python);
    Blocks b = blocks_of(str_span(&prompt));
    HouseholdPlay *p = household_play_new();
    household_play_begin(p, game);
    PythonSpec spec = {.tools = household_play_tools(p), .tools_n = HOUSEHOLD_TOOLS};
    Python *python = NULL;
    Action action = {0};
    expect_opening(&b, game);
    assert_int_equal(python_ready(&python, &spec), ST_OK);
    for (size_t i = 1; i < b.n; i += 2) {
        PythonCell cell;
        action_find(&action, ACTION_TAGS, b.at[i]);
        assert_true(!action.unreadable && !household_play_state(p)->won);
        assert_int_equal(python_run(python, &cell, str_span(&action.text)), ST_OK);
        expect_block(b.at[i + 1], str_span(&cell.text));
        python_cell_drop(&cell);
    }
    assert_true(household_play_state(p)->won);
    python_close(python);
    household_play_free(p);
    household_close(game);
    action_drop(&action);
    str_drop(&prompt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_of_the_example_win),
        cmocka_unit_test(code_of_the_example_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
