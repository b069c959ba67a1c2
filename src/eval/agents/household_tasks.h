/* ALFWorld's games as questions, for the benchmarks that play them: mint_alfworld, alfworld, alfworld_python.
 * All ask the same games by the same ids and parts. */
#ifndef EVAL_AGENTS_HOUSEHOLD_TASKS_H
#define EVAL_AGENTS_HOUSEHOLD_TASKS_H

#include "env/household.h"
#include "eval/agents/mint.h"

/* Below the data folder.  An id is the game's name, "<folder>/<trial>", as the list has it, a line each. */
#define HOUSEHOLD_LIST "mint/alfworld/gamefile_id.txt"
#define HOUSEHOLD_GAMES "mint/alfworld/games"

/* Where --fetch gets them: entries of a DataFile list. */
#define HOUSEHOLD_SOURCE MINT_BENCH "data/processed/alfworld/"
#define HOUSEHOLD_LIST_FILE                                                    \
    {                                                                          \
        HOUSEHOLD_LIST, HOUSEHOLD_SOURCE "gamefile_id.txt",                    \
            "0ae4826ca105f91a7fabd5a2a06198bfa21796287b98b54481bdc1ee57f3f156" \
    }
#define HOUSEHOLD_GAME_FILE(name, file, sum)                                                              \
    {                                                                                                     \
        HOUSEHOLD_GAMES "/" name "/" file, HOUSEHOLD_SOURCE "json_2.1.1/valid_unseen/" name "/" file, sum \
    }

/* The games that the list names, or where there is no list, all below HOUSEHOLD_GAMES.  Parts are the six
 * types of task (household_tasks); docs are {"id", "type", "game_sha256", "reference": the expert's list,
 * gt_traj.txt, where it is there}.  Named games that are not there are told and counted in out->left_out and
 * out->lacking.
 *   ST_IO      nothing is there; the sentence says how to get it
 *   ST_FORMAT  a line of the list is no name of a game */
MUST_CHECK Status household_tasks_read(Questions *out, const EvalRun *run);

/* Opens the game of a question.  Failures as of household_open, with its id in front. */
MUST_CHECK Status household_task_open(Household **out, const EvalRun *run, const Question *q);

#endif
