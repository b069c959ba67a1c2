/* The encoder with its cuts, cache and tables, against the algorithm as SentencePiece's bpe_model.cc states
 * it, done plainly on random vocabularies: scores that tie, pieces whose parts are no pieces, unused and
 * user-defined pieces, no byte pieces. */
#include "tokenizer/tokenizer.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* A vocabulary over few characters, so that merges meet often. */
enum { PIECES_MAX = 400, TEXT_MAX = 64 };
static const char *const letters[] = {"\xE2\x96\x81", "a", "b", "c", "\xC3\xA9", "\xE6\x9D\xB1"};

typedef struct {
    VocabArrays v;
    Span pieces[PIECES_MAX];
    float scores[PIECES_MAX];
    int32_t kinds[PIECES_MAX];
    char bytes[256][8];
    char texts[PIECES_MAX][32];
    Map *known;
} RandomVocab;

static void add(RandomVocab *r, const char *piece, int32_t kind, float score)
{
    int32_t id = r->v.n;
    if (id == PIECES_MAX || map_find(r->known, piece, strlen(piece)))
        return;
    *map_put(r->known, piece, strlen(piece)) = id;
    snprintf(r->texts[id], sizeof r->texts[id], "%s", piece);
    r->pieces[id] = span(r->texts[id]);
    r->kinds[id] = kind;
    r->scores[id] = score;
    r->v.n++;
}

static void make_vocab(RandomVocab *r, uint32_t *seed)
{
    *r = (RandomVocab){.known = map_new()};
    r->v = (VocabArrays){
        .kind = VOCAB_SPM, .pieces = r->pieces, .scores = r->scores, .kinds = r->kinds, .bos = -1, .eos = -1};
    r->v.add_space_prefix = next_random(seed) % 2;
    add(r, "<unk>", PIECE_UNKNOWN, 0);
    bool with_bytes = next_random(seed) % 2, with_unused = next_random(seed) % 3 == 0,
         with_user = next_random(seed) % 3 == 0;
    for (int b = 0; b < 256 && with_bytes; b++) {
        snprintf(r->bytes[b], sizeof r->bytes[b], "<0x%02X>", b);
        add(r, r->bytes[b], PIECE_BYTE, 0);
    }
    for (int i = 0; i < 6; i++)
        if (next_random(seed) % 6)
            add(r, letters[i], PIECE_NORMAL, -(float)(next_random(seed) % 8));
    for (int i = 0; i < 60; i++) {
        char piece[32];
        int length = 0;
        for (uint32_t k = 2 + next_random(seed) % 3; k > 0; k--)
            length +=
                snprintf(piece + length, sizeof piece - (size_t)length, "%s", letters[next_random(seed) % 6]);
        uint32_t kind = next_random(seed) % 12;
        add(r, piece,
            with_unused && kind == 0 ? PIECE_UNUSED
            : with_user && kind == 1 ? PIECE_USER
                                     : PIECE_NORMAL,
            -(float)(next_random(seed) % 8));
    }
}

typedef struct {
    int32_t start, n; /* bytes of the text; n == 0: merged away */
    bool frozen;
} Symbol;

static int32_t id_of(const RandomVocab *r, const char *s, int32_t n)
{
    const int64_t *id = map_find(r->known, s, (size_t)n);
    return id ? (int32_t)*id : -1;
}

static bool merges(const RandomVocab *r, int32_t id)
{
    return id >= 0 &&
           (r->kinds[id] == PIECE_NORMAL || r->kinds[id] == PIECE_UNUSED || r->kinds[id] == PIECE_USER);
}

typedef struct {
    int32_t left, middle, right; /* bytes of the two parts that made it last */
    bool known;
} Made;

static void resegment(const RandomVocab *r, const char *text, int32_t start, int32_t n,
                      Made (*made)[TEXT_MAX * 8], Ids *out)
{
    int32_t id = id_of(r, text + start, n);
    if (merges(r, id) && r->kinds[id] == PIECE_UNUSED && (*made)[id].known) {
        int32_t left = (*made)[id].middle - (*made)[id].left;
        resegment(r, text, start, left, made, out);
        resegment(r, text, start + left, n - left, made, out);
        return;
    }
    bool unknown = !merges(r, id), bytes = r->v.n > 256;
    if (!unknown)
        array_push(out, id);
    else if (!bytes && !(out->n && out->at[out->n - 1] == 0))
        array_push(out, 0);
    for (int32_t i = 0; unknown && bytes && i < n; i++)
        array_push(out, 1 + (unsigned char)text[start + i]);
}

