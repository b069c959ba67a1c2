/* Do the scores of a run of `lemur eval` follow from what it recorded?  They are computed once more, from the
 * transcripts alone, and held against results.json; and transcripts are held against samples.
 *
 *     Rechecks all = {0};
 *     TRY(recheck_run(&all, "run/mini/tuned-words", results));
 *     all.at[0].differs.n == 0                          results.json says what the transcripts say
 *     rechecks_drop(&all);
 *
 * Of transcripts: success (their share that succeeded), success@k (in at most k steps) and reward (the mean).
 * Each question must have one transcript and one sample, which agree on success and on what the model said.
 * A benchmark without transcripts is computed from its samples: the mean of its main metric. */
#ifndef STUDY_RECHECK_H
#define STUDY_RECHECK_H

#include <jansson.h>

#include "base/array.h"
#include "base/str.h"

typedef struct {
    char *benchmark;
    int64_t episodes, samples; /* episodes 0: it has no transcripts */
    int64_t values;            /* that were computed once more */
    int64_t differences;
    Str differs; /* the first few of them, as sentences */
} Recheck;
typedef Array(Recheck) Rechecks;

/* Adds one for each benchmark of `results`, the content of the folder's results.json.  What cannot be read is
 * a difference. */
void recheck_run(Rechecks *out, const char *folder, const json_t *results);
void rechecks_drop(Rechecks *all);

#endif
