/* Recorded answers without turns: GSM8K's solutions and BIG-Bench Hard's outputs.  For replay.c. */
#ifndef EVAL_REPLAY_ANSWERS_H
#define EVAL_REPLAY_ANSWERS_H

#include "eval/replay.h"

/* One JSON object a line: `ground_truth`, and by the name of each model {"solution":..., "is_correct":...}.
 * Ours: the text behind the last "A: ", without commas, is that of the ground truth
 * (openai/grade-school-math, grade_school_math/dataset.py).  One comparison a solution. ST_IO, ST_FORMAT  the
 * file cannot be read on; what came before is in *report */
MUST_CHECK Status replay_gsm8k_file(ReplayReport *report, const ReplaySpec *spec, const char *path);

/* One JSON object, {"outputs":[{"prediction","target"}]}, and beside it, "_eval_metrics.jsonl" for ".json",
 * its
 * {"accuracy": percent}.  Ours: behind the last "the answer is ", the first line without the dot that ends
 * it, equals the target (suzgunmirac/BIG-Bench-Hard).  One comparison a file. ST_IO, ST_FORMAT  one of the
 * two cannot be read */
MUST_CHECK Status replay_bbh_file(ReplayReport *report, const ReplaySpec *spec, const char *path);

#endif