static int32_t user_piece_at(const RandomVocab *r, const char *s, int32_t left)
{
    int32_t best = 0;
    for (int32_t id = 0; id < r->v.n; id++)
        if (r->kinds[id] == PIECE_USER && (int32_t)r->pieces[id].n <= left &&
            (int32_t)r->pieces[id].n > best && memcmp(r->pieces[id].at, s, r->pieces[id].n) == 0)
            best = (int32_t)r->pieces[id].n;
    return best;
}

static void note(const RandomVocab *r, const char *text, const Symbol *s, int32_t a, int32_t b,
                 Made (*made)[TEXT_MAX * 8])
{
    if (a < 0 || b < 0 || s[a].frozen || s[b].frozen)
        return;
    int32_t id = id_of(r, text + s[a].start, s[a].n + s[b].n);
    if (merges(r, id))
        (*made)[id] = (Made){s[a].start, s[b].start, s[b].start + s[b].n, true};
}

/* `text` is normalised: U+2581 for space, the prefix in front. */
static void encode_plainly(const RandomVocab *r, const char *text, int32_t n, Ids *out)
{
    static Symbol s[TEXT_MAX * 8];
    static Made made[TEXT_MAX * 8];
    memset(made, 0, sizeof made);
    int32_t count = 0;
    for (int32_t at = 0; at < n; at += s[count++].n) {
        uint32_t c;
        int32_t whole = user_piece_at(r, text + at, n - at);
        s[count] = (Symbol){at, whole ? whole : utf8_decode(&c, text + at, (size_t)(n - at)), whole > 0};
    }
    for (int32_t i = 0; i + 1 < count; i++)
        note(r, text, s, i, i + 1, &made);
    for (;;) {
        int32_t best = -1, best_next = -1;
        for (int32_t i = 0, k; i < count; i = k) {
            for (k = i + 1; k < count && s[k].n == 0; k++)
                ;
            if (k == count || s[i].frozen || s[k].frozen)
                continue;
            int32_t id = id_of(r, text + s[i].start, s[i].n + s[k].n);
            if (merges(r, id) &&
                (best < 0 ||
                 r->scores[id] > r->scores[id_of(r, text + s[best].start, s[best].n + s[best_next].n)])) {
                best = i;
                best_next = k;
            }
        }
        if (best < 0)
            break;
        s[best].n += s[best_next].n;
        s[best_next].n = 0;
        int32_t before = best - 1, after = best_next + 1;
        while (before >= 0 && s[before].n == 0)
            before--;
        while (after < count && s[after].n == 0)
            after++;
        note(r, text, s, before, best, &made);
        note(r, text, s, best, after < count ? after : -1, &made);
    }
    for (int32_t i = 0; i < count; i++)
        if (s[i].n)
            resegment(r, text, s[i].start, s[i].n, &made, out);
}

static void compare(const RandomVocab *r, const Tokenizer *t, uint32_t *seed)
{
    Str raw = {0}, normal = {0};
    Ids got = {0}, want = {0};
    uint32_t n = 1 + next_random(seed) % TEXT_MAX;
    str_adds(&normal, r->v.add_space_prefix ? letters[0] : "");
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = next_random(seed) % 8;
        const char *c = k < 6 ? letters[k] : k == 6 ? " " : "z"; /* z is never a piece */
        str_adds(&raw, c);
        str_adds(&normal, k == 6 ? letters[0] : c);
    }
    encode_plainly(r, normal.at, (int32_t)normal.n, &want);
    assert_int_equal(tokenizer_encode(t, &got, raw.at, raw.n, 0), ST_OK);
    if (got.n != want.n || memcmp(got.at, want.at, got.n * sizeof *got.at) != 0)
        fail_msg("'%s': %zu ids, want %zu", raw.at, got.n, want.n);
    str_drop(&raw);
    str_drop(&normal);
    array_drop(&got);
    array_drop(&want);
}

static void random_vocabularies_encode_as_sentencepiece_says(void **state)
{
    (void)state;
    static RandomVocab r;
    uint32_t seed = 17;
    for (int round = 0; round < 120; round++) {
        make_vocab(&r, &seed);
        Tokenizer *t;
        if (tokenizer_from_arrays(&t, &r.v) != ST_OK)
            fail_msg("%s", error_text());
        for (int i = 0; i < 30; i++)
            compare(&r, t, &seed);
        tokenizer_close(t);
        map_free(r.known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_vocabularies_encode_as_sentencepiece_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
