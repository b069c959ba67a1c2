/* MultiPL-E: HumanEval and MBPP in other languages.  Cassano et al. 2022, arXiv:2208.08227; nuprl/MultiPL-E.
 */
#ifndef EVAL_STATIC_MULTIPL_E_H
#define EVAL_STATIC_MULTIPL_E_H

#include "eval/benchmark.h"

/* Reads multipl_e/humaneval-LANGUAGE-reworded.jsonl (or .json, an array), one question an object:
 *     name, language, prompt, doctests, original, prompt_terminology, tests, stop_tokens
 * for the languages of languages.h whose file is there; a language whose tool is not in the sandbox is told
 * and its questions are counted in Questions.left_out.  Parts are languages; the program, its limits and its
 * verdict: code_splice.h, languages.h; 15 s.  Greedy for one answer, T 0.2 for several. */
extern const Benchmark multipl_e, multipl_e_mbpp;

#endif
