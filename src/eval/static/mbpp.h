/* MBPP: small Python functions from a sentence and three tests.  Austin et al. 2021, arXiv:2108.07732;
 * google-research/google-research, mbpp. */
#ifndef EVAL_STATIC_MBPP_H
#define EVAL_STATIC_MBPP_H

#include "eval/benchmark.h"

/* Questions are task_id 11 to 510, the paper's test set; examples are 2, 3, 4, then 5 to 10 (settings.shots,
 * by default 3).  Reads mbpp/mbpp.jsonl as published, or mbpp/ic_mbpp.json of princeton-nlp/intercode, which
 * has other names for the same.  The program is answer + test_setup_code + tests, a line each; right iff
 * nothing is raised within 3 s (OpenLemur/Lemur, xchat/eval/mbpp/execution.py).
 *
 * The words around a task are data: mbpp/prompt.txt, in the form of prompt_fill (agent/prompt.h), is one
 * example with holes {text}, {tests} and {code}, its end included.  The paper's is of this shape, with a line
 * [BEGIN] in front of the code and a line [DONE] behind it: an answer is taken from the former, if it repeats
 * it, to the latter.  Without the file the form is a plain one of our own, with the code in a fence.  The
 * sample says which
 * ("prompt"). */
extern const Benchmark mbpp;

#endif
