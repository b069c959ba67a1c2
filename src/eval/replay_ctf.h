/* Recorded runs of InterCode-CTF: check "ctf".  For replay.c.
 *
 * Every turn's text and reward, by running its action in env/ctf.h with the quoting of the recorded runs, or
 * the current one where that alone prints what was recorded; each episode from fresh files.  Not compared,
 * and counted by reason: what asks the network, what prints a tool's own version, dates or the container's
 * words, tasks whose files are not in the data, tools that are not here; and what follows such a turn and is
 * no submission. */
#ifndef EVAL_REPLAY_CTF_H
#define EVAL_REPLAY_CTF_H

#include "eval/replay.h"

#define CTF_QUESTIONS "intercode/ctf/ic_ctf.json"
#define CTF_ASSETS "intercode/ctf/task_assets"

/* ST_IO, ST_FORMAT  the file or the tasks cannot be read */
MUST_CHECK Status replay_ctf_file(ReplayReport *report, const ReplaySpec *spec, const char *path);

#endif
