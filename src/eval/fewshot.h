/* Examples in front of a question.
 *
 *     Fewshot f = {0};
 *     fewshot_add(&f, example);            // each as it stands in the prompt, what parts them included
 *     str_adds(&f.before, "Question: ");
 *     str_adds(&f.after, "\nAnswer:");
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
    Str head;  /* in front of all */
    Str shots; /* one behind the other */
    Array(size_t) ends;
    Str before, after; /* the question */
} Fewshot;

void fewshot_add(Fewshot *f, Span shot);
void fewshot_drop(Fewshot *f);
/* Appends the head, the first n examples, and the question between what stands before and after it. */
void fewshot_prompt(Str *out, const Fewshot *f, int64_t n, Span question);

/* How many to use: `asked` (settings.shots), or `own` where that is -1.  ST_ARG: there are fewer; `where` is
 * the file that has them. */
MUST_CHECK Status fewshot_count(int64_t *n, const Fewshot *f, int64_t asked, int64_t own, const char *where);

/* {"shots": n, "prompt": what, "prompt_sha256"} of f[0..prompts) one behind the other, with n examples each
 * and without a question: for Questions.facts, so that a run notices other prompts.  New reference. */
json_t *fewshot_facts(const Fewshot *f, size_t prompts, int64_t n, const char *what);

#endif
