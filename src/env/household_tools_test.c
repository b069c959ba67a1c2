/* MINT's eleven functions: what they return, when an episode has succeeded, and through a session. */
#include "env/household_tools.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env/household_tiny_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h> /* needs those above */
/* clang-format on */

static Household *open_house(void)
{
    char *go = tiny_with(tiny_grammar, "You are at {to.name or to.id}. ", "You arrive at loc {to.name}. ");
    char *put = tiny_with(go, "put {o} in {r}", "put {o} in/on {r}");
    char *game = tiny_game(tiny_domain, tiny_problem, put);
    Household *h = NULL;
    if (household_read(&h, span(game)) != ST_OK)
        fail_msg("%s", error_text());
    free(game);
    free(put);
    free(go);
    return h;
}

static const char *called(HouseholdPlay *p, Str *answer, const char *name, const char *a, const char *b)
{
    const PythonTool *tools = household_play_tools(p);
    for (int i = 0; i < HOUSEHOLD_TOOLS; i++) {
        if (strcmp(tools[i].name, name))
            continue;
        json_t *arguments =
            json_pack("{s:s*, s:s*, s:s*}", strstr(tools[i].parameters, "object") ? "object" : "x",
                      strstr(tools[i].parameters, "object") ? a : NULL, "receptacle", b ? b : a,
                      "object_or_receptacle", a);
        str_clear(answer);
        assert_int_equal(tools[i].call(tools[i].context, arguments, answer), ST_OK);
        json_decref(arguments);
        return str_c(answer);
    }
    fail_msg("no tool %s", name);
    return NULL;
}

static void tools_are_commands(void **state)
{
    (void)state;
    Household *h = open_house();
    HouseholdPlay *p = household_play_new();
    Str said = {0};
    household_play_begin(p, h);
    assert_string_equal(called(p, &said, "take_from", "ball 1", "table 1"), "Taken.");
    assert_string_equal(called(p, &said, "goto", "box 1", NULL), "Closed.");
    assert_string_equal(called(p, &said, "toggle", "box 1", NULL), "Nothing happens.");
    assert_string_equal(called(p, &said, "open_receptacle", "box 1", NULL), "Open: nothing.");
    assert_string_equal(called(p, &said, "put", "ball 1", "box 1"), "Put.");
    assert_string_equal(called(p, &said, "look", NULL, NULL), "Nothing happens."); /* not in this house */
    assert_false(household_play_succeeded(p));
    for (int i = 0; i < HOUSEHOLD_STEPS; i++)
        called(p, &said, "use", "box 1", NULL);
    assert_true(household_play_succeeded(p)); /* the 50th command, though the goal does not hold */
    assert_false(household_play_state(p)->won);
    household_play_begin(p, h);
    assert_false(household_play_succeeded(p));
    household_play_free(p);
    household_close(h);
    str_drop(&said);
}

/* What was done since it was asked last, as long as it counted. */
static void commands_are_kept(void **state)
{
    (void)state;
    Household *h = open_house();
    HouseholdPlay *p = household_play_new();
    Str said = {0};
    household_play_begin(p, h);
    household_play_limit(p, 3);
    called(p, &said, "goto", "box 1", NULL);
    called(p, &said, "use", "box 1", NULL);
    json_t *done = household_play_take(p);
    assert_int_equal(json_array_size(done), 2);
    const json_t *first = json_array_get(done, 0);
    assert_string_equal(json_string_value(json_object_get(first, "command")), "go to box 1");
    assert_string_equal(json_string_value(json_object_get(first, "heard")), "Closed.");
    json_decref(done);
    assert_int_equal(household_play_step(p, "open \xff"), ST_OK);
    assert_int_equal(household_play_step(p, "open box 1"), ST_OK); /* the third was the last */
    done = household_play_take(p);
    assert_int_equal(json_array_size(done), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(done, 0), "command")),
                        "open \xef\xbf\xbd");
    json_decref(done);
    called(p, &said, "look", NULL, NULL);
    household_play_begin(p, h);
    done = household_play_take(p);
    assert_int_equal(json_array_size(done), 0);
    json_decref(done);
    household_play_free(p);
    household_close(h);
    str_drop(&said);
}

static void question_has_no_banner(void **state)
{
    (void)state;
    Household *h = open_house();
    Str q = {0};
    household_question(&q, h);
    assert_true(span_ends(str_span(&q), "\nThere is a box 1, and a table 1.\nYour task is to: tidy up."));
    assert_null(strstr(str_c(&q), "Hello."));
    str_drop(&q);
    household_close(h);
}

static void cells_play(void **state)
{
    (void)state;
    Household *h = open_house();
    HouseholdPlay *p = household_play_new();
    PythonSpec spec = {.tools = household_play_tools(p), .tools_n = HOUSEHOLD_TOOLS};
    Python *python;
    PythonCell cell;
    household_play_begin(p, h);
    if (python_start(&python, &spec) != ST_OK) {
        printf("SKIP %s\n", error_text());
        household_play_free(p);
        household_close(h);
        skip();
    }
    const char *code =
        "for b in ('ball 1', 'ball 2'):\n"
        "    print(take_from(b, 'table 1'), goto('box 1'), open_receptacle(receptacle='box 1'))\n"
        "    print(put(b, 'box 1'), goto('table 1'), goto(None))";
    assert_int_equal(python_run(python, &cell, span(code)), ST_OK);
    assert_string_equal(str_c(&cell.text), "Taken. Closed. Open: nothing.\n"
                                           "Put. On it: ball 2, and missing ball 1. Nothing happens.\n"
                                           "Taken. Open: ball 1. Nothing happens.\nPut. Put. Put.");
    assert_true(household_play_succeeded(p) && household_play_state(p)->won);
    python_cell_drop(&cell);
    python_close(python);
    household_play_free(p);
    household_close(h);
}

static void commands_are_calls(void **state)
{
    (void)state;
    static const struct {
        const char *command, *call;
    } cases[] = {{"go to fridge 1", "goto(\"fridge 1\")"},
                 {"take mug 1 from shelf 2", "take_from(\"mug 1\", \"shelf 2\")"},
                 {"put mug 1 in/on shelf 2", "put(\"mug 1\", \"shelf 2\")"},
                 {"heat mug 1 with microwave 1", "heat(\"mug 1\", \"microwave 1\")"},
                 {"open safe 1", "open_receptacle(\"safe 1\")"},
                 {"use desklamp 1", "use(\"desklamp 1\")"},
                 {"look", "look()"},
                 {"look up", NULL},
                 {"inventory", NULL},
                 {"take mug 1", NULL},
                 {"slice apple 1 with knife 1", NULL},
                 {"", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Str call = {0};
        assert_int_equal(household_call(&call, cases[i].command), cases[i].call != NULL);
        assert_string_equal(str_c(&call), cases[i].call ? cases[i].call : "");
        str_drop(&call);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {cmocka_unit_test(tools_are_commands),
                                       cmocka_unit_test(commands_are_kept),
                                       cmocka_unit_test(question_has_no_banner), cmocka_unit_test(cells_play),
                                       cmocka_unit_test(commands_are_calls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
