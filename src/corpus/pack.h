/* From a corpus to shards of token rows: what `lemur pack` does.
 *
 * First pass: every document is tokenised once (on several threads, order kept), with the vocabulary's
 * end-of-text token behind it, into temporary files.  Then the plan (pack_plan.h) says how many rows each
 * source gives.  Second pass: rows are written in an order shuffled over all sources, each row a stretch
 * of its source's documents, which are shuffled anew for every repetition; so any stretch of the training
 * split is a fair sample of the whole.  Held-out documents are packed source by source, in their own
 * order, so that each token is predicted once (shard.h), with the bytes that the tokens stand for.
 *
 * Same corpus, vocabulary, settings and seed: same bytes, whatever the number of threads.
 * Memory: some 100 MB.  Disk besides the shards: 2 or 4 bytes a token and 32 a document until it is done, and
 * the shards that lay in the folder before.
 *
 * Writes FOLDER/{train,held_out}-NNNNN.tok, FOLDER/tokenizer/ and FOLDER/manifest.json
 * (docs/formats/shard.md), all at once when they are whole (manifest.h). */
#ifndef CORPUS_PACK_H
#define CORPUS_PACK_H

#include <jansson.h>

#include "corpus/pack_plan.h"
#include "tokenizer/tokenizer.h"

/* *manifest (NULL: not wanted) is what was written; caller frees.
 *   ST_ARG the plan cannot be met, or the vocabulary has no end-of-text token
 *   ST_FORMAT the corpus is damaged   ST_IO
 *   ST_CANCELLED (stop.h) */
MUST_CHECK Status pack(const char *corpus, const Tokenizer *tok, const PackConfig *c, const char *folder,
                       int threads, json_t **manifest);

/* Reads FOLDER/manifest.json for its ledger.  Caller frees. */
MUST_CHECK Status pack_manifest(json_t **out, const char *folder);

#endif
