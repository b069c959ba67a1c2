/* The inside of a Tokenizer, shared by the files of this folder and by nobody else.
 *
 * tokenizer.c takes added tokens out of the text and hands each stretch between them to spm_encode or
 * bbpe_encode; readers (spm_model.c, hfjson.c, tokenizer_from_arrays) fill a Tokenizer through the vocab_
 * functions. */
#ifndef TOKENIZER_VOCAB_H
#define TOKENIZER_VOCAB_H

#include <pthread.h>

#include "base/arena.h"
#include "base/map.h"
#include "tokenizer/matcher.h"
#include "tokenizer/merges.h"
#include "tokenizer/presplit.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/wordcache.h"

enum { VOCAB_MAX = 1 << 24, PIECE_MAX = 1024 }; /* ids; bytes of a piece that merges can make */

/* Where the dummy space goes: before every stretch between special tokens, before the text only, or nowhere.
 */
typedef enum { PREFIX_NEVER, PREFIX_FIRST, PREFIX_ALWAYS } PrefixScheme;

typedef struct {
    PrefixScheme prefix;
    bool prefix_unless_space; /* Metaspace: not where the text begins with a space already  */
    bool strip_first_space;   /* decoding drops the space in front of the first piece       */
    bool normaliser; /* tokenizer.json: spaces are replaced before added tokens marked normalized are sought
                        ... */
    bool prefix_in_normaliser; /* ... and so is the dummy space put in front                 */
    bool spaces_become_symbols;
    bool remove_extra_spaces; /* SentencePiece's remove_extra_whitespaces                   */
    bool split_at_spaces;     /* Metaspace with split: no merge crosses into a U+2581       */
    bool byte_fallback, fuse_unknown;
    bool keeps_user_whole; /* user-defined pieces never come apart (SentencePiece models; tokenizer.json has
                              matchers) */
    Matcher whole;         /* these pieces                                               */
    /* Derived by spm_ready: */
    uint8_t joins[256]
                 [256];  /* [last byte of a character][first byte of the next] may stand inside one piece */
    uint8_t *wide_joins; /* bits, by hash of two code points of which one is not ASCII */
    int32_t ascii[128];  /* symbol of a character; NO_SYMBOL                           */
    int32_t single[256]; /* id of a one-byte chunk, NO_SYMBOL where it takes more       */
    Map *characters;     /* symbol of a character that is not ASCII                    */
    int32_t bytes[256];  /* byte pieces; NO_SYMBOL                                     */
    int32_t symbols_n;   /* [n, symbols_n) are characters that stand only inside pieces */
    Span *loose;         /* their text, [symbols_n - n]                                */
    bool has_unused;     /* pieces that are merged through and then taken apart        */
} Spm;

typedef struct {
    Presplit presplit;
    bool add_prefix_space, ignore_merges, nfc;
    int32_t bytes[256]; /* symbol of a byte */
} Bbpe;

typedef struct {
    char *name;
    Str bytes;
} VocabFile; /* as it lay beside the vocabulary, for tokenizer_save */
typedef Array(VocabFile) VocabFiles;

struct Tokenizer {
    VocabKind kind;
    int32_t n, cap;
    Span *pieces;   /* [n] as stored                                   */
    Span *texts;    /* [n] the bytes an id stands for                  */
    float *scores;  /* [n] SentencePiece                               */
    uint8_t *kinds; /* [n] PieceKind                                   */
    Arena strings;
    Map *index;    /* piece -> id, for pieces the model itself may make */
    Map *reserved; /* piece -> id, for control, unknown and byte pieces and added tokens */
    PairTable pairs;
    Matcher raw_special, raw_plain;       /* added tokens looked for in the text as given ... */
    Matcher normal_special, normal_plain; /* ... and after the normaliser                     */
    int32_t bos, eos, unk, pad;
    bool add_bos, add_eos;
    bool by_scores;   /* scores decide the order of merges, else the ranks that were read */
    Str unknown_text; /* what an unknown id decodes to */
    Spm spm;
    Bbpe bbpe;
    uint64_t hash;
    VocabFiles files;
    const char *format; /* "SentencePiece model", "tokenizer.json", "arrays" */
    pthread_mutex_t pool_lock;
    TokenizerScratch *pool; /* those not in use */
};

struct TokenizerScratch {
    const Tokenizer *t;
    TokenizerScratch *next;
    WordCache words;
    MergeWork merges;
    PresplitWork presplit;
    Ranges ranges;
    Ids symbols, ids;
    Str text, normal, chunk;
    PairSeen *seen; /* [symbols_n], vocabularies with unused pieces only */
};

