/* Episodes made by hand, counted by hand; and a generated game, played again. */
#include "study/explore.h"

#include <math.h>

#include "base/scratch_test.h"
#include "env/household_expert.h"
#include "env/household_make_games.h"
#include "study/report_parts.h"

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

typedef struct {
    const char *action, *heard;
} Line;

#define MUG "pick_heat_then_place_in_recep-Mug-None-Shelf-10/trial_1"
#define ROOM                                                                                         \
    "You are in the middle of a room. Looking quickly around you, you see a cabinet 1, a desk 1, a " \
    "microwave "                                                                                     \
    "1, and a shelf 1.\nYour task is to: put a hot mug in shelf."
/* An example in another room stands in front. */
#define OPENING "You are in the middle of a room. There, you see a fork 1.\n\n" ROOM

/* The way to a hot mug, with turnings. */
static const Line mug[] = {
    {"go to cabinet 1", "The cabinet 1 is closed."},
    {"open cabinet 1", "You open the cabinet 1. The cabinet 1 is open. In it, you see nothing."},
    {"take fork 1 from cabinet 1", "Nothing happens."},                     /* in the example alone: unseen */
    {"go to desk 1", "On the desk 1, you see a mug 1, and a pen 1."},       /* now all is known */
    {"go to cabinet 1", "The cabinet 1 is open. In it, you see nothing."},  /* needless */
    {"look", "You are facing the cabinet 1. Next to it, you see nothing."}, /* needless */
    {"look", "You are facing the cabinet 1. Next to it, you see nothing."}, /* needless, repeated */
    {"go to desk 1", "On the desk 1, you see a mug 1, and a pen 1."},       /* on the way; repeated */
    {"take mug 1 from desk 1", "You pick up the mug 1 from the desk 1."},
    {"go to microwave 1", "The microwave 1 is closed."},
    {"heat mug 1 with microwave 1", "You heat the mug 1 using the microwave 1."},
    {"go to shelf 1", "On the shelf 1, you see nothing."},
    {"put mug 1 in/on shelf 1", ""},
};
enum { MUG_ACTS = sizeof mug / sizeof *mug };

static json_t *message(const char *role, const char *content)
{
    return json_pack("{s:s, s:s}", "role", role, "content", content);
}

/* An answer an action; what the last led to is not told. */
static json_t *dialogue(const char *task, const char *opening, const char *form, const Line *lines, size_t n,
                        const char *errors)
{
    json_t *messages = json_array(), *steps = json_array();
    json_array_append_new(messages, message("user", opening));
    for (size_t i = 0; i < n; i++) {
        const char *hole = strstr(form, "@");
        char *text = mem_format("%.*s%s%s", (int)(hole - form), form, lines[i].action, hole + 1);
        json_array_append_new(messages, message("assistant", text));
        if (i + 1 < n)
            json_array_append_new(messages, message("user", lines[i].heard));
        json_array_append_new(steps,
                              json_pack("{s:s, s:b}", "action", "code", "error", errors && errors[i] == 'e'));
        mem_free(text);
    }
    return json_pack("{s:s, s:b, s:o, s:o}", "task", task, "success", 1, "messages", messages, "steps",
                     steps);
}

/* Cells of so many commands each, as the transcript keeps them. */
static json_t *cells(const char *task, const Line *lines, size_t n, size_t each, bool success)
{
    json_t *steps = json_array(), *commands = NULL;
    for (size_t i = 0; i < n; i++) {
        if (i % each == 0) {
            commands = json_array();
            json_array_append_new(
                steps, json_pack("{s:s, s:b, s:o}", "action", "code", "error", 0, "commands", commands));
        }
        json_array_append_new(commands,
                              json_pack("{s:s, s:s}", "command", lines[i].action, "heard", lines[i].heard));
    }
    return json_pack("{s:s, s:b, s:[o], s:o}", "task", task, "success", success, "messages",
                     message("user", OPENING), "steps", steps);
}

static void measure(double *out, const char *benchmark, json_t *transcript, int64_t budget)
{
    ExploreTrace t;
    must(explore_trace(&t, benchmark, transcript, NULL));
    explore_measure(out, &t, budget);
    explore_trace_drop(&t);
    json_decref(transcript);
}

