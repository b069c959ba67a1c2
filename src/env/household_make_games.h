/* Fills a folder with generated games, as ALFWorld lays its own out, so that whatever plays those plays
 * these:
 *
 *     FOLDER/pick_heat_then_place_in_recep-Apple-None-Fridge-401016/trial_7/game.tw-pddl
 *     FOLDER/pick_heat_then_place_in_recep-Apple-None-Fridge-401016/trial_7/traj_data.json
 *
 * The number behind the fourth '-' is the house's, the one behind "trial_" the seed; traj_data.json is what
 * ALFWorld's own loader looks for: type, object and place of the task.  Each file is there wholly or not at
 * all, and the game comes last: whenever the work ends, what is there can be played.  Asked again for the
 * same, it goes on where it stood. */
#ifndef ENV_HOUSEHOLD_MAKE_GAMES_H
#define ENV_HOUSEHOLD_MAKE_GAMES_H

#include "env/household_make.h"

typedef struct {
    const char *folder; /* made where it is not there */
    int64_t games;
    uint64_t seed; /* of the first; the next ones have the next seeds */
    HouseholdTask task;
    bool (*stopped)(void *context); /* NULL: nobody asks */
    /* Called for each game, those that were there before too; its id is "<name>/trial_<seed>".  NULL: not. */
    Status (*each)(void *context, const HouseholdMade *made, const char *id);
    void *context; /* of both */
} HouseholdMakeGames;

typedef struct {
    int64_t games, written; /* written: were not there before */
    int64_t doubles;        /* seeds passed over, whose game looks just as an earlier one's */
    int64_t of_task[HOUSEHOLD_TASKS];
    int64_t steps, longest; /* of their experts */
    uint64_t next_seed;     /* for games that are not among these */
    double seconds;
} HouseholdMadeGames;

/* *out is set in every case: what was done.  Shows how far it is.
 *   ST_ARG        another game is where one should go: of another version, or not ours
 *   ST_IO         the folder cannot be written: full, or closed to us
 *   ST_CANCELLED  stopped
 *   other         of household_make, and of `each` */
MUST_CHECK Status household_make_games(HouseholdMadeGames *out, const HouseholdMakeGames *how);

/* Writes the game below `folder`, "<name>/trial_<seed>"; one of the same name is replaced. */
MUST_CHECK Status household_made_write(const HouseholdMade *made, const char *folder);

/* Overwrites *out with all that can be seen in a game from its beginning, by one who goes once to everything
 * and opens it: two games of one such text are the same to whoever plays them. */
MUST_CHECK Status household_view(Str *out, const Household *h);

#endif
