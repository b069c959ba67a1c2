/* Hints along the way of an expert who wins, game by game. */
#include "env/household_hints.h"

#include <string.h>

#include "env/hint.h"
#include "env/household_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h> /* needs those above */
/* clang-format on */

enum { GAMES = 60 };

static const char *hint_at(const json_t *line, const Str *answers, const char *answer)
{
    HintSaid said = {.over = {[HINT_ANSWER] = span(answer), [HINT_ANSWERS] = str_span(answers)}};
    return hint_choose(line, &said);
}

/* The hints of the six types, in the order in which they come, each once. */
static const char *const courses[HOUSEHOLD_TASKS][5] = {
    [HOUSEHOLD_PUT] = {"You do not have it yet: look for it.", "Now bring it to its place."},
    [HOUSEHOLD_LIGHT] = {"You do not have it yet: look for it.", "Now it needs light."},
    [HOUSEHOLD_CLEAN] = {"You do not have it yet: look for it.", "It has to be clean first.",
                         "Now bring it to its place."},
    [HOUSEHOLD_HEAT] = {"You do not have it yet: look for it.", "It has to be hot first.",
                        "Now bring it to its place."},
    [HOUSEHOLD_COOL] = {"You do not have it yet: look for it.", "It has to be cool first.",
                        "Now bring it to its place."},
    [HOUSEHOLD_TWO] = {"You do not have it yet: look for it.", "Now bring it to its place.",
                       "One is not enough: look for another.", "Now bring it to its place."},
};

static void play(const HouseholdMade *made, const json_t *line)
{
    const char *const *course = courses[made->task];
    Str answers = {0};
    HouseholdState *s = household_reset(made->game);
    int at = 0;
    assert_string_equal(hint_at(line, &answers, ""), course[0]);
    for (size_t i = 0; i + 1 < made->plan.n; i++) {
        assert_int_equal(household_step(made->game, s, made->plan.at[i]), ST_OK);
        str_addf(&answers, "%s\n", str_c(&s->observation));
        const char *hint = hint_at(line, &answers, str_c(&s->observation));
        at += course[at + 1] && strcmp(hint, course[at]) != 0;
        if (strcmp(hint, course[at]) != 0 && strcmp(hint, "Hold it where the light is.") != 0)
            fail_msg("%s, after \"%s\": %s", made->name, made->plan.at[i], hint);
        for (size_t j = 0; j < made->plan.n; j++)
            assert_false(hint_discloses(span(hint), span(made->plan.at[j])));
    }
    /* Of two things one may lie there already. */
    assert_true(made->task == HOUSEHOLD_LIGHT || (made->task == HOUSEHOLD_TWO && at == 1) || !course[at + 1]);
    assert_int_equal(household_step(made->game, s, "go to nowhere 1"), ST_OK);
    assert_true(span_starts(span(hint_at(line, &answers, str_c(&s->observation))), "Nothing came of that"));
    str_drop(&answers);
    household_state_free(s);
}

static void hints_say_what_is_left_to_do(void **state)
{
    (void)state;
    int of_task[HOUSEHOLD_TASKS] = {0};
    for (uint64_t seed = 0; seed < GAMES; seed++) {
        HouseholdMade made;
        assert_int_equal(household_make(&made, seed, (HouseholdTask)(seed % HOUSEHOLD_TASKS)), ST_OK);
        json_t *line = household_hints(made.game, made.task, made.object, made.target);
        if (hint_check(line) != ST_OK)
            fail_msg("%s", error_text());
        play(&made, line);
        of_task[made.task]++;
        json_decref(line);
        household_made_drop(&made);
    }
    for (int t = 0; t < HOUSEHOLD_TASKS; t++)
        assert_true(of_task[t] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hints_say_what_is_left_to_do)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
