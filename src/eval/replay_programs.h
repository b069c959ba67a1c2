/* What runs recorded programs for replay.h: cells in a session of env/python.h, whose work folder is private,
 * and the tests of humaneval and mbpp by program.h.  Never without a sandbox.
 *
 *     ReplayRunners *runners;
 *     TRY(replay_runners_open(&runners, threads));
 *     spec.programs = replay_runners_programs(runners);
 *     ...
 *     replay_runners_close(runners); */
#ifndef EVAL_REPLAY_PROGRAMS_H
#define EVAL_REPLAY_PROGRAMS_H

#include "eval/replay.h"

typedef struct ReplayRunners ReplayRunners;

/* Tries a session first.  ST_UNSUPPORTED, ST_ARG, ST_IO as of python_start: nothing can be run here. */
MUST_CHECK Status replay_runners_open(ReplayRunners **out, int threads);
const ReplayPrograms *replay_runners_programs(const ReplayRunners *r); /* one a thread */
void replay_runners_close(ReplayRunners *r);                           /* NULL is fine */

#endif
