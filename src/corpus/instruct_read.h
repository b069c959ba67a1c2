/* Inside instruct_set: the first pass.  Records of a source become rendered, proved examples in a store; what
 * cannot be used goes to a list of its own, with its reason. */
#ifndef CORPUS_INSTRUCT_READ_H
#define CORPUS_INSTRUCT_READ_H

#include "base/file.h"
#include "base/log.h"
#include "corpus/batch.h"
#include "corpus/dedup.h"
#include "corpus/example_store.h"
#include "corpus/instruct_count.h"
#include "corpus/instruct_recipe.h"

typedef struct {
    InstructExamples examples;
    Ids ids;
    ChatMask mask;
} InstructScratch;

typedef struct {
    const InstructRecipe *recipe;
    const Tokenizer *tok;
    const ChatTemplate *tmpl;
    int threads;
    uint64_t seed;
    ExampleStore *store;
    FileWriter *rejected;
    Dedup *dedup; /* NULL: none          */
    Progress *progress;
    double done_bytes; /* of sources that are done */
    /* Set by the pass: */
    uint16_t *id_bytes;       /* [vocab] of text that a token stands for, 0 for special ones */
    InstructScratch *scratch; /* [threads + 1]: one for each that works, one for the one that takes */
    Batches batches;
    Str line;
    size_t source; /* being read           */
    InstructOptions options;
    InstructCount *count;
    Str first_why; /* of the source's first broken record, with its place */
} InstructReading;

void instruct_read_start(InstructReading *r);
void instruct_read_drop(InstructReading *r);

/* Reads one source into the store.
 *   ST_ARG     no file, or records of no known format, or of several: the sentence shows one
 *   ST_FORMAT  more than max_rejected of it is broken, or a mask is not proved: the sentence has the place
 *   ST_IO, ST_CANCELLED (stop.h) */
MUST_CHECK Status instruct_read(InstructReading *r, size_t source, InstructCount *count);

#endif