static void expect(const double *is, ExploreMeasure measure, double want)
{
    if (isnan(want) != isnan(is[measure]) || (!isnan(want) && fabs(is[measure] - want) > 1e-9))
        fail_msg("%s is %g, not %g", explore_measures[measure].name, is[measure], want);
}

static void expect_mug(const double *m)
{
    expect(m, EXPLORE_SUCCESS, 1);
    expect(m, EXPLORE_ACTIONS, 13);
    expect(m, EXPLORE_STATES, 9);
    expect(m, EXPLORE_REPEATED, 2.0 / 13);
    expect(m, EXPLORE_FAILED, 1.0 / 13);
    expect(m, EXPLORE_LOOKS, 9.0 / 13);
    expect(m, EXPLORE_LOOKS_FIRST, 7.0 / 50);
    expect(m, EXPLORE_UNSEEN, 1.0 / 13);
    expect(m, EXPLORE_NEEDLESS, 3.0 / 13);
    expect(m, EXPLORE_UNUSED, 0);
    expect(m, EXPLORE_DELAY, 5);
}

static void a_household_is_measured_alike_in_both_ways(void **state)
{
    (void)state;
    double m[EXPLORE_MEASURES];
    measure(m, "alfworld", dialogue(MUG, OPENING, "I think.\n> @", mug, MUG_ACTS, NULL), 50);
    expect_mug(m);
    expect(m, EXPLORE_ANSWERS, 13);
    expect(m, EXPLORE_OBSERVATIONS, 10);
    measure(m, "alfworld_python", cells(MUG, mug, MUG_ACTS, 5, true), 50);
    expect_mug(m);
    expect(m, EXPLORE_ANSWERS, 3);
}

static void what_was_seen_may_stay_unused(void **state)
{
    (void)state;
    static const Line lamp[] = {{"go to desk 1", "On the desk 1, you see a bowl 1."},
                                {"take bowl 1 from desk 1", "You pick up the bowl 1 from the desk 1."},
                                {"go to shelf 1", "On the shelf 1, you see a desklamp 2."},
                                {"look", "You are facing the shelf 1."}, /* all is known: needless */
                                {"use desklamp 2", "You turn on the desklamp 2."}};
    double m[EXPLORE_MEASURES];
    measure(m, "alfworld", dialogue(MUG, OPENING, "> @", mug, 8, NULL), 50); /* the mug is never taken */
    expect(m, EXPLORE_UNUSED, 1);
    expect(m, EXPLORE_DELAY, NAN);
    measure(m, "alfworld", dialogue(MUG, OPENING, "> @", mug, 3, NULL), 50); /* nor seen */
    expect(m, EXPLORE_UNUSED, NAN);
    expect(m, EXPLORE_NEEDLESS, 0);
    measure(m, "alfworld",
            dialogue("look_at_obj_in_light-Bowl-None-DeskLamp-1/t", OPENING, "> @", lamp, 5, NULL), 10);
    expect(m, EXPLORE_LOOKS_FIRST, 0.1);
    expect(m, EXPLORE_NEEDLESS, 1.0 / 5);
    expect(m, EXPLORE_UNSEEN, 0);
    expect(m, EXPLORE_DELAY, 1);
    measure(m, "alfworld", dialogue("of another kind", OPENING, "> @", lamp, 5, NULL), 10);
    expect(m, EXPLORE_UNUSED, NAN);
    expect(m, EXPLORE_LOOKS, 3.0 / 5);
    measure(m, "alfworld", dialogue(MUG, OPENING, "> @", NULL, 0, NULL), 50);
    expect(m, EXPLORE_ACTIONS, 0);
    expect(m, EXPLORE_REPEATED, NAN);
}

static void two_are_needed_where_two_are_asked(void **state)
{
    (void)state;
    static const Line two[] = {
        {"go to desk 1", "On the desk 1, you see a mug 1."},
        {"go to cabinet 1", "On the cabinet 1, you see a mug 2."},
        {"go to cabinet 1", "Nothing happens."}, /* a mug is there: on the way, but failed */
        {"examine shelf 1", "Nothing happens."}};
    double m[EXPLORE_MEASURES];
    measure(m, "alfworld",
            dialogue("pick_two_obj_and_place-Mug-None-Shelf-1/t", OPENING, "> @", two, 4, NULL), 50);
    expect(m, EXPLORE_NEEDLESS, 0.25);
    expect(m, EXPLORE_UNUSED, 1);
}

