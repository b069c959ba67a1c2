/* The list of all benchmarks, in the order in which they are told. */
#include "eval/benchmark.h"

const Benchmark *const benchmarks[] = {
    NULL,
};
