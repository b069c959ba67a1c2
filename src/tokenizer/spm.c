/* SentencePiece BPE: text is one sequence of characters, a space being U+2581; adjacent symbols merge where a
 * piece exists, best score first, leftmost first; characters without a piece become byte pieces or the
 * unknown id.
 *
 * Speed comes from two facts.  A merge can cross a place between two characters only if some piece holds
 * these two side by side, so text may be cut wherever none does without changing any id; and the stretches
 * between cuts come again, so their ids are remembered (wordcache.h).  U+2581 and ' ' are the same symbol;
 * the text is not copied to replace one by the other. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tokenizer/vocab.h"

enum { WIDE_BITS = 1 << 18 };

static uint32_t plain(uint32_t c)
{
    return c == 0x2581 ? ' ' : c;
}

static uint32_t wide_bit(uint32_t left, uint32_t right)
{
    uint64_t h = ((uint64_t)plain(left) << 21 | plain(right)) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(h >> 46) & (WIDE_BITS - 1);
}

/* Length of the character at the start of s; a byte outside UTF-8 stands alone. */
static size_t char_length(const char *s, size_t n)
{
    uint32_t c;
    if ((unsigned char)s[0] < 128)
        return 1;
    int k = utf8_decode(&c, s, n);
    return k ? (size_t)k : 1;
}

/* Symbols ----------------------------------------------------------------------------------------------- */

static int32_t character_symbol(const Tokenizer *t, const char *c, size_t n)
{
    const int64_t *id = map_find(t->spm.characters, c, n);
    return id ? (int32_t)*id : NO_SYMBOL;
}

static int32_t operand(const Tokenizer *t, const char *s, size_t n)
{
    const int64_t *id = map_find(t->index, s, n);
    if (id)
        return t->kinds[*id] == PIECE_USER ? NO_SYMBOL
                                           : (int32_t)*id; /* user-defined pieces are whole from the start */
    return character_symbol(t, s, n);
}

/* Gives every character that stands in a piece and is none itself a symbol of its own, so that merges can
 * pass through it. */
static void add_loose_characters(Tokenizer *t)
{
    Array(Span) loose = {0};
    for (int32_t id = 0; id < t->n; id++) {
        Span p = t->pieces[id];
        if (t->kinds[id] != PIECE_NORMAL && t->kinds[id] != PIECE_UNUSED && t->kinds[id] != PIECE_USER)
            continue;
        for (size_t i = 0, k; i < p.n; i += k) {
            k = char_length(p.at + i, p.n - i);
            if (map_find(t->index, p.at + i, k) || map_find(t->spm.characters, p.at + i, k))
                continue;
            *map_put(t->spm.characters, p.at + i, k) = t->n + (int64_t)loose.n;
            Span one = {p.at + i, k};
            array_push(&loose, one);
        }
    }
    t->spm.loose = loose.at;
    t->spm.symbols_n = t->n + (int32_t)loose.n;
}

static int better_score(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x > y ? -1 : x < y;
}

static uint32_t rank_of(const float *sorted, size_t n, float score)
{
    size_t lo = 0, hi = n; /* the first that is not better */
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (sorted[mid] > score)
            lo = mid + 1;
        else
            hi = mid;
    }
    return (uint32_t)lo;
}

static Status add_splits(Tokenizer *t, int32_t id, uint32_t rank)
{
    Span p = t->pieces[id];
    size_t first = char_length(p.at, p.n);
    if (p.n > PIECE_MAX && p.n > first)
        return fail(ST_LIMIT, "piece %d is %zu bytes long; at most %d can be merged", id, p.n,
                    (int)PIECE_MAX);
    for (size_t i = first; i < p.n; i += char_length(p.at + i, p.n - i)) {
        int32_t left = operand(t, p.at, i), right = operand(t, p.at + i, p.n - i);
        if (left >= 0 && right >= 0)
            pairs_put(&t->pairs, left, right, rank, id);
    }
    return ST_OK;
}

/* SentencePiece tries, for two neighbours, whether their joined text is a piece.  The table holds every such
 * pair. */
Status spm_add_merges_from_scores(Tokenizer *t)
{
    t->by_scores = true;
    float *sorted = mem_array(float, t->n);
    memcpy(sorted, t->scores, (size_t)t->n * sizeof *sorted);
    Status st = ST_OK;
    for (int32_t id = 0; id < t->n && st == ST_OK; id++)
        if (t->scores[id] != t->scores[id])
            st = fail(ST_FORMAT, "the score of piece %d is not a number", id);
    if (st == ST_OK) {
        qsort(sorted, (size_t)t->n, sizeof *sorted, better_score);
        add_loose_characters(t);
    }
    for (int32_t id = 0; id < t->n && st == ST_OK; id++)
        if (t->kinds[id] == PIECE_NORMAL || t->kinds[id] == PIECE_UNUSED || t->kinds[id] == PIECE_USER)
            st = add_splits(t, id, rank_of(sorted, (size_t)t->n, t->scores[id]));
    mem_free(sorted);
    return st;
}

