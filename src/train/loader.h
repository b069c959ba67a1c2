/* Batches from packed rows.  Which row comes next is a pure function of a counter (how many rows the whole
 * run has taken so far), the seed and the setting; there is no state to save.  One loader per split and
 * thread; it owns its ShardSet.
 *
 * Epoch e takes every row once: as they lie where `packed` and e = 0, for the packer has mixed them and every
 * stretch of them keeps its ratio of sources; else permuted by order_at(seed, e).  Rank r's sequence b of
 * micro-step k of step s is row number ((s * micro_steps + k) * ranks + r) * batch + b, so ranks never share
 * a row.
 *
 * Targets are the next ids, also across the border of two documents: a document's end predicts the next one's
 * start, and every byte of held-out text is paid for.  In a set with a mask (`lemur tune`) only the ids that
 * it marks are targets.  Where documents are isolated, positions restart and attention ends at borders. */
#ifndef TRAIN_LOADER_H
#define TRAIN_LOADER_H

#include "corpus/shard.h"
#include "model/model.h"

typedef struct {
    uint64_t seed;
    bool packed; /* the first epoch in the order of the file */
    int64_t micro_steps, ranks, rank;
    int64_t shift; /* by so many rows each step comes later than its number says (RunState) */
} LoaderOrder;

/* One batch.  Sequences from `n` on are padding: id 0, no targets; and so is the end of a padded row. */
typedef struct {
    Batch batch;
    int64_t n;              /* rows of data in it, at most the loader's batch */
    int64_t targets;        /* positions that count                           */
    const int64_t *rows;    /* [n] their numbers in the split                 */
    const int32_t *sources; /* [n]                                            */
    const int32_t *counted; /* [n] targets of each                            */
    const int64_t *bytes;   /* [n] of text their targets stand for; -1 unknown */
} LoaderBatch;

typedef struct Loader Loader;

/* split: "train" or "held_out".  Failures of shards_open. */
MUST_CHECK Status loader_open(Loader **out, const char *folder, const char *split, int64_t batch);
void loader_close(Loader *l);
const ShardSet *loader_set(const Loader *l);
int64_t loader_context(const Loader *l); /* T */

/* The row that is sequence b of micro-step k of step s. */
int64_t loader_row_at(const Loader *l, const LoaderOrder *order, int64_t step, int64_t micro_step, int64_t b);
/* Micro-step k of step s of a training run.  *out is valid until the next call.  ST_FORMAT: a damaged row;
 * the split must have rows. */
MUST_CHECK Status loader_step(Loader *l, const LoaderOrder *order, int64_t step, int64_t micro_step,
                              LoaderBatch *out);
/* Sequences [first, first + batch) of `count` that are spread evenly over the split: for evaluation. */
MUST_CHECK Status loader_spread(Loader *l, int64_t count, int64_t first, LoaderBatch *out);

#endif
