/* Why episodes failed: each failed one of a run's transcripts gets the first class of a list that fits it.
 *
 *     ErrorRun run = {0};
 *     TRY(errors_read(&run, "run/mini/tuned_scores"));
 *     run.counts[ERROR_TOOL]
 *     errors_drop(&run);
 *
 * The list, in its order:
 *   solved       the episode succeeded
 *   refused      the server did not take what the episode had come to
 *   context      the messages filled the model's context
 *   budget       tokens or seconds of the episode were used up
 *   format       no answer held an action that could be read
 *   gave up      the model said so, or answered without having acted at all
 *   tool error   the last action that ran ended in an error: it was not repaired
 *   repetition   the last three actions were the same
 *   wrong belief it acted without errors, and its last answer is wrong
 *   steps        none of these: it was under way when the steps were used up */
#ifndef STUDY_ERRORS_H
#define STUDY_ERRORS_H

#include <jansson.h>

#include "base/array.h"
#include "base/str.h"

typedef enum {
    ERROR_SOLVED,
    ERROR_REFUSED,
    ERROR_CONTEXT,
    ERROR_BUDGET,
    ERROR_FORMAT,
    ERROR_GAVE_UP,
    ERROR_TOOL,
    ERROR_REPETITION,
    ERROR_BELIEF,
    ERROR_STEPS,
    ERROR_CLASSES
} ErrorClass;
extern const char *const error_class_names[ERROR_CLASSES];

/* Of one line of transcripts_*.jsonl (docs/formats/eval-run.md). */
ErrorClass error_class(const json_t *transcript);

typedef struct {
    char *benchmark, *task;
    ErrorClass kind;
} ErrorEpisode;
typedef struct {
    char *folder;
    Array(ErrorEpisode) episodes; /* in the order of the files */
    int64_t counts[ERROR_CLASSES];
} ErrorRun;

/* All transcripts of a run of `lemur eval`.  *out is the caller's to drop in any case.  ST_IO: no folder, or
 * none in it. */
MUST_CHECK Status errors_read(ErrorRun *out, const char *folder);
void errors_drop(ErrorRun *run);

/* Of the episodes that both runs have: how many are of a class in the first alone and in the second alone,
 * and the two-sided p-value of that (McNemar, exact). */
typedef struct {
    int64_t common, first, second;
    double p;
} ErrorPair;
ErrorPair errors_compare(const ErrorRun *a, const ErrorRun *b, ErrorClass kind);

#endif