/* Tables ------------------------------------------------------------------------------------------------ */

static void mark_join(Spm *m, const char *left, size_t ln, const char *right, size_t rn)
{
    uint32_t a, b;
    if (!utf8_decode(&a, left, ln) || !utf8_decode(&b, right, rn))
        return; /* such bytes never become symbols that merge */
    if (m->split_at_spaces && plain(b) == ' ')
        return;
    uint32_t bit = wide_bit(a, b);
    m->wide_joins[bit / 8] |= (uint8_t)(1 << bit % 8);
    /* A U+2581 comes as itself or as a space, on either side. */
    const unsigned char lasts[] = {(unsigned char)left[ln - 1], ' '},
                        firsts[] = {(unsigned char)right[0], ' '};
    for (int i = 0; i < 1 + (a == 0x2581); i++)
        for (int k = 0; k < 1 + (b == 0x2581); k++)
            m->joins[lasts[i]][firsts[k]] = lasts[i] < 128 && firsts[k] < 128 ? 1 : 2;
}

static void fill_joins(Tokenizer *t)
{
    Spm *m = &t->spm;
    m->wide_joins = mem_zeroed(WIDE_BITS / 8, 1);
    for (int a = 0; a < 256; a++)
        memset(&m->joins[a][0x80], 1, 0x40); /* never in front of a continuation byte */
    for (uint64_t i = 0; i <= t->pairs.mask; i++) {
        if (t->pairs.slots[i].key == PAIR_FREE)
            continue;
        m->has_unused = m->has_unused || t->kinds[t->pairs.slots[i].id] == PIECE_UNUSED;
        Span p = t->pieces[t->pairs.slots[i].id];
        for (size_t at = 0, k, next; at < p.n; at += k) {
            k = char_length(p.at + at, p.n - at);
            if (at + k == p.n)
                break;
            next = char_length(p.at + at + k, p.n - at - k);
            mark_join(m, p.at + at, k, p.at + at + k, next);
        }
    }
}

static Status fill_bytes(Tokenizer *t)
{
    Spm *m = &t->spm;
    int found = 0;
    for (int b = 0; b < 256; b++)
        m->bytes[b] = NO_SYMBOL;
    for (int32_t id = 0; id < t->n; id++) {
        if (t->kinds[id] != PIECE_BYTE)
            continue;
        int b = vocab_byte_piece(t->pieces[id]);
        if (b < 0)
            return fail(ST_FORMAT, "piece %d is marked as a byte and spelled '%.*s'", id,
                        (int)t->pieces[id].n, t->pieces[id].at);
        found += m->bytes[b] == NO_SYMBOL;
        m->bytes[b] = id;
    }
    if (found != 0 && found != 256)
        return fail(ST_FORMAT, "byte fallback with %d of 256 byte pieces", found);
    m->byte_fallback = found == 256;
    if (!m->byte_fallback && t->unk < 0)
        return fail(ST_UNSUPPORTED,
                    "the vocabulary has neither byte pieces nor an unknown piece, so some text would vanish");
    return ST_OK;
}

/* An added character takes the symbol of its piece; the space that of U+2581. */
static void fill_characters(Tokenizer *t)
{
    Spm *m = &t->spm;
    for (int64_t i = 0; i < map_count(t->index); i++) {
        Span p = map_key_at(t->index, i);
        if (char_length(p.at, p.n) == p.n && !vocab_is_reserved(t, (int32_t)map_value_at(t->index, i)))
            *map_put(m->characters, p.at, p.n) = map_value_at(t->index, i);
    }
    for (int c = 0; c < 128; c++) {
        char byte = (char)c;
        m->ascii[c] = character_symbol(t, &byte, 1);
    }
    m->ascii[' '] = character_symbol(t, SPACE_SYMBOL, 3);
    for (int b = 0; b < 256; b++) {
        int32_t s = b < 128 ? m->ascii[b] : NO_SYMBOL;
        bool taken_apart = s >= t->n || (s >= 0 && t->kinds[s] == PIECE_UNUSED);
        m->single[b] = s >= 0 && !taken_apart                         ? s
                       : m->byte_fallback && !taken_apart && b != ' ' ? m->bytes[b]
                                                                      : NO_SYMBOL;
    }
}

