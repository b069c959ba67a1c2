/* lemur eval --replay: recordings against our loop and our marks. */
#ifndef CLI_EVAL_REPLAY_H
#define CLI_EVAL_REPLAY_H

#include "eval/replay.h"

/* The words and flags behind `eval`.  EXIT_FAILED where something disagrees or could not be checked. */
int eval_replay(int argc, char **argv);

/* The folder that holds mint/prompt: `given`, or where that is NULL the nearest of `below` and the folders
 * above it.  The caller frees it; NULL: none. */
char *eval_replay_data(const char *given, const char *below);

#endif
