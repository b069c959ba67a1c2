/* What an expert who hints says to one who plays a household's game (hint.h): what is still to be done, never
 * where or with what. */
#ifndef ENV_HOUSEHOLD_HINTS_H
#define ENV_HOUSEHOLD_HINTS_H

#include <jansson.h>

#include "env/household.h"
#include "env/household_task.h"

/* A line of hints; new reference.  It goes by what the game has told, so it holds for commands and for Python
 * that prints what its functions return.  `object` and `target` are those of the game's name: "Apple",
 * "Fridge". */
json_t *household_hints(const Household *game, HouseholdTask task, const char *object, const char *target);

#endif
