/* A vocabulary that nobody learned: for models of random weights, whose speed is to be measured.
 *
 * <unk>, <s>, </s>, the 256 bytes, the printable ASCII characters with U+2581 for the space, and then runs
 * of small letters, short ones first ("ab", "abc", ...), each of which merges letter by letter.  It encodes
 * any text and loses nothing. */
#ifndef CLI_FILLER_VOCAB_H
#define CLI_FILLER_VOCAB_H

#include "tokenizer/tokenizer.h"

enum { FILLER_LEAST = 3 + 256 + 95 };

/* ST_ARG: n is not in [FILLER_LEAST, 2^24]. */
MUST_CHECK Status filler_vocab(Tokenizer **out, int64_t n);

#endif
