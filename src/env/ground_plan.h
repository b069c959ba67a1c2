/* Plans for a ground task (ground.h): operators that lead from a state to the goal.
 *
 * General over domain and goal.  The cost of every fact with deletions left out (h_add: Bonet & Geffner 2001,
 * doi:10.1016/S0004-3702(01)00108-4) tells which alternatives of the goal are near and which facts lead there
 * (the relaxed plan: Hoffmann & Nebel 2001, arXiv:1106.0675); a search in breadth over the operators that
 * give these facts finds the shortest real plan among them.  It is not always the shortest of all.  Where
 * there is none, a best-first search over all operators goes on. */
#ifndef ENV_GROUND_PLAN_H
#define ENV_GROUND_PLAN_H

#include "base/array.h"
#include "env/ground.h"

typedef Array(int) GroundPlan; /* operators */

/* Sets *out to what leads from `state` to the goal; nothing where it holds already.  The caller drops *out
 * with array_drop. ST_UNSUPPORTED  the goal cannot be reached from here: proved, with deletions left out
 *   ST_LIMIT        no plan was found among the states that are looked at */
MUST_CHECK Status ground_plan(GroundPlan *out, const Ground *g, const uint64_t *state, const bool *unknown);

#endif
