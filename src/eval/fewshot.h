/* Examples in front of a question, and the text files that hold them.
 *
 *     Fewshot f = {0};
 *     str_adds(&f.head, "...");            // in front of all
 *     fewshot_add(&f, example);            // each as it stands in the prompt, what ends it included
 *     fewshot_prompt(&out, &f, 5, question);
 *     fewshot_drop(&f);
 *
 * Once it is filled, any number of threads may make prompts of it. */
#ifndef EVAL_FEWSHOT_H
#define EVAL_FEWSHOT_H

#include <jansson.h>

#include "base/array.h"
#include "base/str.h"

typedef struct {
    Str head;
    Str shots; /* one behind the other */
    Array(size_t) ends;
} Fewshot;

void fewshot_add(Fewshot *f, Span shot);
void fewshot_drop(Fewshot *f);
/* Appends head, the first n examples and the question. */
void fewshot_prompt(Str *out, const Fewshot *f, int64_t n, Span question);

/* How many to use: `asked` (settings.shots), or `own` where that is -1.  ST_ARG: there are fewer; `where` is
 * the file that has them. */
MUST_CHECK Status fewshot_count(int64_t *n, const Fewshot *f, int64_t asked, int64_t own, const char *where);

/* Appends a whole text file below the data folder; UTF-8, at most 16 MB.
 *   ST_IO      not there, and the sentence says how it is got; or not to be read
 *   ST_FORMAT  no UTF-8, or empty      ST_LIMIT  too large */
MUST_CHECK Status data_text(Str *out, const char *data, const char *file);

/* {"shots", "prompt": what, "prompt_sha256"} of the head and the first n examples: for Questions.facts, so
 * that a run notices other prompts.  New reference. */
json_t *fewshot_facts(const Fewshot *f, int64_t n, const char *what);

#endif
