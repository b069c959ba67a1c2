/* Recorded runs of InterCode-Bash: check "B1".  For replay.c.
 *
 * Runs keep what their last turn's reward came of ("info"): the differences of the two file systems, both
 * outputs, the parts.  From that each part, the similarity of the outputs (to 1e-12) and the turn's reward
 * are made anew; and the summary from the turns.  Episodes without info are counted as not compared. */
#ifndef EVAL_REPLAY_BASH_H
#define EVAL_REPLAY_BASH_H

#include "eval/replay.h"

/* ST_IO, ST_FORMAT  the file cannot be read */
MUST_CHECK Status replay_bash_file(ReplayReport *report, const ReplaySpec *spec, const char *path);

#endif
