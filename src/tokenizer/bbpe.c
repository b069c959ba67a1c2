/* Byte-level BPE: text is cut into words by the pre-split (presplit.h), a word's bytes are its first symbols,
 * and the merges of the vocabulary apply in the order they are listed.  Words come again, so their ids are
 * remembered (wordcache.h). */
#include <string.h>

#include "tokenizer/vocab.h"

Status bbpe_add_merge(Tokenizer *t, Span left, Span right, uint32_t rank)
{
    Str joined = {0};
    str_add(&joined, left.at, left.n);
    str_add(&joined, right.at, right.n);
    const int64_t *a = map_find(t->index, left.at, left.n), *b = map_find(t->index, right.at, right.n);
    const int64_t *ab = map_find(t->index, joined.at, joined.n);
    Status st = ST_OK;
    if (!a || !b || !ab)
        st = fail(ST_FORMAT, "merge %u, '%.*s %.*s': '%.*s' is not in the vocabulary", rank, (int)left.n,
                  left.at, (int)right.n, right.at,
                  (int)(!a   ? left.n
                        : !b ? right.n
                             : joined.n),
                  !a   ? left.at
                  : !b ? right.at
                       : joined.at);
    else if (joined.n > PIECE_MAX)
        st = fail(ST_LIMIT, "merge %u makes a piece of %zu bytes; at most %d are read", rank, joined.n,
                  (int)PIECE_MAX);
    else
        pairs_put(&t->pairs, (int32_t)*a, (int32_t)*b, rank, (int32_t)*ab);
    str_drop(&joined);
    return st;
}

Status bbpe_ready(Tokenizer *t)
{
    for (unsigned b = 0; b < 256; b++) {
        Str c = {0};
        str_add_utf8(&c, vocab_byte_char(b));
        const int64_t *id = map_find(t->index, c.at, c.n);
        t->bbpe.bytes[b] = id ? (int32_t)*id : t->unk;
        str_drop(&c);
        if (t->bbpe.bytes[b] < 0)
            return fail(
                ST_UNSUPPORTED,
                "the vocabulary has no piece for byte 0x%02X and no unknown piece, so some text would vanish",
                b);
    }
    presplit_ready(&t->bbpe.presplit);
    return ST_OK;
}

/* The whole word as one piece, where the vocabulary says that merges need not lead there. */
static int32_t whole_word(const Tokenizer *t, TokenizerScratch *s, const char *p, size_t n)
{
    str_clear(&s->chunk);
    for (size_t i = 0; i < n; i++)
        str_add_utf8(&s->chunk, vocab_byte_char((unsigned char)p[i]));
    const int64_t *id = map_find(t->index, s->chunk.at, s->chunk.n);
    return id && !vocab_is_reserved(t, (int32_t)*id) ? (int32_t)*id : NO_SYMBOL;
}

static void encode_word(const Tokenizer *t, TokenizerScratch *s, Ids *out, const char *p, size_t n)
{
    int32_t whole = t->bbpe.ignore_merges ? whole_word(t, s, p, n) : NO_SYMBOL;
    if (whole >= 0) {
        array_push(out, whole);
        return;
    }
    array_reserve(out, n);
    int32_t *symbols = out->at + out->n;
    for (size_t i = 0; i < n; i++)
        symbols[i] = t->bbpe.bytes[(unsigned char)p[i]];
    out->n += merges_apply(&t->pairs, &s->merges, symbols, n, NULL);
}

static inline void add_word(const Tokenizer *t, TokenizerScratch *s, Ids *out, const char *p, size_t n,
                            size_t readable)
{
    if (n > WORD_KEY_MAX) {
        encode_word(t, s, out, p, n);
        return;
    }
    vocab_encode_cached(t, s, out, p, n, readable, encode_word);
}

Status bbpe_encode(const Tokenizer *t, TokenizerScratch *s, Ids *out, const char *text, size_t n)
{
    if (n == 0)
        return ST_OK;
    if (t->bbpe.add_prefix_space && text[0] != ' ') {
        str_clear(&s->normal);
        str_addc(&s->normal, ' ');
        str_add(&s->normal, text, n);
        text = s->normal.at;
        n = s->normal.n;
    }
    KnownNext *next = presplit_known(t->bbpe.presplit.known);
    for (size_t at = 0, end; next && at < n; at = end) {
        end = next(text, at, n);
        add_word(t, s, out, text + at, end - at, n - at);
    }
    if (next)
        return ST_OK;
    array_clear(&s->ranges);
    TRY(presplit_run(&t->bbpe.presplit, &s->presplit, &s->ranges, text, n));
    for (size_t i = 0; i < s->ranges.n; i++) {
        Range r = s->ranges.at[i];
        add_word(t, s, out, text + r.start, r.end - r.start, n - r.start);
    }
    return ST_OK;
}
