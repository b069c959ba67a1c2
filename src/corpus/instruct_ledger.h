/* What became of every example of a tuning set: kept in its manifest, printed as a table. */
#ifndef CORPUS_INSTRUCT_LEDGER_H
#define CORPUS_INSTRUCT_LEDGER_H

#include "corpus/instruct_count.h"
#include "corpus/instruct_plan.h"

/* Sums over examples of one side, or over those that rows hold. */
typedef struct {
    int64_t examples, tokens, learned, rows;
} InstructTally;

typedef struct {
    InstructCount count;
    InstructPlanSource plan;
    InstructTally train, held_out; /* what there is */
    InstructTally used;            /* what the rows to train on hold, repeats included */
} InstructLine;

json_t *instruct_ledger_json(const InstructRecipe *r,
                             const InstructLine *lines); /* new reference: an array */

/* Appends the tables that `lemur tune` prints before it trains. */
void instruct_ledger_text(Str *out, const json_t *manifest);

#endif
