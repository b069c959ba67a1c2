/* The vocabulary of a GGUF file: its keys "tokenizer.*" to a Tokenizer, and back.
 *
 * Keys mean what they do in llama.cpp's llama-vocab.cpp, its defaults where they are absent among them;
 * what they cannot say stands in keys "lemur.tokenizer.*", which other programs pass over
 * (docs/formats/gguf.md). */
#ifndef INFER_VOCAB_GGUF_H
#define INFER_VOCAB_GGUF_H

#include "model/gguf_write.h"
#include "tokenizer/tokenizer.h"

/* ST_FORMAT: lists of different lengths, ids outside the vocabulary.  ST_UNSUPPORTED: none in the file, or
 * another model than "llama" (SentencePiece BPE) and "gpt2" (byte-level BPE), or a pre-tokeniser that is
 * not known; all named. */
MUST_CHECK Status vocab_gguf_read(Tokenizer **out, const Gguf *g);
/* Appends the ids that end a turn or a text: eos_token_id, eot_token_id, eom_token_id, each once.
 * ST_FORMAT. */
MUST_CHECK Status vocab_gguf_ends(const Gguf *g, Ids *ends);
/* The Jinja text of tokenizer.chat_template; {NULL, 0}: none.  A view into the file.  ST_FORMAT. */
MUST_CHECK Status vocab_gguf_template(const Gguf *g, Span *out);

/* Adds the keys, with fillers up to `rows`, the model's vocab_size: llama.cpp wants a token for each row.
 * *lost is NULL, or says what the keys cannot carry (tokenizer_to_arrays).  `ends`: further ids that end a
 * turn, may be NULL.
 *   ST_UNSUPPORTED  a pre-tokeniser or a piece that arrays cannot say   ST_ARG  more tokens than rows */
MUST_CHECK Status vocab_gguf_write(GgufWriter *w, const Tokenizer *t, int64_t rows, const Ids *ends,
                                   const char **lost);

#endif
