/* MMLU's subjects and their files, as published: SUBJECT_dev.csv and SUBJECT_test.csv, each row a question,
 * four choices and the right one's letter (hendrycks/test 4450500, evaluate.py). */
#ifndef EVAL_STATIC_MMLU_DATA_H
#define EVAL_STATIC_MMLU_DATA_H

#include "base/array.h"
#include "eval/benchmark.h"
#include "eval/fewshot.h"

typedef enum { STEM, HUMANITIES, SOCIAL_SCIENCES, OTHER } MmluCategory;

enum { MMLU_SUBJECTS = 57, MMLU_CHOICES = 4 };
extern const char *const mmlu_subjects[MMLU_SUBJECTS];
extern const MmluCategory mmlu_categories[MMLU_SUBJECTS];

/* Adds the test questions of a category to *out; id "abstract_algebra/12", part the subject, doc as in
 * cais/mmlu:
 * {"subject", "question", "choices": [4], "answer": 0 .. 3}.  prompts[MMLU_SUBJECTS], all {0}, get the
 * examples of the dev files; other subjects' stay empty.  Read from below `data`, the first of mmlu/test,
 * mmlu/dev             mmlu/data/test, mmlu/data/dev             mmlu/data.tar, not unpacked Rows that are no
 * question are counted in out->bad, and the first is told. ST_IO      a file is missing: all of a category
 * must be there ST_FORMAT  no CSV, no question in a file, or a bad row among the examples */
MUST_CHECK Status mmlu_read(Questions *out, Fewshot prompts[MMLU_SUBJECTS], const char *data,
                            MmluCategory category);

/* Appends the question and its choices, up to and with "\nAnswer:". */
void mmlu_ask_text(Str *out, const json_t *doc);

#endif