Status spm_ready(Tokenizer *t)
{
    Spm *m = &t->spm;
    if (m->symbols_n < t->n)
        m->symbols_n = t->n;
    TRY(fill_bytes(t));
    fill_characters(t);
    fill_joins(t);
    for (int32_t id = 0; id < t->n; id++) {
        if (m->keeps_user_whole && t->kinds[id] == PIECE_USER &&
            t->texts[id].n) /* texts have ' ' for U+2581, as the copy they are sought in */
            matcher_add(&m->whole, (Needle){.text = t->texts[id], .id = id});
    }
    matcher_ready(&m->whole);
    return ST_OK;
}

void spm_drop(Spm *m)
{
    mem_free(m->wide_joins);
    mem_free(m->loose);
    map_free(m->characters);
    matcher_drop(&m->whole);
}

/* Encoding ---------------------------------------------------------------------------------------------- */

static void add_bytes_or_unknown(const Tokenizer *t, Ids *out, const char *s, size_t n)
{
    if (!t->spm.byte_fallback) {
        array_push(out, t->unk);
        return;
    }
    for (size_t i = 0; i < n; i++)
        array_push(out, t->spm.bytes[(unsigned char)s[i]]);
}

/* One symbol as ids.  A piece marked unused is split into the pair that last made it, and so on down. */
static void add_symbol(const Tokenizer *t, TokenizerScratch *s, Ids *out, int32_t symbol)
{
    Ids todo = {0};
    array_push(&todo, symbol);
    while (todo.n) {
        int32_t v = todo.at[--todo.n];
        if (v >= t->n) {
            Span c = t->spm.loose[v - t->n];
            add_bytes_or_unknown(t, out, c.at, c.n);
        } else if (s->seen && t->kinds[v] == PIECE_UNUSED && s->seen[v].left >= 0) {
            array_push(&todo, s->seen[v].right);
            array_push(&todo, s->seen[v].left);
        } else {
            array_push(out, v);
        }
    }
    array_drop(&todo);
}

/* The ids of one chunk, without a look at the cache. */
static void encode_chunk(const Tokenizer *t, TokenizerScratch *s, Ids *out, const char *p, size_t n)
{
    Ids *symbols = &s->symbols;
    array_clear(symbols);
    for (size_t i = 0, k; i < n; i += k) {
        const Needle *whole =
            s->seen && t->spm.whole.needles.n ? matcher_at(&t->spm.whole, p + i, n - i) : NULL;
        k = whole ? whole->text.n : char_length(p + i, n - i);
        int32_t symbol = whole ? whole->id : NO_SYMBOL;
        if (k > 1 && !whole)
            symbol = character_symbol(t, p + i, k);
        else if (!whole && (unsigned char)p[i] < 128)
            symbol = t->spm.ascii[(unsigned char)p[i]];
        if (symbol >= 0)
            array_push(symbols, symbol);
        else if (p[i] == ' ')
            add_bytes_or_unknown(t, symbols, SPACE_SYMBOL, 3);
        else
            add_bytes_or_unknown(t, symbols, p + i, k);
    }
    if (s->seen)
        memset(s->seen, 0xFF, (size_t)t->spm.symbols_n * sizeof *s->seen);
    size_t left = merges_apply(&t->pairs, &s->merges, symbols->at, symbols->n, s->seen);
    for (size_t i = 0; i < left; i++) {
        int32_t v = symbols->at[i];
        if (v < t->n && !s->seen)
            array_push(out, v);
        else
            add_symbol(t, s, out, v);
    }
}

/* SentencePiece writes one unknown id for a run of unknown characters. */
static void add_fused(const Tokenizer *t, Ids *out, size_t segment, const Ids *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        if (!(t->spm.fuse_unknown && ids->at[i] == t->unk && out->n > segment &&
              out->at[out->n - 1] == t->unk))
            array_push(out, ids->at[i]);
}

static void encode_uncached(const Tokenizer *t, TokenizerScratch *s, Ids *out, size_t segment, const char *p,
                            size_t n)
{
    if (t->spm.byte_fallback) {
        encode_chunk(t, s, out, p, n);
        return;
    }
    array_clear(&s->ids);
    encode_chunk(t, s, &s->ids, p, n);
    add_fused(t, out, segment, &s->ids);
}

static inline void add_chunk(const Tokenizer *t, TokenizerScratch *s, Ids *out, size_t segment, const char *p,
                             size_t n, size_t readable)
{
    if (n > WORD_KEY_MAX || !t->spm.byte_fallback || s->seen) {
        encode_uncached(t, s, out, segment, p, n);
        return;
    }
    vocab_encode_cached(t, s, out, p, n, readable, encode_chunk);
}

