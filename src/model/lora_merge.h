/* Adapters merged into their base: W' = W + s B A, row by row, in f32.
 *
 *     LoraMerge *merge;
 *     TRY(lora_merge_open(&merge, base, "adapter"));
 *     WeightSource source = lora_merge_source(merge);      // for quantize_write_gguf, quantize_write_folder
 *
 * A base that is quantised is decoded first; rows without an adapter keep their blocks.  An adapter that was
 * trained over a base whose vocabulary had been grown brings all rows of the embedding and the head, and the
 * merged model has as many. */
#ifndef MODEL_LORA_MERGE_H
#define MODEL_LORA_MERGE_H

#include "model/adapter.h"
#include "model/decoder.h"
#include "model/weight_source.h"

typedef struct LoraMerge LoraMerge;

/* Keeps `base`.  Failures: adapter_open's. */
MUST_CHECK Status lora_merge_open(LoraMerge **out, const ModelFile *base, const char *folder);
void lora_merge_close(LoraMerge *m); /* NULL: nothing */
const HParams *lora_merge_hparams(const LoraMerge *m);
const Params *lora_merge_params(const LoraMerge *m);
const char *lora_merge_base(const LoraMerge *m); /* what the adapter says it was trained over; "": nothing */
WeightSource lora_merge_source(const LoraMerge *m); /* lives as long as `m` */

/* A decoder with the adapter merged in: as decoder_open.  Matrices with an adapter are packed as Q8_0 where
 * the base is quantised, so that what was learned is not rounded away, else in the compute type. */
MUST_CHECK Status lora_merge_decoder(Decoder **out, Device *dev, const LoraMerge *m,
                                     const DecoderSetup *setup);
/* The same of a model that trains adapters, as they are now: what decoder_open_model does for it. */
MUST_CHECK Status lora_merge_decoder_of_model(Decoder **out, Model *m, const DecoderSetup *setup);

#endif
