/* What an agent did in an episode, action by action, whichever way it acts: from a line of
 * transcripts_*.jsonl.
 *
 *     ExploreTrace t = {0};
 *     TRY(explore_trace(&t, line, "games"));
 *     t.acts.at[0].action                        "go to fridge 1"
 *     explore_trace_drop(&t); */
#ifndef STUDY_EXPLORE_TRACE_H
#define STUDY_EXPLORE_TRACE_H

#include <jansson.h>

#include "base/array.h"
#include "study/explore_looks.h"

/* By the action's own words; docs/study.md. */
typedef struct {
    char *action, *heard; /* white space made even; what came of it, "" where it was not kept */
    char *state;          /* in which it was done: equal where the state is */
    bool looks;           /* it is one that looks */
    bool failed;          /* nothing happened, or an error */
} ExploreAct;

typedef struct {
    ExploreWorld world;
    char *task, *opening;
    bool success;
    bool exact; /* states are the game's own, else read off the texts */
    int64_t answers;
    Array(ExploreAct) acts;
    char *last_state; /* behind the last */
} ExploreTrace;

/* *out is the caller's to drop in any case.  `games`: a folder of the household's games; the game that the
 * task names is played again, for the true states; NULL, or it has no such game: states by the texts.
 *   ST_FORMAT       the game there says other things than the transcript: it is another
 *   ST_UNSUPPORTED  the transcript does not hold the commands that its code gave: it is of an older lemur */
MUST_CHECK Status explore_trace(ExploreTrace *out, const char *benchmark, const json_t *transcript,
                                const char *games);
void explore_trace_drop(ExploreTrace *t);

#endif
