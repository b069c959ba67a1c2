/* Hugging Face's tokenizer.json, in two halves: hfjson.c reads the model and the added tokens,
 * hfjson_pipeline.c what stands around it (normalizer, pre_tokenizer, post_processor, decoder). */
#ifndef TOKENIZER_HFJSON_H
#define TOKENIZER_HFJSON_H

#include <jansson.h>

#include "tokenizer/vocab.h"

/* Which kind of vocabulary the parts around the model describe.  ST_UNSUPPORTED names the part that fits
 * neither. */
MUST_CHECK Status hfjson_kind(VocabKind *kind, const json_t *root);
/* Before the vocabulary is read: normalizer, pre_tokenizer, decoder. */
MUST_CHECK Status hfjson_read_pipeline(Tokenizer *t, const json_t *root);
/* After it: post_processor, which names ids. */
MUST_CHECK Status hfjson_read_post_processor(Tokenizer *t, const json_t *root);

const char *hfjson_text(const json_t *object, const char *key); /* "" where there is no string */
bool hfjson_flag(const json_t *object, const char *key, bool otherwise);

#endif