static void queries_and_command_lines(void **state)
{
    (void)state;
    static const Line sql[] = {{"SHOW TABLES", "t"},
                               {"select *  from t limit 5;", "[(1,)]"},
                               {"SELECT x FROM t", "no such column: x"},
                               {"SELECT name FROM t WHERE a = 1", "[]"},
                               {"SELECT * FROM t", "[(1,)]"},
                               {"SELECT name\n FROM t WHERE a = 1", ""}};
    static const Line shell[] = {{"ls -l | head", "a.txt"},
                                 {"cd docs", ""},
                                 {"cat a.txt > b.txt", ""},
                                 {"ls -l | head", "b.txt"},
                                 {"rm x 2>&1", "rm: No such file or directory"},
                                 {"find . -name x -delete", ""}};
    double m[EXPLORE_MEASURES];
    measure(m, "ic_sql", dialogue("1", "Query", "```sql\n@\n```", sql, 6, "..e..."), 10);
    expect(m, EXPLORE_STATES, 1);
    expect(m, EXPLORE_OBSERVATIONS, 4);
    expect(m, EXPLORE_REPEATED, 1.0 / 6);
    expect(m, EXPLORE_FAILED, 1.0 / 6);
    expect(m, EXPLORE_LOOKS, 3.0 / 6);
    expect(m, EXPLORE_LOOKS_FIRST, 2.0 / 10);
    expect(m, EXPLORE_UNSEEN, 1.0 / 6);
    expect(m, EXPLORE_NEEDLESS, NAN);
    measure(m, "ic_bash", dialogue("1", "Query", "@", shell, 6, "....e."), 10);
    expect(m, EXPLORE_STATES, 4);
    expect(m, EXPLORE_REPEATED, 0);
    expect(m, EXPLORE_LOOKS, 3.0 / 6);
    expect(m, EXPLORE_LOOKS_FIRST, 2.0 / 10);
    expect(m, EXPLORE_UNSEEN, 1.0 / 6);
}

/* Answers without an action, thoughts, and lists of what can be done are no actions. */
static void only_actions_count(void **state)
{
    (void)state;
    json_t *transcript = json_loads(
        "{\"task\": \"x\", \"success\": false, \"messages\": [{\"role\": \"user\", \"content\": \"go\"},"
        "{\"role\": \"assistant\", \"content\": \"well\\nwhat\"}, {\"role\": \"user\", \"content\": \"no "
        "command\"},"
        "{\"role\": \"assistant\", \"content\": \"> think: hm\"}, {\"role\": \"user\", \"content\": \"OK.\"},"
        "{\"role\": \"assistant\", \"content\": \"> look\"}, {\"role\": \"user\", \"content\": \"A "
        "room.\\nCommands that "
        "do something here: look\"}], \"steps\": [{\"action\": \"none\"}, {\"action\": \"code\"}, "
        "{\"action\": \"code\"}]}",
        0, NULL);
    ExploreTrace t;
    must(explore_trace(&t, "alfworld", transcript, NULL));
    assert_int_equal(t.acts.n, 1);
    assert_string_equal(t.acts.at[0].action, "look");
    assert_string_equal(t.acts.at[0].heard, "A room.");
    assert_int_equal(t.answers, 3);
    explore_trace_drop(&t);
    json_decref(transcript);
    assert_int_equal(explore_world("mint_gsm8k"), EXPLORE_NONE);
    transcript = json_loads(
        "{\"task\": \"x\", \"success\": false, \"messages\": [{\"role\": \"assistant\", \"content\": "
        "\"go\"}], \"steps\": [{\"action\": \"none\"}]}",
        0, NULL);
    must(explore_trace(&t, "alfworld_python", transcript, NULL)); /* no code, no commands */
    assert_true(t.acts.n == 0 && t.answers == 1);
    explore_trace_drop(&t);
    json_decref(transcript);
}

