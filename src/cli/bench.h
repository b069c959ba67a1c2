/* The parts of `lemur bench`, one file each; argv[0] is "bench NAME". */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include <stdint.h>

/* Sorts n > 0 values. */
double bench_median(double *values, int64_t n);

int bench_agent(int argc, char **argv);
int bench_corpus(int argc, char **argv);
int bench_engine(int argc, char **argv);
int bench_env(int argc, char **argv);
int bench_gemm(int argc, char **argv);
int bench_infer(int argc, char **argv);
int bench_ops(int argc, char **argv);
int bench_tokenizer(int argc, char **argv);
int bench_train(int argc, char **argv);

#endif
