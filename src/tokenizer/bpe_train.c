/* Merges are found as Sennrich, Haddow & Birch 2016 (arXiv:1508.07909, algorithm 1) say, with counts kept up
 * to date: each pair knows the words it may stand in, a heap offers the most frequent, and a merge touches
 * only the words it changes. */
#include "tokenizer/bpe_train.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/arena.h"
#include "base/check.h"
#include "tokenizer/bpe_write.h"
#include "tokenizer/merges.h"
#include "tokenizer/presplit.h"

typedef struct {
    const char *bytes;
    uint32_t n, hash;
    int64_t count;
} TrainWord;

struct BpeTrainer {
    Arena arena;
    Array(TrainWord) words;
    uint32_t *slots; /* index into words + 1 */
    size_t slots_n;
    int64_t bytes;
    BpeDigits digits;
    bool numbers; /* bpe_train_numbers */
};

/* Counting words ---------------------------------------------------------------------------------------- */

BpeTrainer *bpe_train_new(BpeDigits digits)
{
    BpeTrainer *b = mem_new(BpeTrainer);
    b->digits = digits;
    b->slots_n = 1 << 16;
    b->slots = mem_array(uint32_t, b->slots_n);
    return b;
}

void bpe_train_free(BpeTrainer *b)
{
    if (!b)
        return;
    arena_drop(&b->arena);
    array_drop(&b->words);
    mem_free(b->slots);
    mem_free(b);
}

int64_t bpe_train_bytes(const BpeTrainer *b)
{
    return b->bytes;
}

int64_t bpe_train_words(const BpeTrainer *b)
{
    return (int64_t)b->words.n;
}

static void rebuild_slots(BpeTrainer *b, size_t slots_n)
{
    mem_free(b->slots);
    b->slots_n = slots_n;
    b->slots = mem_array(uint32_t, slots_n);
    for (size_t i = 0; i < b->words.n; i++) {
        size_t s = b->words.at[i].hash & (slots_n - 1);
        while (b->slots[s])
            s = (s + 1) & (slots_n - 1);
        b->slots[s] = (uint32_t)i + 1;
    }
}

