/* MINT: multi-turn interaction with a Python tool and, where a second model gives it, language feedback
 * (Wang et al. 2023, arXiv:2309.10691; protocol and marks after xingyaoww/mint-bench, as recorded for the
 * Lemur paper).  mint.c is the family's protocol; each of its tasks is a Benchmark. */
#ifndef EVAL_AGENTS_MINT_H
#define EVAL_AGENTS_MINT_H

#include "eval/benchmark.h"

/* Where its files are published. */
#define MINT_BENCH \
    "https://raw.githubusercontent.com/xingyaoww/mint-bench/3f7f12c10bf763be1e6dbdeb42feb57624121f61/"

extern const Benchmark mint_gsm8k, mint_math, mint_theoremqa, mint_hotpotqa, mint_mmlu, mint_humaneval,
    mint_mbpp, mint_alfworld;
extern const Benchmark own_tasks;

/* The question as the model is shown it, from the data file's; appends.  Each task has its own way with
 * spaces and a word in front (mint-bench, mint/tasks/reasoning.py and codegen.py).  Not of MINT_ALFWORLD,
 * whose questions are the games' (household_question). */
typedef enum {
    MINT_GSM8K,
    MINT_MATH,
    MINT_THEOREMQA,
    MINT_HOTPOTQA,
    MINT_MMLU,
    MINT_HUMANEVAL,
    MINT_MBPP,
    MINT_ALFWORLD,
    MINT_OWN,
    MINT_TASKS
} MintTask;
void mint_question(Str *out, MintTask task, Span prompt);

/* The tools' descriptions are written from these (below the data folder) where they are not there themselves.
 */
#define MINT_TOOLSET_FILE "mint/tools/__init__.py"
#define MINT_WIKIPEDIA_FILE "mint/tools/wikipedia_search.py"
#define MINT_HOUSEHOLD_FILE "mint/tools/alfworld.py"

/* The tasks' open, ask and close (benchmark.h). */
MUST_CHECK Status mint_open(MintTask task, const EvalRun *run, Questions *out, void **state);
MUST_CHECK Status mint_ask(const EvalRun *run, void *state, const Question *q, Sample *out);
void mint_close(void *state);

#endif
