/* Puts the questions of benchmarks to a model, many at once, and keeps what came of each.
 *
 * The run's folder:
 *     run.json                    what was asked of whom: model, settings, hashes of data; compared on going on
 *     samples_<benchmark>.jsonl   a line for each question that was answered, written as it comes, whole
 *     transcripts_<benchmark>.jsonl  the episodes, where a benchmark has any
 *     results.json                at the end of everything: results.h
 *
 * A run that was stopped, killed or left by its server goes on where it stopped: questions whose samples are
 * there are not asked again, half a line at the end of a file is cut off. */
#ifndef EVAL_RUNNER_H
#define EVAL_RUNNER_H

#include "eval/benchmark.h"
#include "eval/fold.h"

typedef struct {
    const char *folder;               /* of the run; made where it is not there */
    const Benchmark *const *chosen;   /* [chosen_n] */
    size_t chosen_n;
    EvalRun run;
    Fold fold;                        /* the part of each benchmark's questions that may be asked */
    int64_t limit;                    /* questions of each benchmark, drawn from it; 0: all */
    uint64_t draw_seed;               /* of drawing; 0: settings.seed */
    int parallel;                     /* questions at once */
    bool restart;                     /* throw away what is in the folder */
    json_t *identity; /* who answers: model, its hash, template, context ...; goes into run.json, and must be
                       * the same when a run goes on; borrowed */
} RunnerSpec;

typedef struct {
    int64_t asked, answered, before; /* before: were there from an earlier sitting; failed = asked - answered */
    double seconds; /* of all sittings: of earlier ones what their questions took, so many at once */
} RunnerReport;

/* Runs to the end and writes results.json, or stops as soon as that makes sense:
 *   ST_OK         everything is answered
 *   ST_ARG        the folder holds a run of another model, other settings or other data (the sentence names
 *                 the difference); or a benchmark needs what is not here
 *   ST_PEER, ...  the model failed for good, or again and again; what was answered is kept, the sentence says
 *                 how to go on
 *   ST_CANCELLED  the run was stopped; what was answered is kept
 *   ST_IO         of the folder */
MUST_CHECK Status runner_run(RunnerReport *report, const RunnerSpec *spec);

#endif
