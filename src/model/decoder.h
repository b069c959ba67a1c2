/* A Llama that only reads its weights: inference, many sequences at once, over a KV cache in pages.
 *
 *     DecoderSetup setup = {.max_rows = 512, .max_logits = 64, .pages = 1024};
 *     TRY(decoder_open(&d, dev, file, &setup));
 *     DecoderRun run = {.ids = ids, .n = n, .pages = table, .logits = 1};
 *     TRY(decoder_pass(d, &run, 1, logits));
 *
 * Who owns which page is the caller's affair (infer/): a sequence is a table of page numbers, and sequences
 * may share pages that are full.  A row's logits depend on its sequence's ids alone, bit for bit: not on the
 * batch, the pieces in which the ids came, or the threads. */
#ifndef MODEL_DECODER_H
#define MODEL_DECODER_H

#include "model/model.h"
#include "model/model_file.h"
#include "ops/packed.h"

typedef struct Decoder Decoder;

typedef struct {
    int64_t max_rows;   /* new tokens of one pass, over all sequences */
    int64_t max_logits; /* rows of logits of one pass; at most max_rows are of use */
    int64_t pages;      /* of the cache; 0: none, for one pass at a time without a past */
    int64_t context;    /* positions a sequence may have; 0: the model's max_position_embeddings.  What the
                         * cache (without one: a pass) cannot hold is taken off. */
    DType compute;      /* of activations, plain weights and the cache: DTYPE_BF16 or DTYPE_F32 */
} DecoderSetup;

/* Bytes that decoder_open will take beside the mapped file. */
typedef struct {
    size_t weights, cache, activations, total;
} DecoderPlan;
DecoderPlan decoder_plan(const ModelFile *f, const DecoderSetup *setup);

/* Packs every weight (ops/packed.h); `f` may be closed afterwards.  `dev` has operations and outlives the
 * decoder.
 *   ST_ARG    a number of the setup is out of bounds, or compute is another type
 *   ST_NOMEM  the plan does not fit the memory that is free: the sentence names the sizes */
MUST_CHECK Status decoder_open(Decoder **out, Device *dev, const ModelFile *f, const DecoderSetup *setup);
/* The same from a model in memory, on the model's device: what is being trained writes a sample.  The weights
 * are copied as they are now. */
MUST_CHECK Status decoder_open_model(Decoder **out, Model *m, const DecoderSetup *setup);
void decoder_close(Decoder *d); /* NULL: nothing.  Before its device. */
const HParams *decoder_hparams(const Decoder *d);
Device *decoder_device(const Decoder *d);
const DecoderSetup *decoder_setup(const Decoder *d); /* with max_logits and context as they came to be */
size_t decoder_token_bytes(const Decoder *d); /* of packed weights that one token of one sequence reads, its
                                               * row of the embedding aside */

/* The new tokens of one sequence. */
typedef struct {
    const int32_t *ids;   /* [n], n >= 1, in [0, V) */
    int64_t n, past;      /* new ones, and how many its pages hold already */
    const int32_t *pages; /* [kv_pages_for(past + n)] in [0, setup's pages); those that are written to (from
                           * position `past` on) belong to this sequence alone.  Without a cache: NULL, and
                           * past is 0. */
    int64_t logits;       /* of how many of its last rows the logits are wanted: 0 .. n */
} DecoderRun;

/* Runs all sequences in one pass.  logits [sum of runs' logits, V] f32, host memory, in the order of the
 * runs; may be NULL where none are wanted.  Allocates nothing.
 *   ST_LIMIT   more rows or logits than the setup has, or a sequence longer than its context
 *   ST_ARG     an id is not in the vocabulary
 *   ST_DEVICE
 * After the first two nothing has been done. */
MUST_CHECK Status decoder_pass(Decoder *d, const DecoderRun *runs, int64_t count, float *logits);
void decoder_copy_page(Decoder *d, int32_t to, int32_t from); /* every layer's */

#endif
