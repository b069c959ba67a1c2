/* Makes household games: a house, things in it and a task, all from a seed, as a game.tw-pddl that this
 * engine and ALFWorld's read (docs/household.md).
 *
 *     HouseholdMade made;
 *     TRY(household_make(&made, 7, HOUSEHOLD_ANY));
 *     made.name                "pick_heat_then_place_in_recep-Apple-None-Fridge-1016"
 *     made.json                the file's bytes
 *     made.plan.at[0]          what its expert does first
 *     household_made_drop(&made);
 *
 * Every game is won by its expert before it is given out, is not won from the start, and is the same from the
 * same seed on every machine.  Domain and grammar are ours (household_domain.pddl, household_grammar.twl2)
 * and say word for word what those of ALFWorld's games say. */
#ifndef ENV_HOUSEHOLD_MAKE_H
#define ENV_HOUSEHOLD_MAKE_H

#include "env/household_expert.h"
#include "env/household_task.h"

typedef struct {
    uint64_t seed;
    HouseholdTask task;
    char *name;                  /* "<task>-<object>-None-<receptacle or lamp>-<house>" */
    const char *object, *target; /* the third and fifth of these; constants */
    Str json;
    Household *game; /* made.json, open */
    HouseholdPlan plan;
} HouseholdMade;

/* *out is the caller's to drop in either case.  ST_FORMAT, ST_LIMIT: the game cannot be read or won, which
 * would be a mistake of this file; the sentence names the seed. */
MUST_CHECK Status household_make(HouseholdMade *out, uint64_t seed, HouseholdTask task);
void household_made_drop(HouseholdMade *made);

#endif
