/* Inside instruct_set: the second pass.  Stored examples become the rows of both splits. */
#ifndef CORPUS_INSTRUCT_ROWS_H
#define CORPUS_INSTRUCT_ROWS_H

#include "corpus/example_store.h"
#include "corpus/instruct_ledger.h"
#include "corpus/instruct_set.h"

/* Mixes, packs, shuffles and writes; fills in each line's plan and tallies, and appends to `notes` what could
 * not be had.  ST_ARG: instruct_plan's.  ST_IO, ST_CANCELLED. */
MUST_CHECK Status instruct_rows_write(const InstructJob *job, ExampleStore *store, InstructLine *lines,
                                      ShardSetWriter *writer, Str *notes);

#endif
