#include "infer/token_trie.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    Span text;
    int32_t id;
} Entry;

/* Building ----------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    size_t n = x->text.n < y->text.n ? x->text.n : y->text.n;
    int order = memcmp(x->text.at, y->text.at, n);
    if (order)
        return order;
    if (x->text.n != y->text.n)
        return x->text.n < y->text.n ? -1 : 1;
    return x->id < y->id ? -1 : 1;
}

static bool listed(const int32_t *ids, size_t n, int32_t id)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] == id)
            return true;
    return false;
}

static size_t common(Span a, Span b)
{
    size_t n = 0, most = a.n < b.n ? a.n : b.n;
    while (n < most && a.at[n] == b.at[n])
        n++;
    return n;
}

/* The text that stands for an id; copied.  Empty: it is left out. */
static Span text_of(TokenTrie *t, const Tokenizer *tokenizer, int32_t id)
{
    bool special = tokenizer_is_special(tokenizer, id);
    Span text = special ? tokenizer_piece(tokenizer, id) : tokenizer_text(tokenizer, id);
    if (!text.n || text.n >= UINT16_MAX - 1 || memchr(text.at, TRIE_SPECIAL, text.n))
        return (Span){"", 0};
    char *copy = arena_alloc(&t->strings, text.n + 1);
    copy[0] = (char)TRIE_SPECIAL;
    memcpy(copy + special, text.at, text.n);
    return (Span){copy, text.n + special};
}

/* The texts that take part, sorted. */
static Entry *entries_of(TokenTrie *t, const Tokenizer *tokenizer, const int32_t *leave_out,
                         size_t leave_out_n, size_t *n)
{
    Array(Entry) entries = {0};
    for (int32_t id = 0; id < t->vocab; id++) {
        Entry e = {.id = id};
        if (!listed(leave_out, leave_out_n, id))
            e.text = text_of(t, tokenizer, id);
        if (!e.text.n)
            continue;
        t->texts[id] = e.text;
        if ((int32_t)e.text.n > t->longest)
            t->longest = (int32_t)e.text.n;
        array_push(&entries, e);
    }
    if (entries.n)
        qsort(entries.at, entries.n, sizeof *entries.at, by_text);
    *n = entries.n;
    return entries.at;
}

static void lay_out(TokenTrie *t, const Entry *entries, size_t n)
{
    Array(TrieNode) nodes = {0};
    uint32_t *open =
        mem_array(uint32_t, t->longest + 1); /* the node at each depth of the text that was added last */
    Span last = {"", 0};
    for (size_t i = 0; i < n; i++) {
        Span text = entries[i].text;
        size_t shared = common(last, text);
        t->order[i] = entries[i].id;
        if (shared == text.n && last.n == text.n)
            continue; /* another id with the same text */
        for (size_t d = last.n; d > shared; d--)
            nodes.at[open[d - 1]].after = (uint32_t)nodes.n;
        for (size_t d = shared; d < text.n; d++) {
            TrieNode node = {.tokens = (uint32_t)i, .depth = (uint16_t)(d + 1), .byte = (uint8_t)text.at[d]};
            open[d] = (uint32_t)nodes.n;
            array_push(&nodes, node);
        }
        last = text;
    }
    for (size_t d = last.n; d > 0; d--)
        nodes.at[open[d - 1]].after = (uint32_t)nodes.n;
    t->n = (uint32_t)nodes.n;
    array_push(&nodes, ((TrieNode){.after = t->n, .tokens = (uint32_t)n}));
    t->nodes = nodes.at;
    mem_free(open);
}

/* Plain text --------------------------------------------------------------------------------------------- */

/* A character being read: its first byte was `first`, `left` more are to come. */
typedef struct {
    uint32_t code;
    uint8_t first, left, read;
} Reading;

static bool is_ordinary(uint32_t code)
{
    return code >= 0x20 && code != '"' && code != '\\' && code != 0x7F && code != 0x85 && code != 0x2028 &&
           code != 0x2029;
}

