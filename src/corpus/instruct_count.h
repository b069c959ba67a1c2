/* Inside instruct_set: counts of the first pass, which the ledger shows. */
#ifndef CORPUS_INSTRUCT_COUNT_H
#define CORPUS_INSTRUCT_COUNT_H

#include "corpus/instruct.h"

/* What became of one source's records. */
typedef struct {
    InstructFormat format; /* recognised, or as the recipe names it */
    int64_t files, records, examples;
    int64_t rejected[REJECT_REASONS];
    int64_t cut, trimmed;
} InstructCount;

#endif
