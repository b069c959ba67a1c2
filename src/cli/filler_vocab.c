#include "cli/filler_vocab.h"

#include <stdio.h>

#include "base/mem.h"

enum { LETTERS = 26, FILLER_MOST = 1 << 24 };

typedef struct {
    Arena arena;
    Span *pieces;
    float *scores;
    int32_t *kinds;
    int32_t n, most;
} Filler;

static void add(Filler *f, const char *piece, PieceKind kind)
{
    if (f->n == f->most)
        return;
    size_t n = span(piece).n;
    f->pieces[f->n] = (Span){arena_strn(&f->arena, piece, n), n};
    f->scores[f->n] = kind == PIECE_NORMAL ? -(float)f->n : 0;
    f->kinds[f->n++] = (int32_t)kind;
}

/* Every run of `length` letters, in the order of the alphabet. */
static void add_runs(Filler *f, int length)
{
    char text[16] = {0};
    int64_t runs = 1;
    for (int i = 0; i < length; i++)
        runs *= LETTERS;
    for (int64_t run = 0; run < runs && f->n < f->most; run++) {
        int64_t rest = run;
        for (int i = length; i-- > 0; rest /= LETTERS)
            text[i] = (char)('a' + rest % LETTERS);
        add(f, text, PIECE_NORMAL);
    }
}

static void fill(Filler *f)
{
    char text[8];
    add(f, "<unk>", PIECE_UNKNOWN);
    add(f, "<s>", PIECE_CONTROL);
    add(f, "</s>", PIECE_CONTROL);
    for (int b = 0; b < 256; b++) {
        snprintf(text, sizeof text, "<0x%02X>", b);
        add(f, text, PIECE_BYTE);
    }
    add(f, "\xE2\x96\x81", PIECE_NORMAL);
    for (char c = '!'; c <= '~'; c++)
        add(f, (char[]){c, 0}, PIECE_NORMAL);
    for (int length = 2; f->n < f->most; length++)
        add_runs(f, length);
}

Status filler_vocab(Tokenizer **out, int64_t n)
{
    if (n < FILLER_LEAST || n > FILLER_MOST)
        return fail(ST_ARG, "a vocabulary of %lld tokens: it must have from %d to %d", (long long)n,
                    FILLER_LEAST, FILLER_MOST);
    Filler f = {.pieces = mem_array(Span, n), .scores = mem_array(float, n), .kinds = mem_array(int32_t, n),
                .most = (int32_t)n};
    fill(&f);
    VocabArrays v = {.kind = VOCAB_SPM, .n = f.n, .pieces = f.pieces, .scores = f.scores, .kinds = f.kinds,
                     .bos = 1, .eos = 2, .unk = 0, .pad = -1, .add_bos = true, .add_space_prefix = true};
    Status st = tokenizer_from_arrays(out, &v);
    arena_drop(&f.arena);
    mem_free(f.pieces);
    mem_free(f.scores);
    mem_free(f.kinds);
    return st;
}
