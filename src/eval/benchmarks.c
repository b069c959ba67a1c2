/* The list of all benchmarks, in the order in which they are told. */
#include "eval/benchmark.h"

#include "eval/agents/mint.h"

const Benchmark *const benchmarks[] = {
    &mint_gsm8k,
    &mint_math,
    &mint_theoremqa,
    &mint_hotpotqa,
    &mint_mmlu,
    &mint_humaneval,
    &mint_mbpp,
    &own_tasks,
    NULL,
};