/* A Tokenizer without pieces. */
Tokenizer *vocab_new(VocabKind kind, const char *format);
/* Adds the next id; copies `piece`.  ST_FORMAT: empty or already there; ST_LIMIT: more than VOCAB_MAX. */
MUST_CHECK Status vocab_add(Tokenizer *t, Span piece, PieceKind kind, float score);
/* Makes ids up to n exist, unused and empty. */
MUST_CHECK Status vocab_reach(Tokenizer *t, int64_t n);
/* Puts a piece at an id that vocab_reach made. */
MUST_CHECK Status vocab_place(Tokenizer *t, int64_t id, Span piece, PieceKind kind);
int32_t vocab_find(const Tokenizer *t, const char *piece, size_t n); /* pieces first; NO_SYMBOL */
/* After the last piece and merge: texts, tables. */
MUST_CHECK Status vocab_ready(Tokenizer *t);
/* After all else, also the settings beside the vocabulary. */
void vocab_set_hash(Tokenizer *t);
/* All merges, first to last, equal ranks by id and pair; caller frees. */
Pair *vocab_merges(const Tokenizer *t, size_t *n);
static inline bool vocab_is_reserved(const Tokenizer *t, int32_t id)
{
    return id < t->n && (t->kinds[id] == PIECE_CONTROL || t->kinds[id] == PIECE_UNKNOWN);
}
/* Byte characters of byte-level vocabularies: GPT-2's bytes_to_unicode. */
uint32_t vocab_byte_char(unsigned byte);
int vocab_char_byte(uint32_t codepoint); /* -1 for none */
/* What an id without a piece is called where it needs a name; its length. */
size_t vocab_hole_name(char name[32], int32_t id);
/* The number in "<0x0A>", or -1. */
int vocab_byte_piece(Span piece);

#define SPACE_SYMBOL "\xE2\x96\x81" /* U+2581 */

/* spm.c */
MUST_CHECK Status spm_add_merges_from_scores(Tokenizer *t); /* pair table of a SentencePiece model */
MUST_CHECK Status spm_ready(Tokenizer *t);
MUST_CHECK Status spm_encode(const Tokenizer *t, TokenizerScratch *s, Ids *out, const char *text, size_t n,
                             bool prefix);
void spm_drop(Spm *m);

/* bbpe.c */
MUST_CHECK Status bbpe_add_merge(Tokenizer *t, Span left, Span right, uint32_t rank);
MUST_CHECK Status bbpe_ready(Tokenizer *t);
MUST_CHECK Status bbpe_encode(const Tokenizer *t, TokenizerScratch *s, Ids *out, const char *text, size_t n);

/* The ids of a word, from the cache or from `encode`, which is then remembered.  n <= WORD_KEY_MAX;
 * `readable`: bytes of the buffer from p on. */
typedef void EncodeWord(const Tokenizer *t, TokenizerScratch *s, Ids *out, const char *p, size_t n);
static inline void vocab_encode_cached(const Tokenizer *t, TokenizerScratch *s, Ids *out, const char *p,
                                       size_t n, size_t readable, EncodeWord *encode)
{
    WordKey key = word_key(p, n, readable);
    Word *w = wordcache_slot(&s->words, &key);
    if (!word_is(w, &key)) {
        size_t from = out->n;
        encode(t, s, out, p, n);
        if (out->n - from <= WORD_IDS_MAX)
            word_set(w, &key, out->at + from, out->n - from);
        return;
    }
    array_reserve(out, WORD_IDS_MAX);
    memcpy(out->at + out->n, w->ids, sizeof w->ids);
    out->n += w->ids_n;
}

/* spm_write.c: appends a SentencePiece model that says the same.  ST_UNSUPPORTED. */
MUST_CHECK Status spm_model_write(const Tokenizer *t, Str *out);

/* save.c: the files that say the same, for one that came from none; appended also where it fails.
 * ST_UNSUPPORTED. */
MUST_CHECK Status vocab_make_files(const Tokenizer *t, VocabFiles *out);
void vocab_drop_files(VocabFiles *files);

/* Readers: *out is set on ST_OK only. */
MUST_CHECK Status spm_model_read(Tokenizer **out, const void *bytes, size_t n);
MUST_CHECK Status hfjson_read(Tokenizer **out, const char *text, size_t n);
/* bos, eos, pad, whether they are added, and where a dummy space goes, from tokenizer_config.json. */
MUST_CHECK Status hfjson_read_config(Tokenizer *t, const char *text, size_t n);

#endif
