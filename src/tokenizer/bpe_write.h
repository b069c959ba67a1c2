/* A byte-level vocabulary that grows merge by merge, and its tokenizer.json.  Used by bpe_train.c only. */
#ifndef TOKENIZER_BPE_WRITE_H
#define TOKENIZER_BPE_WRITE_H

#include "tokenizer/bpe_train.h"

typedef struct BpeVocab BpeVocab;

BpeVocab *bpe_vocab_new(void); /* the special tokens and the bytes */
void bpe_vocab_free(BpeVocab *v);
int32_t bpe_vocab_size(const BpeVocab *v);
/* The next merge; returns the id of the joined piece, which is an old one where other merges have led to it
 * before. */
int32_t bpe_vocab_merge(BpeVocab *v, int32_t left, int32_t right);
/* Writes the files in memory and opens them, so that what was trained is what will be read; `digits` is how
 * the words were cut that the merges come from. */
MUST_CHECK Status bpe_vocab_open(const BpeVocab *v, BpeDigits digits, Tokenizer **out);

#endif
