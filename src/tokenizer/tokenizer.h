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

#include "base/arena.h"
#include "base/array.h"
#include "base/str.h"

typedef struct Tokenizer Tokenizer;
typedef Array(int32_t) Ids;

enum {
    TOK_BOS = 1,     /* put the begin-of-text id in front, where the vocabulary asks for one          */
    TOK_EOS = 2,     /* put the end-of-text id behind                                                 */
    TOK_SPECIAL = 4, /* text that spells a special token becomes that token                           */
    TOK_RAW = 8,     /* SentencePiece only: no dummy space in front                                   */
};
/* Without TOK_SPECIAL no text becomes a special token, so what a user wrote cannot pose as a turn or an end
 * of text: "<|im_end|>" comes out as the ids of its characters, whatever the file says.  Two things are
 * left: the unknown id, where the vocabulary has no bytes to fall back on, and a byte whose only piece is
 * itself marked special.  Added tokens that are not special (PIECE_USER) are sought in any text. */

/* A folder that holds tokenizer.json or tokenizer.model, or either file.
 *   ST_IO cannot read   ST_FORMAT damaged   ST_UNSUPPORTED asks for something this program does not do */
MUST_CHECK Status tokenizer_open(Tokenizer **out, const char *path);

/* A vocabulary as arrays, as GGUF carries it.  Each field names its key, without "tokenizer.ggml."; they mean
 * what they do in llama.cpp's llama-vocab.cpp.  Its defaults, for keys that are absent: add_bos_token and
 * add_space_prefix are true for "llama" and false for "gpt2" (add_bos_token true where pre is "llama-bpe").
 * From prefix_first on no key exists: all false is what llama.cpp does, and a file that is to come back the
 * same needs keys of its own for those that are true. */
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
    VocabKind kind;        /* model: "llama" is VOCAB_SPM, "gpt2" VOCAB_BBPE                             */
    int32_t n;
    const Span *pieces;    /* [n] tokens, as stored: U+2581 for space (spm), byte characters (bbpe)      */
    const float *scores;   /* [n] scores; spm: the higher merges first.  bbpe: NULL                      */
    const int32_t *kinds;  /* [n] token_type, PieceKind; NULL: all normal                                */
    const Span *merges;    /* [merges_n] merges, "left right" in order.  bbpe; spm: where there are any  */
    int32_t merges_n;      /*   they decide instead of the scores, as in a tokenizer.json                */
    const char *pre;       /* pre, bbpe: "gpt-2", "llama-bpe", "starcoder", ... or a regular expression  */
    int32_t bos, eos, unk; /* bos_token_id, eos_token_id, unknown_token_id; -1 when absent               */
    int32_t pad;           /* padding_token_id; -1 when absent                                           */
    bool add_bos, add_eos; /* add_bos_token, add_eos_token                                               */
    bool add_space_prefix; /* add_space_prefix: a space in front of the text and behind special tokens   */
    bool remove_extra_spaces; /* remove_extra_whitespaces; spm                                           */
    bool prefix_first;        /* spm: the space in front of the text only                                */
    bool prefix_unless_space; /* spm: not where a space stands already                                   */
    bool split_at_spaces;     /* spm: no merge crosses into a U+2581                                     */
    bool ignore_merges;       /* bbpe: a word that is a piece is that piece; "llama-bpe" says so itself  */
    bool nfc;                 /* bbpe: text is put into normal form C first                              */
} VocabArrays;
/* Everything is copied.  An empty piece is a filler and gets a name.  ST_FORMAT, ST_UNSUPPORTED, ST_LIMIT: as
 * tokenizer_open. */
MUST_CHECK Status tokenizer_from_arrays(Tokenizer **out, const VocabArrays *v);

/* The reverse, from any source; what *v points to lives as long as `arena` and `t`.  Ids without a piece are
 * called "[PAD<id>]", as llama.cpp's converter calls them.  A SentencePiece vocabulary that came with merges
 * (a tokenizer.json) gets both: merges for this program, scores in the same order for others.  Either *lost
 * is NULL and tokenizer_from_arrays gives a tokenizer of the same hash, or it says what arrays cannot carry,
 * which touches ids beside added tokens and of unknown characters only.
 *   ST_UNSUPPORTED: a pre-tokeniser or a piece that arrays cannot say, named */
MUST_CHECK Status tokenizer_to_arrays(const Tokenizer *t, Arena *arena, VocabArrays *v, const char **lost);

void tokenizer_close(Tokenizer *t); /* after the last thread has given its scratch back */

int32_t tokenizer_vocab_size(const Tokenizer *t); /* ids are in [0, vocab_size) */
int32_t tokenizer_bos(const Tokenizer *t);        /* -1 when the vocabulary has none */
int32_t tokenizer_eos(const Tokenizer *t);
int32_t tokenizer_unk(const Tokenizer *t);
int32_t tokenizer_pad(const Tokenizer *t);
bool tokenizer_adds_bos(const Tokenizer *t);
bool tokenizer_adds_eos(const Tokenizer *t); /* the vocabulary asks for it; TOK_EOS does it */
int32_t tokenizer_find(const Tokenizer *t, const char *piece); /* exact piece or special token; -1 */
bool tokenizer_is_special(const Tokenizer *t, int32_t id);
VocabKind tokenizer_kind(const Tokenizer *t);
const char *tokenizer_format(const Tokenizer *t);     /* "tokenizer.json", "SentencePiece model", "arrays" */
Span tokenizer_piece(const Tokenizer *t, int32_t id); /* as stored; empty for an id that is not used       */
Span tokenizer_text(const Tokenizer *t, int32_t id);  /* the bytes it stands for                           */
/* Of everything that decides ids (pieces, types, scores or merges, special tokens, normaliser and
 * pre-tokeniser) and of nothing else, whatever file it was read from.  Shards carry it. */
uint64_t tokenizer_hash(const Tokenizer *t);

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

/* Copies the files that the tokenizer was opened from into a folder, byte for byte.  One that came as arrays
 * is written so that it reads back with the same hash: tokenizer.json where merges decide, tokenizer.model
 * where scores do, and tokenizer_config.json.  ST_UNSUPPORTED names what these formats have no words for. */
MUST_CHECK Status tokenizer_save(const Tokenizer *t, const char *folder);

#endif
