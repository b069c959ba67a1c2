/* How many rows each source gives: arithmetic alone, no files.
 *
 * Without a number of tokens, all code is used once (a source of weight w: w times) and text as the ratio
 * asks, repeated where it must be; with one, both follow from it.  The two kinds stand in the ratio exact
 * to the row; within a kind, sources share in proportion to weight x size.  No source is repeated more
 * than max_repeats times: where that falls short, the other kind is cut so that the ratio holds, and a
 * note says so. */
#ifndef CORPUS_PACK_PLAN_H
#define CORPUS_PACK_PLAN_H

#include "base/config.h"
#include "base/str.h"
#include "corpus/shard.h"

typedef struct {
    int64_t context, tokens, seed, shard_rows;
    double ratio_code, ratio_text, max_repeats;
    char *attention; /* "across" or "isolated" */
    bool bos;
} PackConfig;
extern const FieldTable pack_table;

typedef struct {
    ShardKind kind;
    int64_t available; /* tokens, document ends included              */
    double weight;
    double wanted; /* set: tokens its share of the wish comes to  */
    int64_t rows;  /* set: rows it gives                          */
} PlanSource;

/* Sets wanted and rows of every source.  Appends sentences about what could not be had to `notes`.
 *   ST_ARG: a kind that the ratio asks for has nothing, or there is not one row */
MUST_CHECK Status pack_plan(const PackConfig *c, PlanSource *sources, size_t n, Str *notes);

#endif
