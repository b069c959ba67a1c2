/* The list of all benchmarks, in the order in which they are told. */
#include "eval/benchmark.h"

#include "eval/agents/mint.h"
#include "eval/static/text_benchmarks.h"

const Benchmark *const benchmarks[] = {
    &mint_gsm8k,      &mint_math,           &mint_theoremqa,
    &mint_hotpotqa,   &mint_mmlu,           &mint_humaneval,
    &mint_mbpp,       &own_tasks,           &gsm8k_benchmark,
    &bbh_benchmark,   &mmlu_stem_benchmark, &mmlu_humanities_benchmark,
    &mmlu_social_sciences_benchmark, &mmlu_other_benchmark,
    NULL,
};
