/* lemur bench: a table of what can be measured.  docs/speed.md says how to read the figures. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/bench.h"
#include "cli/cmd.h"

typedef struct {
    const char *name, *does;
    int (*run)(int argc, char **argv);
} Part;

static const Part parts[] = {
    {"gemm", "what this machine can do: matrix products, reading memory", bench_gemm},
    {"ops", "each operation in each table: time, rate, share of what the machine can do", bench_ops},
    {"tokenizer", "text to ids: bytes a second", bench_tokenizer},
    {"corpus", "building and packing a corpus: bytes of input a second and core", bench_corpus},
    {"train", "whole training steps of a preset shape: tokens/s, MFU, memory", bench_train},
};
enum { PARTS = sizeof parts / sizeof parts[0] };

static void overview(FILE *out)
{
    fputs("usage: lemur bench PART [flags]\n\nparts:\n", out);
    for (size_t i = 0; i < PARTS; i++)
        fprintf(out, "  %-12s %s\n", parts[i].name, parts[i].does);
    fputs("\nlemur bench PART --help says more about one.  Run it when nothing else runs.\n", out);
}

static const Part *find_part(const char *name)
{
    const char *names[PARTS];
    for (size_t i = 0; i < PARTS; i++) {
        names[i] = parts[i].name;
        if (strcmp(parts[i].name, name) == 0)
            return &parts[i];
    }
    const char *near = nearest_name(name, names, PARTS);
    if (near)
        log_error("bench has no part '%s'; did you mean '%s'?", name, near);
    else
        log_error("bench has no part '%s'; lemur bench --help lists them", name);
    return NULL;
}

int cmd_bench(int argc, char **argv)
{
    if (argc < 2) {
        overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        overview(stdout);
        return EXIT_DONE;
    }
    const Part *p = find_part(argv[1]);
    if (!p)
        return EXIT_USAGE;
    char name[64]; /* what usage lines call it */
    snprintf(name, sizeof name, "bench %s", p->name);
    argv[1] = name;
    return p->run(argc - 1, argv + 1);
}
