/* The games below a folder, as ALFWorld lays them: <name>/<trial>/game.tw-pddl.
 *
 *     HouseholdGames games;
 *     TRY(household_games_find(&games, "data/mint/alfworld/games"));
 *     games.at[0].id                "pick_heat_then_place_in_recep-Apple-None-GarbageCan-10/trial_T2019..."
 *     household_games_drop(&games);
 *
 * As ALFWorld's loader does, it passes over names with "movable" or "Sliced" in them, and over games whose
 * file says that they cannot be solved (alfworld/alfworld, alfworld/agents/environment/alfred_tw_env.py). */
#ifndef ENV_HOUSEHOLD_GAMES_H
#define ENV_HOUSEHOLD_GAMES_H

#include "base/array.h"
#include "base/str.h"

typedef struct {
    char *id;   /* "<name>/<trial>" */
    char *kind; /* "pick_heat_then_place_in_recep": the name before its first '-' */
    char *path; /* of its game.tw-pddl */
} HouseholdGame;
typedef struct {
    HouseholdGame *at;
    size_t n, cap;
} HouseholdGames;

/* Overwrites *out; sorted by id; none is fine.  ST_IO: the folder cannot be read; *out is then empty. */
MUST_CHECK Status household_games_find(HouseholdGames *out, const char *folder);
void household_games_drop(HouseholdGames *games);

#endif
