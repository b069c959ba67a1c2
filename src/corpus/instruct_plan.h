/* How often the examples of each source are used, and which row they lie in: arithmetic alone, no files.
 *
 * Without a total, a source of weight w gives w times its examples.  With one, sources share it in proportion
 * to weight x size, or as their shares say; with shares and no total, the total is the largest for which no
 * source is repeated.  Size and total count examples or tokens, as `mix` says.  No source is repeated more
 * than max_repeats times; what that leaves out a note says. */
#ifndef CORPUS_INSTRUCT_PLAN_H
#define CORPUS_INSTRUCT_PLAN_H

#include "base/array.h"
#include "corpus/instruct_recipe.h"

typedef struct {
    int64_t examples, tokens; /* that it has to train on, after its limit */
    double weight, share;
    double wanted;  /* set: in the unit of the mix                        */
    double granted; /* set: the same, as far as max_repeats lets it       */
} InstructPlanSource;

/* ST_ARG: some sources have a share and some have none, or nothing is left to train on. */
MUST_CHECK Status instruct_plan(const InstructConfig *c, InstructPlanSource *sources,
                                const InstructSource *names, size_t n, Str *notes);

/* Which of a source's examples are used, in which order: numbers in [0, n), each repetition shuffled anew.
 * lengths[n]: tokens of each.  by_tokens: as many as come nearest to `granted` tokens. */
typedef Array(int64_t) InstructOrder;
void instruct_plan_order(InstructOrder *out, const uint32_t *lengths, int64_t n, double granted,
                         bool by_tokens, uint64_t seed, uint64_t stream);

/* Puts examples into rows of `room` tokens, each whole, in the first-come order as far as it goes: an example
 * goes where it leaves the least room, of the rows that are still open (at most PACK_OPEN).  single: one a
 * row.  row[i] is the row of the i-th; returns how many rows there are. */
enum { PACK_OPEN = 64 };
int64_t instruct_plan_rows(int64_t *row, const uint32_t *lengths, int64_t n, uint32_t room, bool single);

#endif
