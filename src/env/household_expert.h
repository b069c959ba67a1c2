/* One who knows how to win a household's games: plans from any state to the goal, over the truth.  It sees
 * into closed cupboards, so its walks are shorter than those of one who must search.
 *
 *     HouseholdPlan plan = {0};
 *     TRY(household_plan(game, state, &plan));
 *     plan.at[0]                       "go to fridge 1"
 *     array_drop(&plan);
 *
 * ground_plan.h finds the plans: nothing here knows what an apple is. */
#ifndef ENV_HOUSEHOLD_EXPERT_H
#define ENV_HOUSEHOLD_EXPERT_H

#include "env/household.h"

/* Commands; views into the game. */
typedef struct {
    const char **at;
    size_t n, cap;
} HouseholdPlan;

/* Sets *out to what leads from `s` to the goal; nothing where it holds already.  The limit of steps is not
 * looked at.  The caller drops *out with array_drop.  Fails as ground_plan. */
MUST_CHECK Status household_plan(const Household *h, const HouseholdState *s, HouseholdPlan *out);
/* The same without commands on objects with unknown[object]; NULL: all are known. */
MUST_CHECK Status household_plan_knowing(const Household *h, const HouseholdState *s, const bool *unknown,
                                         HouseholdPlan *out);

/* The next command, state by state: one plan is followed as long as the game goes along with it. */
typedef struct HouseholdExpert HouseholdExpert;
HouseholdExpert *household_expert_new(const Household *h); /* keeps h */
void household_expert_free(HouseholdExpert *e);            /* NULL is fine */
/* *command is a view into the game; NULL: the goal holds.  Fails as household_plan. */
MUST_CHECK Status household_expert_next(HouseholdExpert *e, const HouseholdState *s, const char **command);

#endif
