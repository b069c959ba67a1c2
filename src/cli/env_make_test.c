#include "cli/env_make.h"

#include <jansson.h>

#include "agent/hints.h"
#include "cli/capture_test.h"
#include "cli/cmd.h"
#include "env/household_games.h"

static int run(Str *out, const char *words_of_it)
{
    char words[600], *argv[24] = {"env make"};
    int argc = 1;
    snprintf(words, sizeof words, "%s", words_of_it);
    for (char *save = NULL, *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    return capture(out, env_make, argc, argv);
}

static json_t *line_of(const char *text, int number)
{
    for (; number && (text = strchr(text, '\n')); number--)
        text++;
    json_t *line = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(line);
    return line;
}

static const char *message(const json_t *line, size_t i)
{
    return json_string_value(
        json_object_get(json_array_get(json_object_get(line, "messages"), i), "content"));
}

static void games_and_episodes(void **state)
{
    (void)state;
    Str out = {0};
    char line[400];
    HouseholdGames games;
    snprintf(line, sizeof line, "-o %s/games -n 6 --seed 9 --type heat --transcripts %s/t.jsonl", scratch,
             scratch);
    assert_int_equal(run(&out, line), EXIT_DONE);
    assert_non_null(strstr(str_c(&out), "6 games, 6 of them new"));
    assert_non_null(strstr(str_c(&out), "6  pick_heat_then_place_in_recep"));
    assert_non_null(strstr(str_c(&out), "--seed 15"));
    assert_int_equal(household_games_find(&games, in_scratch("games")), ST_OK);
    assert_int_equal(games.n, 6);
    Str episodes = scratch_read("t.jsonl");
    json_t *last = line_of(str_c(&episodes), 5);
    assert_non_null(strstr(message(last, 1), "> go to "));
    bool known = false;
    for (size_t i = 0; i < games.n; i++)
        known |= strcmp(games.at[i].id, json_string_value(json_object_get(last, "task"))) == 0;
    assert_true(known);
    assert_int_equal(run(&out, line), EXIT_USAGE); /* the episodes are there */
    snprintf(line, sizeof line,
             "-o %s/games -n 7 --seed 9 --type heat --transcripts %s/t.jsonl --overwrite --json", scratch,
             scratch);
    assert_int_equal(run(&out, line), EXIT_DONE);
    json_t *all = json_loads(str_c(&out), 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(all, "games")), 7);
    assert_int_equal(json_integer_value(json_object_get(all, "written")), 1);
    assert_int_equal(json_integer_value(json_object_get(all, "episodes")), 7);
    Str again = scratch_read("t.jsonl");
    assert_true(again.n > episodes.n && memcmp(again.at, episodes.at, episodes.n) == 0);
    json_decref(all);
    json_decref(last);
    household_games_drop(&games);
    str_drop(&episodes);
    str_drop(&again);
    str_drop(&out);
}

static void episodes_in_other_ways(void **state)
{
    (void)state;
    Str out = {0};
    char line[400];
    scratch_text("prompt", "Do this:\n{task}\n---\nNothing of this.\n");
    snprintf(line, sizeof line, "-o %s/o -n 4 --transcripts %s/seek.jsonl --prompt %s/prompt", scratch,
             scratch, scratch);
    assert_int_equal(run(&out, line), EXIT_DONE);
    snprintf(line, sizeof line, "-o %s/o -n 4 --transcripts %s/knowing.jsonl --knowing --python --fences",
             scratch, scratch);
    assert_int_equal(run(&out, line), EXIT_DONE);
    Str seek = scratch_read("seek.jsonl"), knowing = scratch_read("knowing.jsonl");
    json_int_t sought = 0, known = 0;
    for (int i = 0; i < 4; i++) {
        json_t *a = line_of(str_c(&seek), i), *b = line_of(str_c(&knowing), i);
        assert_true(span_starts(span(message(a, 0)), "Do this:\nYou are in the middle of a room."));
        assert_null(strstr(message(a, 0), "Nothing of this"));
        assert_true(span_starts(span(message(b, 1)), "```python\nprint(goto(\""));
        sought += json_integer_value(json_object_get(a, "commands"));
        known += json_integer_value(json_object_get(b, "commands"));
        json_decref(a);
        json_decref(b);
    }
    assert_true(known < sought);
    str_drop(&seek);
    str_drop(&knowing);
    str_drop(&out);
}

