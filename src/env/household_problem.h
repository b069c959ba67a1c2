/* The texts of a generated game: a house and a task as a PDDL problem, and the domain and the text grammar
 * that all such games share. */
#ifndef ENV_HOUSEHOLD_PROBLEM_H
#define ENV_HOUSEHOLD_PROBLEM_H

#include "env/household_task.h"

/* household_domain.pddl, and household_grammar.twl2 with `task` for its sentence.  Ours; what they say is
 * word for word what ALFWorld's say. */
Span household_domain(void);
void household_grammar(Str *out, const char *task);
/* Appends the problem; `seed` is its name. */
void household_problem(Str *out, const House *h, uint64_t seed, HouseholdAim aim);

#endif
