/* Benchmarks of one answer to one question, marked by reading it: no sandbox, no episodes.  What each is, its
 * file says; benchmarks.c lists them. */
#ifndef EVAL_STATIC_TEXT_BENCHMARKS_H
#define EVAL_STATIC_TEXT_BENCHMARKS_H

#include "eval/benchmark.h"

extern const Benchmark gsm8k_benchmark, bbh_benchmark;
extern const Benchmark mmlu_stem_benchmark, mmlu_humanities_benchmark, mmlu_social_sciences_benchmark,
    mmlu_other_benchmark;

#endif
