/* Recorded runs of InterCode-SQL: S2 to S4.  For replay.c.
 *
 * A file is an object of episodes by their number; which of the two reward rules it follows is found from S2,
 * unless ReplaySpec.rule says (legacy: the plain one; current: the scaled one).
 *   S2  a turn's reward, from recorded text alone: its rows against the gold query's, which are what the file
 *       has for an action that is that query, or else what a turn with reward 1 gave; and each
 *       episode's summary from its turns
 *   S3  what an action shows, on a server (replay_observation.h)
 *   S4  a turn's reward, and each episode's success, by running the action and the gold query ourselves
 * A mismatch of S4 says in words what SQLite and MySQL differ in. */
#ifndef EVAL_REPLAY_INTERCODE_H
#define EVAL_REPLAY_INTERCODE_H

#include "eval/replay.h"

/* ST_IO, ST_FORMAT  the file, the questions or the dump cannot be read; what came before is in *report */
MUST_CHECK Status replay_intercode_sql_file(ReplayReport *report, const ReplaySpec *spec, const char *path);

#endif
