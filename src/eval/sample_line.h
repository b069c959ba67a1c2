/* A sample as a line of samples_*.jsonl, in lm-evaluation-harness's shape with ours beside. */
#ifndef EVAL_SAMPLE_LINE_H
#define EVAL_SAMPLE_LINE_H

#include "eval/benchmark.h"

/* {"doc_id", "id", "part", "doc", "target", "arguments", "resps", "filtered_resps", "metrics", each metric,
 *  "kind", "doc_hash", "prompt_hash", "target_hash" (SHA-256), "prompt_tokens", ..., "seconds"}; new
 * reference. */
json_t *sample_line(const Question *q, int64_t doc_id, const Sample *s, double seconds);

/* SHA-256 in hexadecimal. */
void text_hash(char hex[65], Span text);
void json_hash(char hex[65], const json_t *value); /* of its compact text with sorted keys; of a string itself */

#endif
