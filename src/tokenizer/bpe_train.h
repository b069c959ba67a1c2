/* Trains a byte-level BPE vocabulary from documents.
 *
 *     BpeTrainer *b = bpe_train_new(BPE_DIGITS_IN_THREES);
 *     bpe_train_add(b, text, n, 1);                               // once a document, any number
 *     TRY(bpe_train_finish(b, &tok, 32000, NULL, NULL));          // then tokenizer_save(tok, "model/")
 *     bpe_train_free(b);
 *
 * Documents are cut into words by Llama 3's pattern (presplit_llama3_pattern): letters with one character in
 * front, digits in threes, runs of line ends, and indentation as one run but for its last space, so that a
 * depth of indentation becomes one token; or, as in Llama 2, each digit by itself (presplit_qwen2_pattern,
 * which is otherwise Llama 3's): a number is then told by its digits, and a small model copies it right. Only
 * distinct words and their counts are kept.  At BPE_WORDS_MAX of them those with the smallest counts are
 * forgotten until at most half are left: memory stays below about 1 GB, and the same documents in the same
 * order give the same vocabulary.  Words longer than BPE_WORD_BYTES are not learnt from.
 *
 * Ids: 0 <|endoftext|> (begin and end of text), 1 <|im_start|>, 2 <|im_end|>, 3 <pad>, 4..259 the bytes in
 * order, then one a merge, the most frequent pair first; among equals the one with the smaller left id, then
 * the smaller right.  A text gets no begin mark: documents are told apart by the end mark behind each. */
#ifndef TOKENIZER_BPE_TRAIN_H
#define TOKENIZER_BPE_TRAIN_H

#include "tokenizer/tokenizer.h"

enum { BPE_WORDS_MAX = 4 << 20, BPE_WORD_BYTES = 256, BPE_SPECIALS = 4, BPE_VOCAB_MIN = 256 + BPE_SPECIALS };

typedef enum { BPE_DIGITS_IN_THREES, BPE_DIGITS_SINGLE } BpeDigits;
typedef struct BpeTrainer BpeTrainer;
typedef void BpeProgress(void *context, int64_t done, int64_t total); /* merges found of merges wanted */

BpeTrainer *bpe_train_new(BpeDigits digits);
void bpe_train_free(BpeTrainer *b);

/* Every number from 10 to 99 becomes a piece of its own, whether or not the documents have it, and longer ones are put
 * together of these, however often they come: a small model copies what it has met often.  (With a piece for each number up to 999, as in Llama 3's
 * vocabulary, one of six million parameters copied those of two digits and not the rarer ones of three.)  Digits in threes
 * only, and before the first document. */
void bpe_train_numbers(BpeTrainer *b);

/* One document, counted as if it came so many times; any bytes.  One thread at a time. */
void bpe_train_add(BpeTrainer *b, const char *text, size_t n, int64_t times);
int64_t bpe_train_bytes(const BpeTrainer *b); /* given so far       */
int64_t bpe_train_words(const BpeTrainer *b); /* distinct, in memory */

/* Finds merges until the vocabulary holds `vocab_size` ids, special tokens included, or no pair comes twice:
 * then it is smaller, see tokenizer_vocab_size.  The trainer can be given more documents afterwards and
 * finished again.
 *   ST_ARG: vocab_size below BPE_VOCAB_MIN or above 2^24; no text was given. */
MUST_CHECK Status bpe_train_finish(const BpeTrainer *b, Tokenizer **out, int64_t vocab_size,
                                   BpeProgress *progress, void *context);

#endif
