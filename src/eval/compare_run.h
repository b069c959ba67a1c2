/* One of two runs that are compared; for compare.c. */
#ifndef EVAL_COMPARE_RUN_H
#define EVAL_COMPARE_RUN_H

#include <jansson.h>

#include "base/map.h"
#include "base/str.h"

typedef struct {
    const char *folder; /* borrowed */
    json_t *identity;   /* run.json */
    json_t *results;    /* results.json, NULL where the run is not finished */
    Map *names;         /* benchmarks that it has samples of */
} ComparedRun;

/* ST_ARG: no folder, no run, or no samples in it.  Closed by the caller in any case. */
MUST_CHECK Status compared_run_open(ComparedRun *r, const char *folder);
void compared_run_close(ComparedRun *r);

/* What `benchmark` says of itself in run.json; NULL: nothing. */
const json_t *compared_run_facts(const ComparedRun *r, const char *benchmark);
/* The main metric, or NULL: neither results.json nor this program knows it. */
const char *compared_run_metric(const ComparedRun *r, const char *benchmark);
/* Whether results.json has a value of that metric, or is not there to tell. */
bool compared_run_may_have(const ComparedRun *r, const char *benchmark, const char *metric);
/* Adds the names of the groups that `benchmark` is in, as map keys. */
void compared_run_groups(const ComparedRun *r, const char *benchmark, Map *groups);

/* The samples of a benchmark that have `metric`, as an array, and where each id stands in it.
 *   ST_FORMAT  a line has no id, or not that metric: named      ST_IO */
MUST_CHECK Status compared_run_samples(const ComparedRun *r, const char *benchmark, const char *metric,
                                       json_t **samples, Map **at);

#endif
