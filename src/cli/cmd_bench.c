/* lemur bench: a table of what can be measured.  docs/speed.md says how to read the figures. */
#include <stdlib.h>

#include "cli/bench.h"
#include "cli/cmd.h"
#include "cli/parts.h"

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double bench_median(double *values, int64_t n)
{
    qsort(values, (size_t)n, sizeof *values, by_value);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

int cmd_bench(int argc, char **argv)
{
    static const Part parts[] = {
        {"gemm", NULL, "what this machine can do: matrix products, reading memory", bench_gemm, false},
        {"ops", NULL, "each operation in each table: time, rate, share of what the machine can do", bench_ops,
         false},
        {"tokenizer", "--vocab PATH FILE", "text to ids: bytes a second", bench_tokenizer, false},
        {"corpus", "[RECIPE.yaml]", "building and packing a corpus: bytes of input a second and core",
         bench_corpus, false},
        {"train", NULL, "whole training steps of a preset shape: tokens/s, MFU, memory", bench_train, false},
        {"infer", "-m PATH", "reading prompts and writing tokens: tokens/s, share of the memory's speed",
         bench_infer, false},
        {"engine", "-m PATH", "conversations, crowds and long prompts: what sharing and batching are worth",
         bench_engine, false},
        {"agent", NULL, "acting: sandboxes, Python sessions, programs on trial, recordings replayed",
         bench_agent, false},
        {"env", NULL, "worlds: steps of a household, queries, shell commands", bench_env, false},
    };
    return parts_run(parts, sizeof parts / sizeof parts[0], argc, argv);
}
