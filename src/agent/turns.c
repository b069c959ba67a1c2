/* Source: xingyaoww/mint-bench, mint/envs/general_env.py (step, handle_tool_call, handle_propose_solution,
 * check_max_iteration) and mint/datatypes.py (StepOutput.to_str). */
#include "agent/turns.h"

const char *const turns_end_names[TURNS_ENDS] = {"", "task_success", "max_steps", "max_propose_steps",
                                                 "error"};

const char turns_withheld[] = "What came of it is not shown. The task is not solved yet.";

void turns_begin(Turns *t, int max_steps, int max_propose)
{
    *t = (Turns){.max_steps = max_steps, .max_propose = max_propose};
}

int turns_steps_left(const Turns *t)
{
    return t->max_steps - t->proposed - t->used_tool - t->unreadable;
}

int turns_proposals_left(const Turns *t)
{
    return t->max_propose - t->proposed;
}

static void count(Turns *t, const Action *a, TurnResult result)
{
    if (a->kind == ACTION_SOLUTION)
        t->proposed++;
    else if (a->unreadable)
        t->unreadable++;
    else if (result == TURN_DONE)
        t->used_tool++;
}

/* Success comes first: a right answer in the last step counts. */
void turns_take(Turns *t, const Action *a, TurnResult result, bool solved)
{
    count(t, a, result);
    if (solved)
        t->end = TURNS_SOLVED;
    else if (turns_proposals_left(t) <= 0)
        t->end = TURNS_NO_PROPOSALS;
    else if (turns_steps_left(t) <= 0)
        t->end = TURNS_NO_STEPS;
}

void turns_fail(Turns *t)
{
    t->end = TURNS_ERROR;
}

void turns_left_lines(Str *out, const Turns *t)
{
    str_addf(out, "You have %d steps left and %d chances to propose solution left.\n", turns_steps_left(t),
             turns_proposals_left(t));
    if (turns_steps_left(t) <= 1)
        str_adds(out, "You should take the last step to propose a solution.\n");
}

void turns_answer(Str *out, const Turns *t, Span observation, Span feedback)
{
    str_adds(out, "Observation:\n");
    if (observation.at) {
        str_add(out, observation.at, observation.n);
        str_addc(out, '\n');
    } else {
        str_adds(out, TURNS_WRONG "\n");
    }
    turns_left_lines(out, t);
    if (feedback.n) {
        str_adds(out, TURNS_EXPERT);
        str_add(out, feedback.at, feedback.n);
        str_addc(out, '\n');
    }
}
