/* What feedback is worth: the same tasks with observations, with a second model's words, with both, with
 * neither.
 *
 *     const char *runs[] = {"neither", "observations", "hints", "both"};
 *     json_t *study;
 *     TRY(gain_study(&study, &(GainSpec){.runs = runs, .runs_n = 4}));
 *     gain_print(stdout, study);
 *
 * A run of `lemur eval` is of one condition, by its settings: environment feedback where observations are
 * told and there is a second step to use them in, language feedback where there is a feedback model, and
 * likewise.  Runs are grouped by model, benchmark and data, and compared task by task.  docs/study.md says
 * how to read it. */
#ifndef STUDY_GAIN_H
#define STUDY_GAIN_H

#include <jansson.h>
#include <stdio.h>

#include "base/status.h"

/* Bits: 1 language, 2 environment. */
typedef enum { GAIN_NEITHER, GAIN_LANGUAGE, GAIN_ENVIRONMENT, GAIN_BOTH, GAIN_CONDITIONS } GainCondition;
extern const char *const gain_condition_names[GAIN_CONDITIONS];

/* By the "config" of results.json, and the steps of one of its benchmarks. */
GainCondition gain_condition(const json_t *config, const char *benchmark);

typedef struct {
    const char *const *runs; /* folders; one of `lemur eval --steps 1-5` is its runs of 1, 2, ... steps */
    size_t runs_n;
    const char *untuned; /* benchmarks that the models were never tuned on, with commas between, or NULL */
} GainSpec;

/* *out is a new reference: study.json, docs/study.md.
 *   ST_IO    no folder, or no finished run in it
 *   ST_ARG   two runs of the same model, tasks, condition and steps; a name in `untuned` that no run has; no
 *            group of two conditions */
MUST_CHECK Status gain_study(json_t **out, const GainSpec *spec);
void gain_print(FILE *out, const json_t *study);

#endif
