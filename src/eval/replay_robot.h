/* Recorded runs of RoboCodeGen: check "RC".  For replay.c.
 *
 * A file holds runs, each with what came of every problem and, of those that failed, the function's source
 * and the exception's text.  Each source is run on our inputs (env/robot.h) and must come to what was
 * recorded; where the exception says the same words it is counted as the whole text.  A function that another
 * one was to be generated for, which the recording has not, fails for want of it. */
#ifndef EVAL_REPLAY_ROBOT_H
#define EVAL_REPLAY_ROBOT_H

#include "eval/replay.h"

/* The problems are read beside the file.  ST_IO, ST_FORMAT  either cannot be read */
MUST_CHECK Status replay_robot_file(ReplayReport *report, const ReplaySpec *spec, const char *path);

#endif