/* A generated game's. ------------------------------------------------------------------------------------ */

static Status keep_id(void *context, const HouseholdMade *made, const char *id)
{
    (void)made;
    snprintf(context, 200, "%s", id);
    return ST_OK;
}

/* The expert's commands as lines, with what the game says; `look` twice in front. */
static size_t play(Line *lines, size_t most, const char *id)
{
    char *path = mem_format("%s/%s/game.tw-pddl", in_scratch("games"), id);
    Household *game;
    HouseholdPlan plan = {0};
    size_t n = 0;
    must(household_open(&game, path));
    HouseholdState *s = household_reset(game);
    must(household_plan(game, s, &plan));
    for (size_t i = 0; i < plan.n + 2; i++) {
        const char *command = i < 2 ? "look" : plan.at[i - 2];
        must(household_step(game, s, command));
        assert_true(n < most);
        const char *said = str_c(&s->observation), *stop = strstr(said, ". ");
        lines[n++] = (Line){mem_str(command),
                            mem_str(span_starts(span(said), "You arrive at loc ") ? stop + 2 : said)};
    }
    assert_true(s->won);
    household_state_free(s);
    household_close(game);
    array_drop(&plan);
    mem_free(path);
    return n;
}

static void games_are_played_again(void **state)
{
    (void)state;
    char id[200];
    Line lines[60];
    HouseholdMadeGames made;
    ExploreTrace t;
    double m[EXPLORE_MEASURES];
    must(household_make_games(&made, &(HouseholdMakeGames){.folder = in_scratch("games"),
                                                           .games = 1,
                                                           .seed = 3,
                                                           .task = HOUSEHOLD_HEAT,
                                                           .each = keep_id,
                                                           .context = id}));
    size_t n = play(lines, 60, id);
    json_t *transcript = dialogue(id, OPENING, "> @", lines, n, NULL);
    must(explore_trace(&t, "alfworld", transcript, in_scratch("games")));
    assert_true(t.exact);
    assert_string_equal(t.acts.at[0].state, t.acts.at[2].state); /* looking changes nothing */
    explore_measure(m, &t, 50);
    expect(m, EXPLORE_STATES,
           (double)n - 1); /* each command but the two looks leads to a new one, and the first */
    expect(m, EXPLORE_REPEATED, 1.0 / (double)n);
    assert_true(strlen(t.acts.at[n - 1].heard) > 0); /* which the transcript has not */
    explore_trace_drop(&t);
    must(explore_trace(&t, "alfworld", transcript, in_scratch("")));
    assert_false(t.exact);
    explore_trace_drop(&t);
    json_decref(transcript);
    transcript = cells(id, (const Line[]){{"look", "A cellar."}}, 1, 1, true);
    assert_int_equal(explore_trace(&t, "alfworld_python", transcript, in_scratch("games")), ST_FORMAT);
    assert_non_null(strstr(error_text(), "it is another game"));
    explore_trace_drop(&t);
    json_decref(transcript);
    for (size_t i = 0; i < n; i++) {
        mem_free((char *)(uintptr_t)lines[i].action);
        mem_free((char *)(uintptr_t)lines[i].heard);
    }
}

/* Runs. -------------------------------------------------------------------------------------------------- */

static void write_run(const char *folder, const char *benchmark, json_t **transcripts)
{
    Str lines = {0};
    char *results = mem_format("%s/results.json", folder),
         *path = mem_format("%s/transcripts_%s.jsonl", folder, benchmark);
    char *config =
        mem_format("{\"config\": {\"model\": {\"name\": \"small\"}, \"benchmarks\": {\"%s\": {\"facts\": "
                   "{\"max_steps\": 50}}}}}",
                   benchmark);
    for (; *transcripts; transcripts++) {
        char *text = json_dumps(*transcripts, JSON_COMPACT);
        str_addf(&lines, "%s\n", text);
        free(text);
        json_decref(*transcripts);
    }
    scratch_text(results, config);
    scratch_text(path, str_c(&lines));
    mem_free(config);
    mem_free(results);
    mem_free(path);
    str_drop(&lines);
}

static json_t *named(json_t *transcript, const char *suffix)
{
    char *task = mem_format("%s%s", MUG, suffix);
    json_object_set_new(transcript, "task", json_string(task));
    mem_free(task);
    return transcript;
}

