/* Small vocabularies as arrays, one of each kind, for tests to change and hand over. */
#ifndef TOKENIZER_SMALL_VOCAB_TEST_H
#define TOKENIZER_SMALL_VOCAB_TEST_H

#include <stdio.h>
#include <string.h>

#include "tokenizer/vocab.h"

/* cmocka's macro `fail` would spoil base/status.h, so it comes last. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum { SMALL_MAX = 300 };

typedef struct {
    Span pieces[SMALL_MAX], merges[16];
    float scores[SMALL_MAX];
    int32_t kinds[SMALL_MAX];
    char text[SMALL_MAX][16];
    VocabArrays v;
} SmallVocab;

static inline void small_add(SmallVocab *s, const char *piece, int32_t kind, float score)
{
    int32_t id = s->v.n++;
    snprintf(s->text[id], sizeof s->text[id], "%s", piece);
    s->pieces[id] = span(s->text[id]);
    s->kinds[id] = kind;
    s->scores[id] = score;
}

static inline void small_start(SmallVocab *s, VocabKind kind)
{
    memset(s, 0, sizeof *s);
    s->v = (VocabArrays){
        .kind = kind, .pieces = s->pieces, .kinds = s->kinds, .bos = -1, .eos = -1, .unk = -1, .pad = -1};
}

/* SentencePiece's way, with byte pieces, a run that merges in two ways, an unused and a user's piece, and
 * "xy", whose y is no piece by itself. */
static inline void small_spm(SmallVocab *s)
{
    static const char *const merged[] = {"\xE2\x96\x81\141",  "ab", "aa",  "aaa",
                                         "\xE2\x96\x81\141b", "xy", "abab"};
    static const char *const single[] = {"\xE2\x96\x81", "a", "b", "x", "\xC3\xA9"};
    small_start(s, VOCAB_SPM);
    s->v.scores = s->scores;
    small_add(s, "<unk>", PIECE_UNKNOWN, 0);
    small_add(s, "<s>", PIECE_CONTROL, 0);
    small_add(s, "</s>", PIECE_CONTROL, 0);
    for (int b = 0; b < 256; b++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", b);
        small_add(s, name, PIECE_BYTE, 0);
    }
    for (int i = 0; i < 7; i++)
        small_add(s, merged[i], i == 6 ? PIECE_UNUSED : PIECE_NORMAL, -(float)(i / 2));
    for (int i = 0; i < 5; i++)
        small_add(s, single[i], PIECE_NORMAL, -20);
    small_add(s, "<user>", PIECE_USER, 0);
    s->v.bos = 1;
    s->v.eos = 2;
    s->v.unk = 0;
    s->v.add_bos = s->v.add_space_prefix = true;
}

/* GPT-2's way: the bytes, a few merges, two special tokens, a user's piece and a filler. */
static inline void small_bbpe(SmallVocab *s)
{
    static const char *const merges[] = {"a b", "ab ab", "a a", "aa a", "a aa", "\xC4\xA0 a"};
    static const char *const merged[] = {"ab", "abab", "aa", "aaa", "\xC4\xA0\141"};
    small_start(s, VOCAB_BBPE);
    s->v.pre = "gpt-2";
    for (unsigned b = 0; b < 256; b++) {
        Str c = {0};
        str_add_utf8(&c, vocab_byte_char(b));
        small_add(s, str_c(&c), PIECE_NORMAL, 0);
        str_drop(&c);
    }
    for (int i = 0; i < 5; i++)
        small_add(s, merged[i], PIECE_NORMAL, 0);
    small_add(s, "<|end|>", PIECE_CONTROL, 0);
    small_add(s, "<unk>", PIECE_UNKNOWN, 0);
    small_add(s, "<user>", PIECE_USER, 0);
    small_add(s, "[PAD264]", PIECE_UNUSED, 0);
    for (int i = 0; i < 6; i++)
        s->merges[i] = span(merges[i]);
    s->v.merges = s->merges;
    s->v.merges_n = 6;
    s->v.eos = 261;
    s->v.unk = 262;
}

static inline Tokenizer *small_open(const VocabArrays *v)
{
    Tokenizer *t = NULL;
    if (tokenizer_from_arrays(&t, v) != ST_OK)
        fail_msg("%s", error_text());
    return t;
}

static inline void expect_refused(const VocabArrays *v, Status status, const char *words)
{
    Tokenizer *t = NULL;
    assert_int_equal(tokenizer_from_arrays(&t, v), status);
    assert_null(t);
    if (!strstr(error_text(), words))
        fail_msg("'%s' does not say '%s'", error_text(), words);
}

#endif
