/* From played episodes to examples to learn from: those that the world called a success, each once.
 *
 *     KeepSpec spec = {.runs = runs, .runs_n = 4, .most = 2, .folder = "kept"};
 *     KeepCounts counts;
 *     TRY(keep_successes(&counts, &spec));
 *
 * writes
 *     FOLDER/kept.jsonl   transcripts (docs/formats/instruct.md) that `lemur tune` learns from
 *     FOLDER/keep.json    what was counted, in all and by environment
 *
 * Of the episodes of one task, those whose actions are the same count once, and at most `most` are kept:
 * first those in which an error was repaired, then those with fewer wrong turns, then the shorter ones.  A
 * wrong turn (an answer without an action, an action that ended in an error, a solution that was wrong) that
 * was not the last is marked as not to be learned: it is read, so that repairing it is learned, as in the
 * experts' episodes (env/family.h). The files hold no times and no paths: the same episodes give the same
 * bytes. */
#ifndef STUDY_KEEP_H
#define STUDY_KEEP_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct {
    const char *const *runs; /* folders of `lemur eval` */
    size_t runs_n;
    const char *const *apart; /* runs whose tasks must not be learned, told by their first messages */
    size_t apart_n;
    int64_t most; /* episodes of a task */
    const char *folder;
} KeepSpec;

typedef struct {
    int64_t episodes, successes;
    int64_t tasks, solved; /* solved: with a success */
    int64_t unfit;         /* successes without a message for each turn: nothing can be learned from them */
    int64_t apart, doubles, surplus;
    int64_t kept, repaired; /* repaired: of those that are kept, with a wrong turn */
    int64_t muted;          /* turns of them that are not learned */
} KeepCounts;

/* ST_IO: a run without episodes, or the files cannot be written.  That nothing is kept is no failure. */
MUST_CHECK Status keep_successes(KeepCounts *out, const KeepSpec *spec);

/* keep.json of such a folder.  ST_IO, ST_FORMAT. */
MUST_CHECK Status keep_read(KeepCounts *out, const char *folder);
json_t *keep_json(const KeepCounts *c); /* {"episodes": 800, ...}; new reference */

/* Marks the wrong turns of a success; returns how many, or -1 where its steps and messages do not fit. */
int64_t keep_mark(json_t *transcript);

#endif