static void representations_are_compared_by_game(void **state)
{
    (void)state;
    json_t *direct[] = {named(dialogue(MUG, OPENING, "> @", mug, 13, NULL), "a"),
                        named(dialogue(MUG, OPENING, "> @", mug, 13, NULL), "b"),
                        named(dialogue(MUG, OPENING, "> @", mug, 13, NULL), "c"),
                        named(dialogue(MUG, OPENING, "> @", mug, 9, NULL), "alone"), NULL};
    json_t *code[] = {named(cells(MUG, mug, 13, 13, true), "a"), named(cells(MUG, mug, 13, 13, true), "b"),
                      named(cells(MUG, mug, 8, 8, false), "c"), NULL};
    write_run("direct", "alfworld", direct);
    write_run("code\xff", "alfworld_python", code); /* any bytes */
    const char *runs[] = {in_scratch("direct"), in_scratch("code\xff")};
    json_t *study = NULL;
    must(explore_study(&study, &(ExploreSpec){.runs = runs, .runs_n = 2}));
    const json_t *groups = json_object_get(study, "groups"), *first = json_array_get(groups, 0);
    assert_int_equal(json_array_size(groups), 2);
    assert_true(report_number(first, "n") == 4 && report_number(first, "exact") == 0);
    assert_true(report_number(first, "measures.actions.mean") == 12);
    assert_string_equal(report_text(json_array_get(groups, 1), "world"), "household");
    assert_true(span_ends(span(report_text(json_array_get(groups, 1), "run")), "code\xef\xbf\xbd"));
    const json_t *pair = json_array_get(json_object_get(study, "pairs"), 0),
                 *m = json_object_get(pair, "measures");
    assert_true(report_number(m, "actions.n") == 3); /* the game that one alone has counts not */
    assert_true(fabs(report_number(m, "actions.difference") + 5.0 / 3) < 1e-6);
    assert_true(fabs(report_number(m, "success.difference") + 1.0 / 3) < 1e-6);
    assert_true(report_number(m, "success.p") == 1);
    assert_true(fabs(report_number(m, "answers.difference") + 12) < 1e-6);
    assert_true(fabs(report_number(m, "answers.p") - 0.25) < 1e-6); /* 2 of the 2^3 ways of flipping signs */
    assert_true(report_number(m, "answers.p_holm") == 1);
    assert_true(report_number(m, "delay.n") == 2);
    explore_print(stdout, study);
    json_decref(study);
    study = NULL;
    assert_int_equal(explore_study(&study, &(ExploreSpec){.runs = runs, .runs_n = 2, .games = "/no/games"}),
                     ST_IO);
}

static void refuses(Status code, const char *says, const char *run)
{
    json_t *study = NULL;
    const char *runs[] = {in_scratch(run)};
    assert_int_equal(explore_study(&study, &(ExploreSpec){.runs = runs, .runs_n = 1}), code);
    assert_null(study);
    if (!strstr(error_text(), says))
        fail_msg("\"%s\" without \"%s\"", error_text(), says);
}

static void bad_runs_are_refused(void **state)
{
    (void)state;
    json_t *old[] = {dialogue(MUG, OPENING, "<execute>goto('desk 1')@</execute>", mug, 2, NULL), NULL};
    json_t *other[] = {dialogue("1", "x", "@", mug, 2, NULL), NULL};
    write_run("old", "alfworld_python", old);
    write_run("other", "mint_gsm8k", other);
    refuses(ST_UNSUPPORTED, "run lemur eval again", "old");
    refuses(ST_ARG, "episodes of a world with a state", "other");
    refuses(ST_IO, "no finished run", "absent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_household_is_measured_alike_in_both_ways),
        cmocka_unit_test(what_was_seen_may_stay_unused),
        cmocka_unit_test(two_are_needed_where_two_are_asked),
        cmocka_unit_test(queries_and_command_lines),
        cmocka_unit_test(only_actions_count),
        cmocka_unit_test(games_are_played_again),
        cmocka_unit_test(representations_are_compared_by_game),
        cmocka_unit_test(bad_runs_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
