/* The list of all benchmarks, in the order in which they are told. */
#include "eval/benchmark.h"

#include "eval/agents/alfworld.h"
#include "eval/agents/intercode.h"
#include "eval/agents/mint.h"
#include "eval/agents/robocodegen.h"
#include "eval/static/ds1000.h"
#include "eval/static/humaneval.h"
#include "eval/static/mbpp.h"
#include "eval/static/multipl_e.h"
#include "eval/static/spider.h"
#include "eval/static/text_benchmarks.h"

const Benchmark *const benchmarks[] = {
    &mint_gsm8k,
    &mint_math,
    &mint_theoremqa,
    &mint_hotpotqa,
    &mint_mmlu,
    &mint_humaneval,
    &mint_mbpp,
    &mint_alfworld,
    &alfworld,
    &alfworld_python,
    &ic_sql,
    &ic_ctf,
    &ic_bash,
    &robocodegen,
    &robocodegen_flat,
    &robocodegen_debug,
    &own_tasks,
    &mmlu_stem_benchmark,
    &mmlu_humanities_benchmark,
    &mmlu_social_sciences_benchmark,
    &mmlu_other_benchmark,
    &bbh_benchmark,
    &gsm8k_benchmark,
    &humaneval,
    &mbpp,
    &multipl_e,
    &multipl_e_mbpp,
    &ds1000,
    &spider,
    &spider_intercode,
    NULL,
};
