/* S3: is an observation of a server of databases the one that was recorded?
 *
 * What is decided: lists of SHOW and DESCRIBE, "Unknown column", "Table ... doesn't exist" and other errors,
 * and rows; rows in their order where something orders them wholly, else as a multiset.  Whether it does is
 * found out by running the query again with a random number as its last key: what comes out otherwise then is
 * left to chance by the query.  Not decided: what LIMIT keeps of such rows; the text of syntax errors; tables
 * that an earlier episode of the file altered (the originals' databases were never restored). b'int' is
 * 'int': the connectors of the recorded runs differ in that. */
#ifndef EVAL_REPLAY_OBSERVATION_H
#define EVAL_REPLAY_OBSERVATION_H

#include "env/sql.h"
#include "eval/replay.h"

typedef enum { SEEN_SAME, SEEN_OTHER, SEEN_UNDECIDED } Seen;
/* *why is set of the undecided.  `ours` is what the world said to the action.  Failures as of sql_world_act.
 */
MUST_CHECK Status replay_observation(Seen *out, ReplayWhy *why, SqlWorld *world, Span action, Span recorded,
                                     const SqlTurn *ours);

/* The names of tables that recorded actions altered. */
typedef struct {
    Array(char *) names;
} AlteredTables;
/* Notes what an action with this observation altered, or shows altered: a table that had more columns than
 * ours. */
void altered_tables_note(AlteredTables *a, Span action, Span recorded, const SqlTurn *ours);
bool altered_tables_in(const AlteredTables *a, Span action); /* one of them is named */
void altered_tables_drop(AlteredTables *a);

#endif
