/* Is one run better than another?  Two runs' folders (runner.h), paired question by question: a difference
 * between models is small beside that between questions, so scores side by side would tell less.
 *
 * Pairs have one benchmark and one `id`; what only one of the runs has answered is counted and left out.
 * Difference: second run minus first, with a 95 % bootstrap interval over the pairs.  Test: McNemar's, exact,
 * where every value is 0 or 1; signs flipped at random otherwise.  With several benchmarks, p_holm is what
 * Holm's correction over them makes of p; parts and groups are not counted there. */
#ifndef EVAL_COMPARE_H
#define EVAL_COMPARE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/status.h"

/* {"first": {"folder", "model"}, "second": likewise,
 *  "benchmarks": {"gsm8k": {"metric", "n", "only_first", "only_second", "first": 0.5, "second": 0.6,
 *                           "difference", "ci95": [low, high], "first_better": 3, "second_better": 8,
 *                           "equal", "test": "McNemar" or "sign flips", "p", "p_holm", "parts": {...}}},
 *  "groups": {...}, "warnings": ["..."]}
 *
 * `metric`: compared in place of each benchmark's main one; NULL: the main ones.  A benchmark without it is
 * left out.  `parts`: each benchmark by part as well.  Warnings: prompts, questions, versions, data or
 * settings that differ, runs that are not finished, benchmarks that one run alone has.
 *   ST_ARG     a folder holds no run of lemur eval, or the two have no question in common
 *   ST_FORMAT  files of it are damaged (named, with the line)
 *   ST_IO      they cannot be read
 * *out is a new reference, set on ST_OK only. */
MUST_CHECK Status compare_runs(json_t **out, const char *first, const char *second, const char *metric,
                               bool parts);

void compare_print(FILE *out, const json_t *comparison);

#endif