/* May a piece stand across text[at)?  Called where the bytes alone say perhaps. */
static bool wide_join(const Spm *m, const char *text, size_t at, size_t n)
{
    uint32_t left = 0, right;
    size_t back = 1;
    while (back < 4 && back < at && ((unsigned char)text[at - back] & 0xC0) == 0x80)
        back++;
    if (utf8_decode(&left, text + at - back, back) != (int)back || !utf8_decode(&right, text + at, n - at))
        return false;
    if (m->split_at_spaces && plain(right) == ' ')
        return false;
    uint32_t bit = wide_bit(left, right);
    return m->wide_joins[bit / 8] >> bit % 8 & 1;
}

static inline size_t chunk_end(const Spm *m, const char *text, size_t at, size_t n)
{
    size_t i = at + 1;
    for (; i < n; i++) {
        uint8_t join = m->joins[(unsigned char)text[i - 1]][(unsigned char)text[i]];
        if (join == 0 || (join == 2 && !wide_join(m, text, i, n)))
            break;
    }
    return i;
}

static void encode_stretch(const Tokenizer *t, TokenizerScratch *s, Ids *out, const char *text, size_t n,
                           bool prefix)
{
    const Spm *m = &t->spm;
    size_t at = 0, segment = out->n;
    if (s->seen) { /* how an unused piece was made last depends on the whole text */
        str_clear(&s->chunk);
        str_adds(&s->chunk, prefix ? " " : "");
        str_add(&s->chunk, text, n);
        encode_uncached(t, s, out, segment, s->chunk.at, s->chunk.n);
        return;
    }
    if (prefix) {
        str_clear(&s->chunk);
        str_addc(&s->chunk, ' ');
        if (m->joins[' '][(unsigned char)text[0]]) {
            at = chunk_end(m, text, 0, n);
            str_add(&s->chunk, text, at);
        }
        add_chunk(t, s, out, segment, s->chunk.at, s->chunk.n, s->chunk.n);
    }
    while (at < n) {
        size_t end = chunk_end(m, text, at, n);
        int32_t id = end - at == 1 ? m->single[(unsigned char)text[at]] : NO_SYMBOL;
        if (id >= 0)
            array_push(out, id);
        else
            add_chunk(t, s, out, segment, text + at, end - at, n - at);
        at = end;
    }
}

/* A copy with ' ' for U+2581, the prefix in place, and superfluous spaces removed where the model says so. */
static void normalise(const Spm *m, Str *out, const char *text, size_t n, bool prefix)
{
    size_t i = 0;
    bool after_space = m->remove_extra_spaces;
    str_clear(out);
    while (m->remove_extra_spaces && i < n && text[i] == ' ')
        i++;
    if (i == n)
        return;
    str_adds(out, prefix ? " " : "");
    for (; i < n; i++) {
        if (text[i] == ' ' && after_space)
            continue;
        bool symbol = n - i >= 3 && memcmp(text + i, SPACE_SYMBOL, 3) == 0;
        str_addc(out, symbol ? ' ' : text[i]);
        after_space = m->remove_extra_spaces && text[i] == ' ';
        i += symbol ? 2 : 0;
    }
    while (m->remove_extra_spaces && out->n && out->at[out->n - 1] == ' ')
        out->n--;
}

/* Pieces defined by the user are taken out whole, the longest at each character, before anything merges. */
static void encode_around_whole(const Tokenizer *t, TokenizerScratch *s, Ids *out, const char *text, size_t n)
{
    size_t done = 0;
    for (size_t i = 0; i < n;) {
        const Needle *whole = s->seen ? NULL : matcher_at(&t->spm.whole, text + i, n - i);
        if (!whole) {
            i += char_length(text + i, n - i);
            continue;
        }
        if (i > done)
            encode_stretch(t, s, out, text + done, i - done, false);
        array_push(out, whole->id);
        done = i += whole->text.n;
    }
    if (n > done)
        encode_stretch(t, s, out, text + done, n - done, false);
}

Status spm_encode(const Tokenizer *t, TokenizerScratch *s, Ids *out, const char *text, size_t n, bool prefix)
{
    const Spm *m = &t->spm;
    if (n == 0)
        return ST_OK;
    if (m->prefix_unless_space && (text[0] == ' ' || (n >= 3 && memcmp(text, SPACE_SYMBOL, 3) == 0)))
        prefix = false;
    if (m->has_unused && !s->seen)
        s->seen = mem_array(PairSeen, m->symbols_n);
    if (m->whole.needles.n == 0 && !m->remove_extra_spaces) {
        encode_stretch(t, s, out, text, n, prefix);
        return ST_OK;
    }
    normalise(m, &s->normal, text, n, prefix);
    encode_around_whole(t, s, out, s->normal.at, s->normal.n);
    return ST_OK;
}
