/* A model folder opened for use: device, model and tokenizer that belong together.
 *
 *     BundleSetup setup = {.compute = DTYPE_COUNT};
 *     Bundle b;
 *     TRY(bundle_open(&b, "model/", &setup));
 *
 * The tokenizer's vocabulary must be the model's.  A model may have more rows than there are tokens, as those
 * have whose vocabulary was rounded up; ids without a token are never sampled. */
#ifndef INFER_BUNDLE_H
#define INFER_BUNDLE_H

#include "model/model.h"
#include "tokenizer/tokenizer.h"

typedef struct {
    int threads;     /* 0: all this process may use */
    /* DTYPE_BF16, DTYPE_F32, or DTYPE_COUNT: bf16 where this machine is fast in it, else f32 */
    DType compute;
    int64_t context; /* positions; 0: the model's max_position_embeddings, at most BUNDLE_CONTEXT */
} BundleSetup;
enum { BUNDLE_CONTEXT = 4096 }; /* memory grows with the context, and few texts need 128 k */

typedef struct {
    Device *dev;
    Model *model;
    Tokenizer *tokenizer;
    Ids ends; /* ids that end a text: the tokenizer's, config.json's, generation_config.json's */
} Bundle;

/* Errors as of hparams_read, model_open, model_load and tokenizer_open; ST_FORMAT: the tokenizer has more
 * tokens than the model has rows.  {0} after a failure. */
MUST_CHECK Status bundle_open(Bundle *b, const char *folder, const BundleSetup *setup);
void bundle_close(Bundle *b);

#endif
