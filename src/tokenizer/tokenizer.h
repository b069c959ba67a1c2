/* Text <-> token ids.  One front door for every vocabulary: SentencePiece BPE (spm.c) and byte-level BPE
 * (bbpe.c).
 *
 *     Tokenizer *tok;
 *     TRY(tokenizer_open(&tok, "model/"));                 // folder, tokenizer.model or tokenizer.json
 *     Ids ids = {0};
 *     TRY(tokenizer_encode(tok, &ids, text, n, TOK_BOS));
 *     tokenizer_close(tok);
 *
 * A Tokenizer is immutable after it is opened: any number of threads may encode with it at once, each with
 * its own TokenizerScratch, or none, which borrows one that the tokenizer keeps.  What a file asks for and
 * this program cannot honour (a normaliser, a pre-tokeniser, a model type) is refused by name when it is
 * opened. */
#ifndef TOKENIZER_TOKENIZER_H
#define TOKENIZER_TOKENIZER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/str.h"

typedef struct Tokenizer Tokenizer;
typedef Array(int32_t) Ids;

enum {
    TOK_BOS = 1,     /* put the begin-of-text id in front, where the vocabulary asks for one          */
    TOK_EOS = 2,     /* put the end-of-text id behind                                                 */
    TOK_SPECIAL = 4, /* text that spells a special token becomes that token; without it, plain text   */
    TOK_RAW = 8,     /* SentencePiece only: no dummy space in front                                   */
};

/* A folder that holds tokenizer.json or tokenizer.model, or either file.
 *   ST_IO cannot read   ST_FORMAT damaged   ST_UNSUPPORTED asks for something this program does not do */
MUST_CHECK Status tokenizer_open(Tokenizer **out, const char *path);

/* A vocabulary handed over as arrays, as GGUF carries it.  Everything is copied. */
typedef enum { VOCAB_SPM, VOCAB_BBPE } VocabKind;
typedef enum {
    PIECE_NORMAL = 1,
    PIECE_UNKNOWN,
    PIECE_CONTROL,
    PIECE_USER,
    PIECE_UNUSED,
    PIECE_BYTE
} PieceKind; /* as in SentencePiece and GGUF */
typedef struct {
    VocabKind kind;
    int32_t n;
    const Span *pieces;   /* [n] as stored: U+2581 for space (spm), byte characters (bbpe)  */
    const float *scores;  /* [n] spm only                                                   */
    const int32_t *kinds; /* [n] PieceKind                                                  */
    const Span *merges;   /* [merges_n] "left right", bbpe only                             */
    int32_t merges_n;
    const char *pre; /* bbpe: pattern name: "gpt-2", "llama-bpe", "starcoder", ... or a regular expression */
    int32_t bos, eos, unk; /* -1 when absent */
    bool add_bos, add_space_prefix;
} VocabArrays;
MUST_CHECK Status tokenizer_from_arrays(Tokenizer **out, const VocabArrays *v);

void tokenizer_close(Tokenizer *t); /* after the last thread has given its scratch back */

int32_t tokenizer_vocab_size(const Tokenizer *t); /* ids are in [0, vocab_size) */
int32_t tokenizer_bos(const Tokenizer *t);        /* -1 when the vocabulary has none */
int32_t tokenizer_eos(const Tokenizer *t);
bool tokenizer_adds_bos(const Tokenizer *t);
int32_t tokenizer_find(const Tokenizer *t, const char *piece); /* exact piece or special token; -1 */
bool tokenizer_is_special(const Tokenizer *t, int32_t id);
VocabKind tokenizer_kind(const Tokenizer *t);
const char *tokenizer_format(const Tokenizer *t);     /* "tokenizer.json", "SentencePiece model", "arrays" */
Span tokenizer_piece(const Tokenizer *t, int32_t id); /* as stored; empty for an id that is not used       */
Span tokenizer_text(const Tokenizer *t, int32_t id);  /* the bytes it stands for                           */
uint64_t tokenizer_hash(const Tokenizer *t);          /* of everything that decides ids: shards carry it */

/* Appends the ids of text[0..n) to `out`; any bytes are accepted.  ST_LIMIT only (text over 2 GB). */
MUST_CHECK Status tokenizer_encode(const Tokenizer *t, Ids *out, const char *text, size_t n, int flags);

/* The same with a scratch the caller holds: one thread's memory, with the ids of words it met lately (2 MB).
 * Take one for a loop over many short texts; tokenizer_encode takes and gives one back each time. */
typedef struct TokenizerScratch TokenizerScratch;
TokenizerScratch *tokenizer_scratch_take(const Tokenizer *t);
void tokenizer_scratch_give(TokenizerScratch *s);
MUST_CHECK Status tokenizer_encode_with(const Tokenizer *t, TokenizerScratch *s, Ids *out, const char *text,
                                        size_t n, int flags);

/* Appends the text of ids[0..n).  Special tokens appear as their text when `with_special`, else not at all.
 * ST_ARG: an id outside the vocabulary. */
MUST_CHECK Status tokenizer_decode(const Tokenizer *t, Str *out, const int32_t *ids, size_t n,
                                   bool with_special);

/* Decoding as ids arrive: whole UTF-8 characters only; the bytes of one that is split over tokens are held
 * back until it is complete or shown invalid.  {0} then detok_start. */
typedef struct {
    const Tokenizer *t;
    Str held;
    bool started, with_special;
} Detok;
void detok_start(Detok *d, const Tokenizer *t, bool with_special);
MUST_CHECK Status detok_push(Detok *d, Str *out, int32_t id); /* appends what is now certain */
void detok_flush(Detok *d, Str *out);                         /* appends held bytes as they are */
void detok_drop(Detok *d);

/* Writes tokenizer.json (byte-level BPE and SentencePiece BPE), tokenizer_config.json and
 * special_tokens_map.json into a folder, or copies the files that the tokenizer was opened from, byte for
 * byte. */
MUST_CHECK Status tokenizer_save(const Tokenizer *t, const char *folder);

#endif
