/* What `lemur generate` prints of a text beside the text: tokens with their log-probabilities, and the whole
 * as JSON. */
#ifndef CLI_GENERATE_REPORT_H
#define CLI_GENERATE_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "infer/request.h"
#include "tokenizer/tokenizer.h"

/* One token a line: log-probability, rank, text, the most likely ones in its place. */
void generate_report_token(FILE *out, const Tokenizer *t, const RequestEvent *event);

/* The same as JSON: {"id", "text", "logprob", "rank", "top": [{"id", "text", "logprob"}]}; new reference. */
json_t *generate_report_token_json(const Tokenizer *t, const RequestEvent *event);

/* JSON holds text only: bytes that are none, as a model may write, become U+FFFD.  New reference. */
json_t *generate_report_text(Span s);

/* Everything of a result but the text itself; new reference. */
json_t *generate_report_result(const RequestResult *r, const char *const *stops);
double generate_report_rate(int64_t n, double seconds); /* n a second; 0 where no time passed */

#endif
