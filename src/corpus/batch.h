/* A pass over many documents: read by one thread at a time, worked on by many, and taken in order by one.
 *
 *     Status take(void *context, const Batch *b, bool *enough)
 *     {
 *         for (int64_t i = 0; i < b->n; i++) ...    // in the order in which they were read
 *     }
 *     Batches batches = {0};
 *     Status st = batches_run(&batches, reader, threads, work, take, context);
 *     batches_drop(&batches);
 *
 * Three batches are under way: while one is read, the documents of the one before it are worked on, and the
 * one before that is taken, so no processor waits for reading or taking.  What is read, worked on and taken
 * does not depend on the number of threads. */
#ifndef CORPUS_BATCH_H
#define CORPUS_BATCH_H

#include "corpus/reader.h"
#include "tokenizer/tokenizer.h"

enum { BATCH_ITEMS = 512, BATCH_BYTES = 1 << 20 }; /* it ends when it has that many documents or bytes */

typedef struct {
    Document doc; /* raw until finished; its spans stay valid while the batch is worked on and taken */
    DocumentStore store;
    /* What the work makes of it. */
    Str line;
    Ids ids;
    int64_t extra;
    uint64_t high, low; /* XXH3 of the text                     */
    int rule;           /* which cleaning rule it broke, or -1  */
} BatchItem;

typedef struct {
    BatchItem *items;
    int64_t n;
    int64_t files, consumed; /* reader_files and reader_consumed, behind its last document */
    Str raw;                 /* of all items */
} Batch;

typedef struct {
    Batch at[3];
} Batches;

typedef void BatchWork(void *context, BatchItem *item, int thread);    /* on any thread, in any order */
typedef Status BatchTake(void *context, const Batch *b, bool *enough); /* *enough: the pass ends here */

/* Failures of reader and take; ST_CANCELLED (stop.h).  The memory of one pass serves the next. */
MUST_CHECK Status batches_run(Batches *b, Reader *r, int threads, BatchWork *work, BatchTake *take,
                              void *context);
void batches_drop(Batches *b);

#endif
