/* One results.jsonl of MINT: R1 to R7 and its line of the table.  For replay.c. */
#ifndef EVAL_REPLAY_MINT_H
#define EVAL_REPLAY_MINT_H

#include "eval/replay.h"

/* `path` is one that replay_find calls RECORDING_MINT.  A line that cannot be read is counted and told as a
 * trouble; `programs` may be NULL.
 *   ST_IO, ST_FORMAT  the file cannot be read on; what came before is in *report */
MUST_CHECK Status replay_mint_file(ReplayReport *report, const ReplaySpec *spec,
                                   const ReplayPrograms *programs, const char *path);

#endif