static int by_count(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Forgets every word counted less often than the least count that leaves at most half of them. */
static void prune(BpeTrainer *b)
{
    int64_t *counts = mem_array(int64_t, b->words.n);
    for (size_t i = 0; i < b->words.n; i++)
        counts[i] = b->words.at[i].count;
    qsort(counts, b->words.n, sizeof *counts, by_count);
    int64_t least = counts[b->words.n / 2] + 1;
    mem_free(counts);
    Arena kept = {0};
    size_t n = 0;
    for (size_t i = 0; i < b->words.n; i++) {
        TrainWord w = b->words.at[i];
        if (w.count < least)
            continue;
        w.bytes = arena_strn(&kept, w.bytes, w.n);
        b->words.at[n++] = w;
    }
    b->words.n = n;
    arena_drop(&b->arena);
    b->arena = kept;
    rebuild_slots(b, b->slots_n);
}

static void count_word(BpeTrainer *b, const char *p, size_t n, int64_t times)
{
    uint32_t hash = (uint32_t)XXH3_64bits(p, n);
    size_t s = hash & (b->slots_n - 1);
    for (; b->slots[s]; s = (s + 1) & (b->slots_n - 1)) {
        TrainWord *w = &b->words.at[b->slots[s] - 1];
        if (w->hash == hash && w->n == n && memcmp(w->bytes, p, n) == 0) {
            w->count += times;
            return;
        }
    }
    TrainWord w = {arena_strn(&b->arena, p, n), (uint32_t)n, hash, times};
    array_push(&b->words, w);
    b->slots[s] = (uint32_t)b->words.n;
    if (b->words.n >= BPE_WORDS_MAX)
        prune(b);
    else if (b->words.n * 2 > b->slots_n)
        rebuild_slots(b, b->slots_n * 2);
}

void bpe_train_numbers(BpeTrainer *b)
{
    b->numbers = true;
    const int64_t before_all = (int64_t)1 << 50; /* their merges come first, whatever a weight makes of the others */
    for (char tens = '1'; tens <= '9'; tens++)
        for (char ones = '0'; ones <= '9'; ones++)
            count_word(b, (char[]){tens, ones}, 2, before_all);
}

/* Of three digits, which is as long as a word of digits becomes: nothing is to be put together of its parts. */
static bool is_long_number(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return n > 2;
}

void bpe_train_add(BpeTrainer *b, const char *text, size_t n, int64_t times)
{
    KnownNext *next = presplit_known(b->digits == BPE_DIGITS_SINGLE ? KNOWN_QWEN2 : KNOWN_LLAMA3);
    b->bytes += (int64_t)n;
    for (size_t at = 0, end; at < n; at = end) {
        end = next(text, at, n);
        if (end - at <= BPE_WORD_BYTES && !(b->numbers && is_long_number(text + at, end - at)))
            count_word(b, text + at, end - at, times);
    }
}

/* Finding merges ---------------------------------------------------------------------------------------- */

typedef struct {
    int32_t left, right;
    int64_t count;
    Array(uint32_t) words; /* that hold the pair, or held it once */
} TrainPair;

typedef struct {
    int64_t count;
    uint64_t pair; /* pair_key: left id, then right id */
    uint32_t index;
} Candidate;

typedef struct {
    int32_t *symbols;
    uint32_t *start, *length; /* of each word in symbols */
    const TrainWord *words;
    Array(TrainPair) pairs;
    PairTable index; /* pair -> place in pairs */
    Array(Candidate) heap;
    Array(uint32_t) grown; /* pairs whose count grew in this merge */
    BpeVocab *vocab;
} Search;

static bool better(const Candidate *a, const Candidate *b)
{
    return a->count != b->count ? a->count > b->count : a->pair < b->pair;
}

static void offer(Search *s, uint32_t index)
{
    const TrainPair *p = &s->pairs.at[index];
    Candidate c = {p->count, pair_key(p->left, p->right), index};
    array_push(&s->heap, c);
    Candidate *h = s->heap.at;
    size_t i = s->heap.n - 1;
    for (; i > 0 && better(&c, &h[(i - 1) / 2]); i = (i - 1) / 2)
        h[i] = h[(i - 1) / 2];
    h[i] = c;
}

static Candidate take(Search *s)
{
    Candidate *h = s->heap.at, top = h[0], c = h[--s->heap.n];
    size_t n = s->heap.n, i = 0;
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && better(&h[child + 1], &h[child]))
            child++;
        if (!better(&h[child], &c))
            break;
        h[i] = h[child];
    }
    h[i] = c;
    return top;
}

static uint32_t pair_index(Search *s, int32_t left, int32_t right)
{
    const Pair *known = pairs_find(&s->index, left, right);
    if (known)
        return (uint32_t)known->id;
    TrainPair p = {.left = left, .right = right};
    array_push(&s->pairs, p);
    pairs_put(&s->index, left, right, 0, (int32_t)s->pairs.n - 1);
    return (uint32_t)s->pairs.n - 1;
}

static void gain(Search *s, int32_t left, int32_t right, uint32_t word)
{
    uint32_t i = pair_index(s, left, right);
    TrainPair *p = &s->pairs.at[i];
    p->count += s->words[word].count;
    if (p->words.n == 0 || p->words.at[p->words.n - 1] != word)
        array_push(&p->words, word);
    if (s->grown.n == 0 || s->grown.at[s->grown.n - 1] != i)
        array_push(&s->grown, i);
}

static void lose(Search *s, int32_t left, int32_t right, uint32_t word)
{
    s->pairs.at[pair_index(s, left, right)].count -= s->words[word].count;
}

