/* What turns cost, when an episode ends, and what the model is told. */
#include "agent/turns.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const Action code = {.kind = ACTION_CODE}, empty = {.kind = ACTION_CODE, .unreadable = true},
                    proposal = {.kind = ACTION_SOLUTION},
                    bad_proposal = {.kind = ACTION_SOLUTION, .unreadable = true};

static void check_answer(const Turns *t, Span observation, const char *feedback, const char *want)
{
    Str out = {0};
    turns_answer(&out, t, observation, span(feedback));
    assert_string_equal(str_c(&out), want);
    str_drop(&out);
}

static void every_kind_of_turn_is_counted(void **state)
{
    (void)state;
    Turns t;
    turns_begin(&t, 5, 2);
    turns_take(&t, &code, TURN_DONE, false);
    turns_take(&t, &empty, TURN_DONE, false);
    turns_take(&t, &code, TURN_FAILED, false);
    turns_take(&t, &bad_proposal, TURN_DONE, false);
    assert_int_equal(t.used_tool, 1);
    assert_int_equal(t.unreadable, 1);
    assert_int_equal(t.proposed, 1);
    assert_int_equal(turns_steps_left(&t), 2);
    assert_int_equal(turns_proposals_left(&t), 1);
    assert_int_equal(t.end, TURNS_OPEN);
}

static void ends_have_an_order(void **state)
{
    (void)state;
    Turns t;
    turns_begin(&t, 1, 1);
    turns_take(&t, &proposal, TURN_DONE, true);
    assert_int_equal(t.end, TURNS_SOLVED);
    turns_begin(&t, 1, 1);
    turns_take(&t, &proposal, TURN_DONE, false);
    assert_int_equal(t.end, TURNS_NO_PROPOSALS);
    turns_begin(&t, 1, 1);
    turns_take(&t, &code, TURN_DONE, false);
    assert_int_equal(t.end, TURNS_NO_STEPS);
    turns_begin(&t, 2, 2);
    turns_take(&t, &code, TURN_DONE, true); /* a world that is won */
    assert_int_equal(t.end, TURNS_SOLVED);
    turns_fail(&t);
    assert_string_equal(turns_end_names[t.end], "error");
}

static void the_model_is_told_what_is_left(void **state)
{
    (void)state;
    Turns t;
    turns_begin(&t, 3, 2);
    turns_take(&t, &code, TURN_DONE, false);
    check_answer(&t, span("7"), "",
                 "Observation:\n7\nYou have 2 steps left and 2 chances to propose solution left.\n");
    check_answer(&t, span(""), "Good.",
                 "Observation:\n\nYou have 2 steps left and 2 chances to propose solution left.\n"
                 "\nExpert feedback:\nGood.\n");
    turns_take(&t, &proposal, TURN_DONE, false);
    check_answer(&t, (Span){NULL, 0}, "",
                 "Observation:\nYour answer is wrong.\n"
                 "You have 1 steps left and 1 chances to propose solution left.\n"
                 "You should take the last step to propose a solution.\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_turn_is_counted),
        cmocka_unit_test(ends_have_an_order),
        cmocka_unit_test(the_model_is_told_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
