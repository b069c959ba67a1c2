#include "infer/token_trie.h"

#include "infer/cycle_test.h"

enum { MAX = 16, BYTES = 256 };

/* These pieces, of which the first two are special, and then every byte. */
static Tokenizer *tokenizer_of(const char *const *texts, int n)
{
    Span pieces[MAX + BYTES];
    int32_t kinds[MAX + BYTES];
    float scores[MAX + BYTES] = {0};
    char names[BYTES][8];
    for (int i = 0; i < n; i++) {
        pieces[i] = span(texts[i]);
        kinds[i] = i == 0 ? PIECE_UNKNOWN : i == 1 ? PIECE_CONTROL : PIECE_NORMAL;
    }
    for (int i = 0; i < BYTES; i++) {
        snprintf(names[i], sizeof names[i], "<0x%02X>", (unsigned)i & 255u);
        pieces[n + i] = span(names[i]);
        kinds[n + i] = PIECE_BYTE;
    }
    VocabArrays v = {.kind = VOCAB_SPM,
                     .n = n + BYTES,
                     .pieces = pieces,
                     .scores = scores,
                     .kinds = kinds,
                     .bos = -1,
                     .eos = 1,
                     .unk = 0,
                     .pad = -1};
    Tokenizer *t = NULL;
    if (tokenizer_from_arrays(&t, &v) != ST_OK)
        fail_msg("%s", error_text());
    return t;
}

/* The node after these bytes. */
static const TrieNode *find(const TokenTrie *t, const char *bytes, size_t n)
{
    uint32_t at = 0, to = t->n;
    for (size_t d = 0; d < n; d++) {
        while (at < to && t->nodes[at].byte != (uint8_t)bytes[d])
            at = t->nodes[at].after;
        if (at >= to)
            return NULL;
        if (d + 1 == n)
            break;
        to = t->nodes[at].after;
        at++;
    }
    return &t->nodes[at];
}

static int tokens_at(const TrieNode *n)
{
    return (int)(n[1].tokens - n->tokens);
}

static void tokens_lie_below_their_beginnings(void **state)
{
    (void)state;
    static const char *const texts[] = {"<unk>", "</s>", "ab", "a", "abc", "b", "\xE2\x96\x81", "abd", "xy"};
    static const int32_t out[] = {8};
    Tokenizer *tok = tokenizer_of(texts, 9);
    TokenTrie t;
    token_trie_init(&t, tok, out, 1);
    assert_int_equal(t.n,
                     BYTES + 3 + 8); /* and ab, abc, abd; two special ones behind the byte that none has */
    assert_int_equal(t.longest, 6);
    const TrieNode *ab = find(&t, "ab", 2), *b = find(&t, "b", 1);
    assert_non_null(ab);
    assert_int_equal(tokens_at(ab), 1);
    assert_int_equal(t.order[ab->tokens], 2);
    assert_int_equal(t.nodes[ab->after].tokens - ab->tokens, 3);
    assert_int_equal(tokens_at(b), 2); /* the piece and the byte */
    assert_int_equal(tokens_at(find(&t, " ", 1)), 2);
    assert_null(find(&t, "xy", 2));
    assert_null(find(&t, "</", 2));
    assert_int_equal(token_trie_text(&t, 8).n, 0);
    assert_true(span_is(token_trie_text(&t, 1), "\xFF</s>"));
    assert_int_equal(token_trie_text(&t, 9 + 0xFF).n, 0);
    assert_int_equal(token_trie_text(&t, -1).n, 0);
    assert_true(span_is(token_trie_text(&t, 6), " "));
    token_trie_drop(&t);
    tokenizer_close(tok);
}

static void ordinary_text_is_known(void **state)
{
    (void)state;
    static const char *const texts[] = {"<unk>",         "</s>", "ab",  "c\"", "d\xC3\xA9\xC3\xA9",
                                        "e\xE2\x80\xA8", "f\n",  "h\\", "ij\""};
    Tokenizer *tok = tokenizer_of(texts, 9);
    TokenTrie t;
    token_trie_init(&t, tok, NULL, 0);
    assert_int_equal(find(&t, "a", 1)->plain, 2);
    assert_int_equal(find(&t, "ab", 2)->plain, 1);
    assert_int_equal(find(&t, "c", 1)->plain, 0); /* a quote below */
    assert_int_equal(find(&t, "d", 1)->plain, 3);
    assert_int_equal(find(&t, "d\xC3", 2)->plain, 2);
    assert_int_equal(find(&t, "d\xC3\xA9", 3)->plain, 0); /* not the beginning of a character */
    assert_int_equal(find(&t, "\xE2", 1)->plain, 1);      /* cut */
    assert_int_equal(find(&t, "e", 1)->plain, 0);         /* a line separator below */
    static const char odd[] = "\xA9\xFE\xC0\n\"\\\x7F\x1F";
    for (size_t i = 0; i < sizeof odd - 1; i++)
        assert_int_equal(find(&t, odd + i, 1)->plain, 0);
    assert_int_equal(find(&t, "f", 1)->plain, 0);
    assert_int_equal(find(&t, "h", 1)->plain, 0);
    assert_int_equal(find(&t, "i", 1)->plain, 0);
    assert_int_equal(find(&t, "z", 1)->plain, 1);
    token_trie_drop(&t);
    tokenizer_close(tok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_lie_below_their_beginnings),
        cmocka_unit_test(ordinary_text_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
