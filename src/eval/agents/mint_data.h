/* What a task of MINT reads: questions, and prompt texts.  All of it is data; the folder is laid out as
 * xingyaoww/mint-bench is, below mint/. */
#ifndef EVAL_AGENTS_MINT_DATA_H
#define EVAL_AGENTS_MINT_DATA_H

#include "env/household_task.h"
#include "env/household_tools.h"
#include "eval/agents/mint.h"

/* Files are below the data folder; NULL: there is none. */
typedef struct {
    const char *name, *questions, *template, *examples, *tools; /* tools: their descriptions */
    bool code;                                                  /* a program graded by tests */
} MintKind;
extern const MintKind mint_kinds[MINT_TASKS];

/* Shared by all questions of a task. */
typedef struct {
    MintTask task;
    Str template, tools, feedback_template;
    Str examples[HOUSEHOLD_TASKS]; /* the first alone, but of the household's types */
} Mint;

/* Errors name the missing file and say how to get it. */
MUST_CHECK Status mint_data_questions(Questions *out, const EvalRun *run, MintTask task);
/* The hash of each text goes into *facts under its file's name. */
MUST_CHECK Status mint_data_prompts(Mint *m, const EvalRun *run, json_t *facts);
/* The one for this question; a view. */
Span mint_example(const Mint *m, const Question *q);
void mint_data_drop(Mint *m);

#endif
