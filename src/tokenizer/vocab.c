#include "tokenizer/vocab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/check.h"

Tokenizer *vocab_new(VocabKind kind, const char *format)
{
    Tokenizer *t = mem_new(Tokenizer);
    t->kind = kind;
    t->format = format;
    t->index = map_new();
    t->reserved = map_new();
    t->spm.characters = map_new();
    pairs_init(&t->pairs);
    t->bos = t->eos = t->unk = t->pad = -1;
    str_adds(&t->unknown_text, " \xE2\x81\x87 "); /* SentencePiece's default unk_surface */
    pthread_mutex_init(&t->pool_lock, NULL);
    return t;
}

static bool is_mergeable(PieceKind kind)
{
    return kind == PIECE_NORMAL || kind == PIECE_USER || kind == PIECE_UNUSED;
}

Status vocab_reach(Tokenizer *t, int64_t n)
{
    if (n > VOCAB_MAX)
        return fail(ST_LIMIT, "a vocabulary of %lld ids; at most %d are read", (long long)n, (int)VOCAB_MAX);
    if (n > t->cap) {
        size_t cap = n > 2 * (int64_t)t->cap ? (size_t)n : 2 * (size_t)t->cap;
        t->pieces = mem_resize(t->pieces, cap, sizeof *t->pieces);
        t->texts = mem_resize(t->texts, cap, sizeof *t->texts);
        t->scores = mem_resize(t->scores, cap, sizeof *t->scores);
        t->kinds = mem_resize(t->kinds, cap, sizeof *t->kinds);
        t->cap = (int32_t)cap;
    }
    for (; t->n < n; t->n++) {
        t->pieces[t->n] = t->texts[t->n] = (Span){"", 0};
        t->scores[t->n] = 0;
        t->kinds[t->n] = PIECE_UNUSED;
    }
    return ST_OK;
}

Status vocab_place(Tokenizer *t, int64_t id, Span piece, PieceKind kind)
{
    check(id >= 0 && id < t->n);
    if (t->pieces[id].n)
        return fail(ST_FORMAT, "id %lld is both '%.*s' and '%.*s'", (long long)id, (int)t->pieces[id].n,
                    t->pieces[id].at, (int)piece.n, piece.at);
    Map *m = is_mergeable(kind) ? t->index : t->reserved;
    int64_t before = map_count(m), *at = map_put(m, piece.at, piece.n);
    if (map_count(m) == before)
        return fail(ST_FORMAT, "piece '%.*s' stands at id %lld and again at %lld", (int)piece.n, piece.at,
                    (long long)*at, (long long)id);
    *at = id;
    t->pieces[id] = (Span){arena_strn(&t->strings, piece.at, piece.n), piece.n};
    t->kinds[id] = (uint8_t)kind;
    return ST_OK;
}

Status vocab_add(Tokenizer *t, Span piece, PieceKind kind, float score)
{
    if (piece.n == 0)
        return fail(ST_FORMAT, "piece %d is empty", t->n);
    TRY(vocab_reach(t, (int64_t)t->n + 1));
    t->scores[t->n - 1] = score;
    return vocab_place(t, t->n - 1, piece, kind);
}

int32_t vocab_find(const Tokenizer *t, const char *piece, size_t n)
{
    const int64_t *id = map_find(t->index, piece, n);
    if (!id)
        id = map_find(t->reserved, piece, n);
    return id ? (int32_t)*id : NO_SYMBOL;
}

/* Bytes 33..126, 161..172 and 174..255 stand for themselves, the others for U+0100 on, in order.
 * GPT-2's encoder.py, bytes_to_unicode. */
