/* MINT's counting of turns: what an action costs, when an episode ends and why, and the text in which the
 * environment answers.  Pure: running code and marking solutions is the caller's.
 *
 *     Turns t;  turns_begin(&t, 5, 2);
 *     turns_take(&t, &action, TURN_DONE, solved);
 *     if (!t.end) turns_answer(&out, &t, observation, feedback);
 */
#ifndef AGENT_TURNS_H
#define AGENT_TURNS_H

#include "agent/action.h"

typedef enum {
    TURNS_OPEN,
    TURNS_SOLVED,
    TURNS_NO_STEPS,
    TURNS_NO_PROPOSALS,
    TURNS_ERROR,
    TURNS_ENDS
} TurnsEnd;
/* As recordings name them: "", "task_success", "max_steps", "max_propose_steps", "error". */
extern const char *const turns_end_names[TURNS_ENDS];

typedef struct {
    int max_steps, max_propose;
    int proposed, used_tool, unreadable; /* agent_action_count: propose_solution, use_tool, invalid_action */
    TurnsEnd end;
} Turns;

void turns_begin(Turns *t, int max_steps, int max_propose);

/* TURN_FAILED: running the code failed outside the interpreter, so the turn costs nothing. */
typedef enum { TURN_DONE, TURN_FAILED } TurnResult;
/* Counts one answer of the model.  `solved`: its solution is right, or the world it acted in is won. */
void turns_take(Turns *t, const Action *a, TurnResult result, bool solved);
/* The model gave no answer. */
void turns_fail(Turns *t);

int turns_steps_left(const Turns *t);
int turns_proposals_left(const Turns *t);

/* What the model is told of a wrong solution, and in front of an expert's words. */
#define TURNS_WRONG "Your answer is wrong."
#define TURNS_EXPERT "\nExpert feedback:\n"

/* The user message after a turn that did not end the episode.  observation.at NULL: a wrong solution.
 * feedback.n 0: none. */
void turns_answer(Str *out, const Turns *t, Span observation, Span feedback);
/* What stands in for the observation where it is withheld: the same whatever was done. */
extern const char turns_withheld[];
/* The lines of it between observation and feedback. */
void turns_left_lines(Str *out, const Turns *t);

#endif
