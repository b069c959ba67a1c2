/* Scores of a finished run: results.json in the shape of lm-evaluation-harness (lm_eval/evaluator.py and
 * loggers/evaluation_tracker.py of EleutherAI/lm-evaluation-harness), and what people read.
 *
 * {"results": {"mint_gsm8k": {"alias", "success,none": 0.58, "success_stderr,none": 0.07,
 *                             "success_ci95,none": [0.44, 0.71], "sample_len": 48}, ...},
 *  "groups": {...}, "group_subtasks", "configs", "versions", "n-shot", "higher_is_better",
 *  "n-samples": {"mint_gsm8k": {"original", "effective"}}, "config": {"model", ...}, "date",
 *  "total_evaluation_time_seconds", "lemur_version",
 *  "errors": {"mint_gsm8k": {"unreadable": 3, ...}}, "tokens": {...}} */
#ifndef EVAL_RESULTS_H
#define EVAL_RESULTS_H

#include <jansson.h>
#include <stdio.h>

#include "base/str.h"

/* What one benchmark came to. */
typedef struct {
    const char *name, *metric, *groups;
    int version;
    int64_t original; /* questions in the data */
    int64_t shots;
    json_t *samples; /* array of the samples' lines, ordered by doc_id; borrowed */
    json_t *config;  /* of the benchmark; borrowed */
} ResultsPart;

/* New reference; `head` (run.json's content) becomes "config". */
json_t *results_make(const ResultsPart *parts, size_t n, const json_t *head, double seconds);

/* The table for people: benchmark, n, score, interval, and groups below. */
void results_print(FILE *out, const json_t *results);

#endif