uint32_t vocab_byte_char(unsigned byte)
{
    if ((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174)
        return byte;
    if (byte <= 32)
        return 256 + byte;
    return byte == 173 ? 323 : 289 + (byte - 127);
}

int vocab_char_byte(uint32_t c)
{
    if (c >= 256 && c <= 288)
        return (int)c - 256;
    if (c >= 289 && c <= 322)
        return (int)c - 289 + 127;
    if (c == 323)
        return 173;
    return c < 256 && vocab_byte_char(c) == c ? (int)c : -1;
}

int vocab_byte_piece(Span p)
{
    if (p.n != 6 || memcmp(p.at, "<0x", 3) != 0 || p.at[5] != '>')
        return -1;
    int v = 0;
    for (int i = 3; i < 5; i++) {
        char c = p.at[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0)
            return -1;
        v = v * 16 + digit;
    }
    return v;
}

size_t vocab_hole_name(char name[32], int32_t id)
{
    return (size_t)snprintf(name, 32, "[PAD%d]", id);
}

/* Texts ------------------------------------------------------------------------------------------------- */

static void with_spaces(Str *out, Span p)
{
    for (size_t i = 0; i < p.n; i++) {
        bool symbol = p.n - i >= 3 && memcmp(p.at + i, SPACE_SYMBOL, 3) == 0;
        str_addc(out, symbol ? ' ' : p.at[i]);
        i += symbol ? 2 : 0;
    }
}

/* A piece in byte characters as bytes; a character that stands for none stays as it is (added tokens hold
 * such). */
static void with_bytes(Str *out, Span p)
{
    for (size_t i = 0; i < p.n;) {
        uint32_t c;
        int k = utf8_decode(&c, p.at + i, p.n - i), byte = k ? vocab_char_byte(c) : -1;
        if (byte >= 0)
            str_addc(out, (char)byte);
        else
            str_add(out, p.at + i, k ? (size_t)k : 1);
        i += k ? (size_t)k : 1;
    }
}

static void fill_text(Tokenizer *t, int32_t id)
{
    Str text = {0};
    Span p = t->pieces[id];
    PieceKind kind = t->kinds[id];
    if (kind == PIECE_BYTE) {
        char byte = (char)vocab_byte_piece(p);
        str_addc(&text, byte);
    } else if (kind == PIECE_CONTROL || (kind == PIECE_USER && t->kind == VOCAB_BBPE)) {
        str_add(&text, p.at, p.n);
    } else if (kind == PIECE_UNKNOWN) {
        str_add(&text, t->unknown_text.at, t->unknown_text.n);
    } else if (t->kind == VOCAB_SPM) {
        with_spaces(&text, p);
    } else {
        with_bytes(&text, p);
    }
    t->texts[id] = (Span){arena_strn(&t->strings, text.n ? text.at : "", text.n), text.n};
    str_drop(&text);
}

/* Merges ------------------------------------------------------------------------------------------------ */

static int by_rank(const void *a, const void *b)
{
    const Pair *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->key < y->key ? -1 : x->key > y->key;
}

Pair *vocab_merges(const Tokenizer *t, size_t *n)
{
    Pair *merges = mem_array(Pair, t->pairs.n + 1);
    *n = 0;
    for (uint64_t i = 0; i <= t->pairs.mask; i++)
        if (t->pairs.slots[i].key != PAIR_FREE)
            merges[(*n)++] = t->pairs.slots[i];
    qsort(merges, *n, sizeof *merges, by_rank);
    return merges;
}

/* A merge into or out of a special token would make it from plain text. */
static void drop_special_merges(Tokenizer *t)
{
    PairTable kept;
    pairs_init(&kept);
    for (uint64_t i = 0; i <= t->pairs.mask; i++) {
        const Pair *p = &t->pairs.slots[i];
        if (p->key == PAIR_FREE)
            continue;
        int32_t left = (int32_t)(p->key >> 32), right = (int32_t)(p->key & UINT32_MAX);
        if (!vocab_is_reserved(t, left) && !vocab_is_reserved(t, right) && !vocab_is_reserved(t, p->id))
            pairs_put(&kept, left, right, p->rank, p->id);
    }
    pairs_drop(&t->pairs);
    t->pairs = kept;
}

Status vocab_ready(Tokenizer *t)
{
    for (int32_t id = 0; id < t->n; id++)
        fill_text(t, id);
    if (!t->by_scores)
        drop_special_merges(t);
    TRY(t->kind == VOCAB_SPM ? spm_ready(t) : bbpe_ready(t));
    matcher_ready(&t->raw_special);
    matcher_ready(&t->raw_plain);
    matcher_ready(&t->normal_special);
    matcher_ready(&t->normal_plain);
    return ST_OK;
}

/* Hash ---------------------------------------------------------------------------------------------------
 * Formats say the same in several ways, so what is mixed in is what the settings come to: the order of merges
 * and not their ranks, a known splitter and not its pattern, one kind for all that text never becomes. */

static void mix(uint64_t *hash, const void *bytes, size_t n)
{
    *hash = XXH3_64bits_withSeed(n ? bytes : "", n, *hash + n);
}

static void mix_pieces(uint64_t *hash, const Tokenizer *t)
{
    for (int32_t id = 0; id < t->n; id++) {
        char hole[32];
        Span piece = t->pieces[id];
        uint8_t kind = vocab_is_reserved(t, id) ? PIECE_CONTROL : t->kinds[id];
        if (kind == PIECE_UNUSED && !t->by_scores)
            kind = PIECE_NORMAL; /* no merge leads there */
        if (piece.n == 0)
            piece = (Span){hole, vocab_hole_name(hole, id)};
        mix(hash, piece.at, piece.n);
        mix(hash, &kind, 1);
        float score = t->scores[id] + 0.0f; /* -0 is 0 */
        if (t->by_scores && is_mergeable((PieceKind)kind))
            mix(hash, &score, sizeof score);
    }
}

static void mix_merges(uint64_t *hash, const Tokenizer *t)
{
    size_t n;
    Pair *merges = vocab_merges(t, &n);
    for (size_t i = 0; i < n; i++)
        merges[i].rank = (uint32_t)i;
    mix(hash, merges, n * sizeof *merges);
    mem_free(merges);
}

static void mix_matcher(uint64_t *hash, const Matcher *m)
{
    for (size_t i = 0; i < m->needles.n; i++) {
        const Needle *s = &m->needles.at[i];
        int32_t rest[] = {s->id, s->left_strip, s->right_strip, s->single_word};
        mix(hash, s->text.at, s->text.n);
        mix(hash, rest, sizeof rest);
    }
    mix(hash, &m->needles.n, sizeof m->needles.n);
}

static void mix_presplit(uint64_t *hash, const Presplit *p)
{
    int32_t known = (int32_t)p->known;
    mix(hash, &known, sizeof known);
    for (size_t i = 0; !known && i < p->steps.n; i++) {
        SplitRule r = presplit_rule(p, i);
        int32_t rest[] = {(int32_t)r.behaviour, r.invert, r.literal};
        mix(hash, r.pattern.at, r.pattern.n);
        mix(hash, rest, sizeof rest);
    }
}

void vocab_set_hash(Tokenizer *t)
{
    const Spm *m = &t->spm;
    const Bbpe *b = &t->bbpe;
    uint64_t hash = 0x4C656D7572; /* "Lemur" */
    mix_pieces(&hash, t);
    if (!t->by_scores)
        mix_merges(&hash, t);
    mix_matcher(&hash, &t->raw_special);
    mix_matcher(&hash, &t->raw_plain);
    mix_matcher(&hash, &t->normal_special);
    mix_matcher(&hash, &t->normal_plain);
    mix_matcher(&hash, &m->whole);
    mix_presplit(&hash, &b->presplit);
    bool seeks = t->normal_special.needles.n + t->normal_plain.needles.n > 0;
    int32_t settings[] = {(int32_t)t->kind,
                          t->n,
                          t->bos,
                          t->eos,
                          t->unk,
                          t->add_bos,
                          t->add_eos,
                          t->by_scores,
                          (int32_t)m->prefix,
                          m->prefix_unless_space && m->prefix != PREFIX_NEVER,
                          m->normaliser && seeks,
                          m->prefix_in_normaliser && seeks,
                          m->remove_extra_spaces,
                          m->split_at_spaces,
                          m->byte_fallback,
                          t->kind == VOCAB_SPM && m->fuse_unknown && !m->byte_fallback,
                          b->add_prefix_space,
                          b->ignore_merges,
                          b->nfc};
    mix(&hash, settings, sizeof settings);
    t->hash = hash;
}
