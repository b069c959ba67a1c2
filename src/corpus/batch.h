/* A few documents read by one thread and worked on by many: how the passes over a corpus keep order and
 * memory.
 *
 *     while (batch_fill(&b, reader) == ST_OK && b.n) {
 *         batch_each(&b, threads, work, context);    // work(context, &b.items[i], i, thread)
 *         for (i = 0; i < b.n; i++) ...              // in order again
 *     }
 *     batch_drop(&b); */
#ifndef CORPUS_BATCH_H
#define CORPUS_BATCH_H

#include "corpus/reader.h"

enum { BATCH_ITEMS = 1024, BATCH_BYTES = 4 << 20 }; /* it ends when it has that many documents or bytes */

typedef struct {
    Document doc; /* raw until finished; its spans stay valid until the next fill */
    DocumentStore store;
    Str line;           /* the work's output                  */
    uint64_t high, low; /* XXH3 of the text, where the work computes it */
    int rule;           /* which cleaning rule it broke, or -1 */
} BatchItem;

typedef struct {
    BatchItem *items;
    int64_t n;
    Str raw; /* of all items */
} Batch;

MUST_CHECK Status batch_fill(Batch *b, Reader *r);
void batch_drop(Batch *b);

typedef void BatchWork(void *context, BatchItem *item, int64_t i, int thread);
void batch_each(Batch *b, int threads, BatchWork *work, void *context);

#endif
