/* The published table made anew from recordings: success by task for each model and setting, as recorded and
 * by our own verdicts, and the micro averages over MINT's groups.
 *
 * An average is given only where the recordings are whole: every task of the group has as many episodes as
 * the benchmark (xingyaoww/mint-bench, data/processed: 48 + 100 + 49 + 43 + 76 = 316 and 45 + 91 = 136; 134
 * household games). */
#ifndef EVAL_REPLAY_TABLE_H
#define EVAL_REPLAY_TABLE_H

#include <jansson.h>

#include "eval/replay.h"

/* For people; where a model's setting has a task twice, the first recording counts. */
void replay_table_text(Str *out, const ReplayReport *report);

/* A list of {"model", "setting", "tasks": {"gsm8k": CELL...}, "averages": {"reasoning": CELL,
 * "code_generation": CELL, "all": CELL}}.  CELL: "n" episodes of "of", "whole", "solved", "percent", and by
 * our verdicts "ours", "ours_percent" (null where "unmarked" episodes have none); an average's are null where
 * it is not whole.  New reference. */
json_t *replay_table_json(const ReplayReport *report);

#endif
