/* Which files below a folder are recordings.
 *
 *   .../<model>/F=<who>/[PHF=<how>/]max<k>_p<p>+tool+cd/<group>/<task>/results.jsonl    MINT's episodes
 *   example_model_solutions.jsonl, gsm8k/replay/<any>.jsonl                             GSM8K's solutions
 *   <any>_few_shot_template_<any>.json                                                  BIG-Bench Hard's
 * outputs
 *   ic_sql_multiturn_<any>.json                                                         InterCode-SQL's
 *   ic_ctf_multiturn_<any>.json, replay/ctf/<any>.json                                   InterCode-CTF's
 *   robocodegen/recorded.json                                                           RoboCodeGen's
 *   ic_bash_<any>.json                                                                  InterCode-Bash's
 * (ic_sql_<any>.json of its other prompts are passed over: their agents changed the databases)
 *
 * The folder may be any one above them, or below: names above it count as well. */
#ifndef EVAL_REPLAY_FIND_H
#define EVAL_REPLAY_FIND_H

#include <stdint.h>

#include "base/array.h"

#include "base/status.h"

typedef enum {
    RECORDING_MINT,
    RECORDING_GSM8K,
    RECORDING_BBH,
    RECORDING_INTERCODE_SQL,
    RECORDING_INTERCODE_CTF,
    RECORDING_ROBOCODEGEN,
    RECORDING_INTERCODE_BASH,
    RECORDING_KINDS
} RecordingKind;

typedef struct {
    RecordingKind kind;
    char *path; /* absolute */
    int64_t bytes;
} ReplayFile;

typedef struct {
    Array(ReplayFile) files;
    Array(char *) passed_over; /* results.jsonl of tasks or layouts that are not known: why, with the path */
    Array(char *) unread;      /* folders that cannot be read, with why                                    */
    int64_t count[RECORDING_KINDS];
} ReplayFiles;

/* Sorted by path.  *out is to be dropped whatever is returned.
 *   ST_IO  no such folder      ST_ARG  no recordings there; the sentence says what was looked for */
MUST_CHECK Status replay_find(ReplayFiles *out, const char *folder);
void replay_files_drop(ReplayFiles *f);

#endif