static void search_start(Search *s, const BpeTrainer *b, BpeVocab *vocab)
{
    size_t total = 0;
    for (size_t i = 0; i < b->words.n; i++)
        total += b->words.at[i].n;
    *s = (Search){.vocab = vocab, .words = b->words.at};
    s->symbols = mem_array(int32_t, total ? total : 1);
    s->start = mem_array(uint32_t, b->words.n + 1);
    s->length = mem_array(uint32_t, b->words.n + 1);
    pairs_init(&s->index);
    size_t at = 0;
    for (size_t i = 0; i < b->words.n; i++) {
        const TrainWord *w = &b->words.at[i];
        s->start[i] = (uint32_t)at;
        s->length[i] = w->n;
        for (size_t k = 0; k < w->n; k++)
            s->symbols[at++] = BPE_SPECIALS + (unsigned char)w->bytes[k];
        for (size_t k = 0; k + 1 < w->n; k++)
            gain(s, s->symbols[s->start[i] + k], s->symbols[s->start[i] + k + 1], (uint32_t)i);
    }
    for (size_t i = 0; i < s->pairs.n; i++)
        offer(s, (uint32_t)i);
}

static void search_drop(Search *s)
{
    for (size_t i = 0; i < s->pairs.n; i++)
        array_drop(&s->pairs.at[i].words);
    array_drop(&s->pairs);
    array_drop(&s->heap);
    array_drop(&s->grown);
    pairs_drop(&s->index);
    mem_free(s->symbols);
    mem_free(s->start);
    mem_free(s->length);
}

static void merge_in_word(Search *s, uint32_t word, int32_t left, int32_t right, int32_t merged)
{
    int32_t *v = s->symbols + s->start[word];
    uint32_t n = s->length[word], out = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i + 1 >= n || v[i] != left || v[i + 1] != right) {
            v[out++] = v[i];
            continue;
        }
        if (out > 0) {
            lose(s, v[out - 1], left, word);
            gain(s, v[out - 1], merged, word);
        }
        if (i + 2 < n) {
            lose(s, right, v[i + 2], word);
            gain(s, merged, v[i + 2], word);
        }
        v[out++] = merged;
        i++;
    }
    s->length[word] = out;
}

static int by_index(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void merge(Search *s, uint32_t index)
{
    TrainPair p = s->pairs.at[index];
    s->pairs.at[index].words.at = NULL;
    s->pairs.at[index].words.n = s->pairs.at[index].words.cap = 0;
    int32_t merged = bpe_vocab_merge(s->vocab, p.left, p.right);
    array_clear(&s->grown);
    for (size_t i = 0; i < p.words.n; i++)
        merge_in_word(s, p.words.at[i], p.left, p.right, merged);
    array_drop(&p.words);
    s->pairs.at[index].count = 0;
    if (s->grown.n)
        qsort(s->grown.at, s->grown.n, sizeof *s->grown.at, by_index);
    for (size_t i = 0; i < s->grown.n; i++)
        if ((i == 0 || s->grown.at[i] != s->grown.at[i - 1]) && s->pairs.at[s->grown.at[i]].count > 0)
            offer(s, s->grown.at[i]);
}

/* A candidate whose pair has become rarer is offered again with its present count; one whose pair has grown
 * is an old copy. */
static bool next_merge(Search *s)
{
    while (s->heap.n) {
        Candidate c = take(s);
        int64_t now = s->pairs.at[c.index].count;
        if (c.count > now && now > 0)
            offer(s, c.index);
        if (c.count != now || now <= 0)
            continue;
        if (now < 2)
            return false;
        merge(s, c.index);
        return true;
    }
    return false;
}

Status bpe_train_finish(const BpeTrainer *b, Tokenizer **out, int64_t vocab_size, BpeProgress *progress,
                        void *context)
{
    if (vocab_size < BPE_VOCAB_MIN || vocab_size > 1 << 24)
        return fail(ST_ARG, "a byte-level vocabulary has from %d to %d ids, and %lld were asked for",
                    (int)BPE_VOCAB_MIN, 1 << 24, (long long)vocab_size);
    if (b->words.n == 0)
        return fail(ST_ARG, "no text to learn a vocabulary from");
    BpeVocab *vocab = bpe_vocab_new();
    Search s;
    search_start(&s, b, vocab);
    while (bpe_vocab_size(vocab) < vocab_size && next_merge(&s))
        if (progress && bpe_vocab_size(vocab) % 64 == 0)
            progress(context, bpe_vocab_size(vocab) - BPE_VOCAB_MIN, vocab_size - BPE_VOCAB_MIN);
    search_drop(&s);
    Status st = bpe_vocab_open(vocab, b->digits, out);
    bpe_vocab_free(vocab);
    return st;
}