/* One line for each opening, which the episodes begin with; the file is one that eval reads. */
static void hints_and_hinted_episodes(void **state)
{
    (void)state;
    Str out = {0};
    Hints *hints;
    char line[400];
    snprintf(line, sizeof line,
             "-o %s/h -n 5 --seed 3 --transcripts %s/hinted.jsonl --hinted --hints %s/hints.jsonl", scratch,
             scratch, scratch);
    assert_int_equal(run(&out, line), EXIT_DONE);
    assert_int_equal(run(&out, line), EXIT_USAGE); /* the files are there */
    if (hints_open(&hints, in_scratch("hints.jsonl")) != ST_OK)
        fail_msg("%s", error_text());
    Str episodes = scratch_read("hinted.jsonl"), lines = scratch_read("hints.jsonl");
    for (int i = 0; i < 5; i++) {
        json_t *a = line_of(str_c(&episodes), i), *b = line_of(str_c(&lines), i);
        assert_non_null(strstr(message(a, 0), json_string_value(json_object_get(b, "contains"))));
        assert_non_null(strstr(message(a, 2), "\nExpert feedback:\n"));
        json_decref(a);
        json_decref(b);
    }
    snprintf(line, sizeof line, "-o %s/h -n 5 --seed 3 --hints %s/hints.jsonl --overwrite", scratch, scratch);
    assert_int_equal(run(&out, line), EXIT_DONE);
    hints_close(hints);
    str_drop(&episodes);
    str_drop(&lines);
    str_drop(&out);
}

static void what_is_wrong_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        int code;
    } cases[] = {{"-n 3", EXIT_USAGE},
                 {"-o S/w -n 0", EXIT_USAGE},
                 {"-o S/w -n x", EXIT_USAGE},
                 {"-o S/w --seed -1", EXIT_USAGE},
                 {"-o S/w --type cook", EXIT_USAGE},
                 {"-o S/w --python", EXIT_USAGE},
                 {"-o S/w -n 1 --transcripts S/x --fences", EXIT_USAGE},
                 {"-o S/w -n 1 --transcripts S", EXIT_USAGE},
                 {"-o S/w -n 1 --hints S", EXIT_USAGE},
                 {"-o S/w -n 1 --hinted", EXIT_USAGE},
                 {"-o S/w -n 1 --overwrite", EXIT_USAGE},
                 {"-o S/w -n 1 --transcripts S/hole/x", EXIT_FAILED},
                 {"-o S/w -n 1 --transcripts S/x --prompt S/absent", EXIT_FAILED},
                 {"-o S/w -n 1 --transcripts S/x --prompt S/hole", EXIT_FAILED},
                 {"-o S/hole -n 1", EXIT_USAGE},
                 {"-o S/w extra", EXIT_USAGE}};
    Str out = {0}, line = {0};
    scratch_text("hole", "{place}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str_clear(&line);
        for (const char *c = cases[i].words; *c; c++)
            *c == 'S' ? str_adds(&line, scratch) : str_addc(&line, *c);
        int code = run(&out, str_c(&line));
        if (code != cases[i].code)
            fail_msg("%s: %d", cases[i].words, code);
    }
    assert_false(path_exists(in_scratch("x"))); /* nothing half done */
    str_drop(&out);
    str_drop(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(games_and_episodes), cmocka_unit_test(episodes_in_other_ways),
        cmocka_unit_test(hints_and_hinted_episodes), cmocka_unit_test(what_is_wrong_is_told)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