/* The next byte; false where none of that value may come, and then reading begins anew with it. */
static bool read_byte(Reading *r, uint8_t byte)
{
    if (r->left == 0) {
        int n = utf8_length(byte);
        *r = (Reading){.code = n == 1 ? byte
                               : n    ? byte & (0xFFu >> (n + 1))
                                      : 0,
                       .first = byte,
                       .left = (uint8_t)(n ? n - 1 : 0),
                       .read = 1};
        return n != 0 && (n > 1 || is_ordinary(byte));
    }
    uint8_t low = 0x80, high = 0xBF;
    if (r->read == 1) {
        low = r->first == 0xE0 ? 0xA0 : r->first == 0xF0 ? 0x90 : low;
        high = r->first == 0xED ? 0x9F : r->first == 0xF4 ? 0x8F : high;
    }
    if (byte < low || byte > high) {
        r->left = 0;
        return read_byte(r, byte) && false;
    }
    r->code = r->code << 6 | (byte & 0x3F);
    r->left--;
    r->read++;
    return r->left > 0 || is_ordinary(r->code);
}

/* Forwards to know where characters begin, backwards to gather what is below each node. */
static void find_plain(TokenTrie *t)
{
    typedef struct {
        uint32_t parent;
        uint16_t chars; /* most of them from here on, this one if it begins here */
        bool begins, fits, all_fit;
    } Fact;
    Fact *facts = mem_array(Fact, t->n + 1);
    Reading *path = mem_array(Reading, t->longest + 2);
    uint32_t *open = mem_array(uint32_t, t->longest + 2);
    for (uint32_t i = 0; i < t->n; i++) {
        uint16_t d = t->nodes[i].depth;
        Reading r = path[d - 1];
        Reading alone = {0}; /* a byte that breaks off a character may still begin one */
        bool fits = read_byte(&r, t->nodes[i].byte), begins = r.read == 1;
        facts[i] = (Fact){.parent = d > 1 ? open[d - 1] : UINT32_MAX,
                          .begins = begins,
                          .fits = fits,
                          .all_fit = begins ? read_byte(&alone, t->nodes[i].byte) : fits};
        path[d] = r;
        open[d] = i;
    }
    for (uint32_t i = t->n; i-- > 0;) {
        Fact *f = &facts[i];
        f->chars = (uint16_t)(f->chars + f->begins);
        t->nodes[i].plain = !f->begins || !f->all_fit ? 0
                            : f->chars < TRIE_LONG    ? (uint8_t)f->chars
                                                      : TRIE_LONG;
        if (f->parent == UINT32_MAX)
            continue;
        Fact *p = &facts[f->parent];
        p->chars = f->chars > p->chars ? f->chars : p->chars;
        p->all_fit = p->all_fit && f->all_fit && f->fits;
    }
    mem_free(facts);
    mem_free(path);
    mem_free(open);
}

void token_trie_init(TokenTrie *t, const Tokenizer *tokenizer, const int32_t *leave_out, size_t leave_out_n)
{
    size_t n;
    *t = (TokenTrie){.vocab = tokenizer_vocab_size(tokenizer)};
    t->texts = mem_array(Span, t->vocab + 1);
    Entry *entries = entries_of(t, tokenizer, leave_out, leave_out_n, &n);
    t->order = mem_array(int32_t, n + 1);
    lay_out(t, entries, n);
    find_plain(t);
    mem_free(entries);
}

void token_trie_drop(TokenTrie *t)
{
    mem_free(t->nodes);
    mem_free(t->order);
    mem_free(t->texts);
    arena_drop(&t->strings);
    *t = (TokenTrie){0};
}

Span token_trie_text(const TokenTrie *t, int32_t id)
{
    return id >= 0 && id < t->vocab && t->texts[id].n ? t->texts[id] : (Span){"", 0};
}
