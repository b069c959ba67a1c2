/* How agents look before they act: of each episode how much is looked at, found, repeated and left unused;
 * and of the same tasks in two runs which of these differ, such as between commands and Python.
 *
 *     const char *runs[] = {"commands", "python"};
 *     json_t *study;
 *     TRY(explore_study(&study, &(ExploreSpec){.runs = runs, .runs_n = 2, .games = "games"}));
 *     explore_print(stdout, study);
 *
 * docs/study.md has the definitions, which are those of explore.c. */
#ifndef STUDY_EXPLORE_H
#define STUDY_EXPLORE_H

#include <stdio.h>

#include "study/explore_trace.h"

typedef enum {
    EXPLORE_SUCCESS,
    EXPLORE_ANSWERS,
    EXPLORE_ACTIONS,
    EXPLORE_STATES,
    EXPLORE_OBSERVATIONS,
    EXPLORE_REPEATED,
    EXPLORE_FAILED,
    EXPLORE_LOOKS,
    EXPLORE_LOOKS_FIRST,
    EXPLORE_UNSEEN,
    EXPLORE_NEEDLESS,
    EXPLORE_UNUSED,
    EXPLORE_DELAY,
    EXPLORE_MEASURES
} ExploreMeasure;
typedef struct {
    const char *name, *about;
} ExploreMeasureKind;
extern const ExploreMeasureKind explore_measures[EXPLORE_MEASURES];

/* out[EXPLORE_MEASURES]; NAN: the episode or its world has no such thing.  budget: actions it may have. */
void explore_measure(double *out, const ExploreTrace *t, int64_t budget);

typedef struct {
    const char *const *runs;
    size_t runs_n;
    const char *games; /* folder of the household's games; NULL: states are read off the texts */
} ExploreSpec;

/* *out is a new reference: study.json, docs/study.md.
 *   ST_IO    no folder, or no finished run in it     ST_ARG  no run has an episode of a world with a state
 *   ST_FORMAT, ST_UNSUPPORTED  as of explore_trace */
MUST_CHECK Status explore_study(json_t **out, const ExploreSpec *spec);
void explore_print(FILE *out, const json_t *study);

#endif
