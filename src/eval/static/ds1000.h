/* DS-1000: lines of Python with pandas, NumPy and five other libraries, from StackOverflow.  Lai et al. 2022,
 * arXiv:2211.11501; xlang-ai/DS-1000. */
#ifndef EVAL_STATIC_DS1000_H
#define EVAL_STATIC_DS1000_H

#include "eval/benchmark.h"

/* Facts of test_ds1000.py and run_inference.py there: the program is code_context, then `code` with the
 * answer as a string, test_execution(code) and, where the context defines it, test_string(code); 120 s;
 * greedy for one answer, T 0.2 for several; stops "</code>" and "# SOLUTION END"; an answer is cut at
 * "</code>", at a bare fence and at
 * "\nEND SOLUTION", and loses "```python" and "<code>".  A chat model's words in front of its fence, which
 * that rule would leave in the program, are passed over (rule "fence").
 *
 * The published system message for chat models is data: ds1000/system.txt, where it is there.
 *
 * Parts are libraries.  A question is asked only where every module that its context and prompt import can be
 * imported in the sandbox, which is tried once; the others are told and counted in Questions.left_out. */
extern const Benchmark ds1000;

#endif
