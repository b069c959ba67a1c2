/* Scores of a finished run: results.json in the shape of lm-evaluation-harness (lm_eval/evaluator.py and
 * loggers/evaluation_tracker.py of EleutherAI/lm-evaluation-harness), and what people read.
 *
 * {"results": {"mint_gsm8k": {"alias", "success,none": 0.58, "success_stderr,none": 0.07,
 *                             "success_ci95,none": [0.44, 0.71], "sample_len": 48}, ...},
 *  "groups": {"mint": ...}, "group_subtasks": {"mint": ["mint_gsm8k", ...]}, "configs", "versions", "n-shot",
 *  "higher_is_better", "n-samples": {"mint_gsm8k": {"original", "effective"}}, "config": run.json, "date",
 *  "task_hashes", "total_evaluation_time_seconds": "12.5",
 *  and, ours alone:
 *  "metrics": {"mint_gsm8k": "success"},                        the main one
 *  "curves":  {"mint_gsm8k": {"success": [0.3, 0.5, 0.58]}},    of success@1, @2, @3
 *  "errors":  {"mint_gsm8k": {"unreadable": 3}},
 *  "tokens":  {"mint_gsm8k": {"prompt", "completion", "calls", "retries"}},
 *  "seconds": {"mint_gsm8k": {"model", "total"}},               sums over questions; of a model that gave
 * feedback beside them "feedback_prompt", "feedback_completion", "feedback_calls" and "feedback"
 *  "means_of_parts": {"bbh": {"exact_match,none", "exact_match_stderr,none", "parts"}}}
 *
 * A metric named "exact_match,strict-match" is one of answers read by a filter, and its keys are lm-eval's:
 * "exact_match,strict-match" and "exact_match_stderr,strict-match"; without a filter it is "none".
 *
 * A benchmark whose questions have parts has an entry NAME_PART for each.  A group of two or more benchmarks
 * has the metrics that all of them have, as the mean over all questions, with pooled_sample_stderr of
 * lm_eval/api/metrics.py; as there, groups stand among the results too, and an error of fewer than two values
 * is "N/A".  Intervals are Wilson's where every value is 0 or 1, normal where all are between, and absent
 * otherwise. */
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

/* New reference; `head` (run.json's content) becomes "config".  Its "lemur_version" stands at the top as
 * well, and as "model_name" what it has under "model": a text, or an object's "name", "model" or "path". */
json_t *results_make(const ResultsPart *parts, size_t n, const json_t *head, double seconds);

/* The table for people: benchmark, n, score, interval; groups, curves, errors and costs below. */
void results_print(FILE *out, const json_t *results);

/* The key of a metric's value (kind ""), "_stderr" or "_ci95"; caller frees. */
char *results_key(const char *metric, const char *kind);
/* The name of such a model; "" where there is none; borrowed. */
const char *results_model_name(const json_t *head);

#endif
