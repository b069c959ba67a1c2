/* One who wins a household's game without knowing more than it was told: looks into one place after the other
 * until what it has seen is enough for a plan, and follows that.  Its episodes can be learned from; those of
 * an expert who sees into closed cupboards (household_expert.h) teach guessing. */
#ifndef ENV_HOUSEHOLD_SEEK_H
#define ENV_HOUSEHOLD_SEEK_H

#include "base/rng.h"
#include "env/household_expert.h"

/* Sets *out to commands that win from the beginning, at most HOUSEHOLD_STEPS of them.  The places are looked
 * through kind by kind: first, in an order that `rng` decides, kinds that may hold what the goal asks for,
 * then the others.  For games with ALFWorld's commands ("go to", "open").  The caller drops *out
 * with array_drop. ST_UNSUPPORTED  the goal cannot be reached, all being seen ST_LIMIT        not in so many
 * steps, in none of a few orders; or of household_plan */
MUST_CHECK Status household_seek(const Household *h, Rng *rng, HouseholdPlan *out);

#endif
