/* One vocabulary is one vocabulary: as arrays, as files, and there and back its ids and its hash are the
 * same, and whatever changes ids changes the hash. */
#include "base/scratch_test.h"
#include "tokenizer/small_vocab_test.h"

static const char *const odd_texts[] = {"",
                                        " ",
                                        "  a",
                                        "a",
                                        "abab aaaa",
                                        "aaaaaaaaaaaaa",
                                        "  ab  \n\tab",
                                        "xyxy yx",
                                        "<s>",
                                        "a<s>b</s> c",
                                        "<s><s>ab",
                                        "<user>ab<user>",
                                        "a <user> b",
                                        "<unk> a<unk>b",
                                        "<|end|>a<|end|> b",
                                        "ab<|en",
                                        "\xC3\xA9t\xC3\xA9 \xF0\x9F\x90\x92",
                                        "\xE2\x96\x81\141\xE2\x96\x81",
                                        "\xFF\xFE\x80 a",
                                        "it's 1234,\r\n\r\n x+=1; // [PAD264]",
                                        "[PAD264]",
                                        "<0x41>A",
                                        "e\xCC\x81 \xEF\xAC\x81 \xE4\xB8\xAD\xE6\x96\x87"};

static void encode(const Tokenizer *t, Ids *ids, const char *text, int flags)
{
    array_clear(ids);
    assert_int_equal(tokenizer_encode(t, ids, text, strlen(text), flags), ST_OK);
}

static void expect_same_ids(const Tokenizer *a, const Tokenizer *b, const char *what)
{
    static const int flags[] = {0, TOK_SPECIAL, TOK_BOS | TOK_EOS, TOK_SPECIAL | TOK_RAW};
    Ids x = {0}, y = {0};
    for (size_t i = 0; i < 4 * sizeof odd_texts / sizeof *odd_texts; i++) {
        encode(a, &x, odd_texts[i / 4], flags[i % 4]);
        encode(b, &y, odd_texts[i / 4], flags[i % 4]);
        if (x.n != y.n || (x.n && memcmp(x.at, y.at, x.n * sizeof *x.at) != 0))
            fail_msg("%s: '%s' has other ids, flags %d", what, odd_texts[i / 4], flags[i % 4]);
    }
    array_drop(&x);
    array_drop(&y);
}

static void expect_same(const Tokenizer *a, const Tokenizer *b, const char *what)
{
    assert_int_equal(tokenizer_vocab_size(a), tokenizer_vocab_size(b));
    assert_int_equal(tokenizer_bos(a), tokenizer_bos(b));
    assert_int_equal(tokenizer_eos(a), tokenizer_eos(b));
    assert_int_equal(tokenizer_unk(a), tokenizer_unk(b));
    assert_int_equal(tokenizer_pad(a), tokenizer_pad(b));
    assert_int_equal(tokenizer_adds_bos(a), tokenizer_adds_bos(b));
    assert_int_equal(tokenizer_adds_eos(a), tokenizer_adds_eos(b));
    expect_same_ids(a, b, what);
    if (tokenizer_hash(a) != tokenizer_hash(b))
        fail_msg("%s: the hash is another", what);
}

static Tokenizer *saved(const Tokenizer *t)
{
    Tokenizer *back = NULL;
    char *folder = scratch_path("saved");
    if (tokenizer_save(t, folder) != ST_OK || tokenizer_open(&back, folder) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(folder_remove(folder), ST_OK);
    mem_free(folder);
    return back;
}

static Tokenizer *exported(const Tokenizer *t, const char **lost)
{
    Arena arena = {0};
    VocabArrays v;
    if (tokenizer_to_arrays(t, &arena, &v, lost) != ST_OK)
        fail_msg("%s", error_text());
    Tokenizer *back = small_open(&v);
    arena_drop(&arena);
    return back;
}

/* Saved, exported, and saved after being exported. */
static void expect_round_trips(const VocabArrays *v, const char *what)
{
    const char *lost;
    Tokenizer *t = small_open(v), *file = saved(t), *arrays = exported(file, &lost), *again = saved(arrays);
    assert_null(lost);
    expect_same(t, file, what);
    expect_same(t, arrays, what);
    expect_same(t, again, what);
    tokenizer_close(t);
    tokenizer_close(file);
    tokenizer_close(arrays);
    tokenizer_close(again);
}

static void spm_arrays_come_back(void **state)
{
    (void)state;
    SmallVocab s;
    small_spm(&s);
    expect_round_trips(&s.v, "spm");
    s.v.prefix_first = true;
    expect_round_trips(&s.v, "prefix_first");
    s.v.add_space_prefix = s.v.prefix_first = false;
    expect_round_trips(&s.v, "no prefix");
    s.v.remove_extra_spaces = true;
    expect_round_trips(&s.v, "remove_extra_spaces");
    small_spm(&s);
    s.v.add_bos = false;
    s.v.add_eos = true;
    s.v.pad = 2;
    expect_round_trips(&s.v, "ends");
    s.v.bos = s.v.eos = s.v.pad = -1;
    expect_round_trips(&s.v, "no ends");
}

/* With merges, as a tokenizer.json's: the pairs of small_spm's normal pieces. */
static void spm_merges_come_back(void **state)
{
    (void)state;
    SmallVocab s;
    small_spm(&s);
    static const char *const merges[] = {"\xE2\x96\x81 a", "a b", "a a", "aa a", "a aa", "\xE2\x96\x81 ab"};
    for (int i = 0; i < 6; i++)
        s.merges[i] = span(merges[i]);
    s.v.merges = s.merges;
    s.v.merges_n = 6;
    expect_round_trips(&s.v, "merges");
    s.v.split_at_spaces = true;
    expect_round_trips(&s.v, "split_at_spaces");
    s.v.prefix_unless_space = true;
    expect_round_trips(&s.v, "prefix_unless_space");
    s.v.prefix_first = true;
    s.v.split_at_spaces = false;
    expect_round_trips(&s.v, "prefix_first");
    s.v.add_space_prefix = s.v.prefix_first = s.v.prefix_unless_space = false;
    expect_round_trips(&s.v, "no prefix");
    s.v.split_at_spaces = true;
    s.v.add_eos = true;
    expect_round_trips(&s.v, "split without a prefix");
}

static void bbpe_arrays_come_back(void **state)
{
    (void)state;
    static const char *const names[] = {"gpt-2",          "llama-bpe",    "smaug-bpe", "qwen2",
                                        "starcoder",      "default",      "",          "command-r",
                                        "deepseek-coder", "deepseek-llm", "tekken",    "seed-coder",
                                        "[a-z]+|\\s"};
    SmallVocab s;
    small_bbpe(&s);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        s.v.pre = names[i];
        expect_round_trips(&s.v, names[i]);
    }
    s.v.pre = "gpt-2";
    s.v.add_space_prefix = true;
    expect_round_trips(&s.v, "add_space_prefix");
    s.v.add_space_prefix = false;
    s.v.nfc = s.v.ignore_merges = true;
    expect_round_trips(&s.v, "nfc");
    s.v.bos = 261;
    s.v.pad = 264;
    s.v.add_bos = s.v.add_eos = true;
    expect_round_trips(&s.v, "ends");
}

static void every_golden_vocabulary_becomes_arrays(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool loses;
    } golden[] = {{"gpt2.json", false},           {"gpt2_prefix.json", false}, {"llama.model", false},
                  {"llama3.json", false},         {"llama_first.json", false}, {"llama_legacy.json", false},
                  {"llama_split.json", false},    {"no_prefix.model", false},  {"plain.model", false},
                  {"qwen2.json", false},          {"starcoder.json", false},   {"unused.model", false},
                  {"tekken.json", false},         {"deepseek_llm.json", false},
                  {"deepseek_coder.json", false},
                  {"llama_normalized.json", true}};
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        char path[128];
        const char *lost;
        Tokenizer *t;
        snprintf(path, sizeof path, "tests/golden/tokenizer/%s", golden[i].name);
        assert_int_equal(tokenizer_open(&t, path), ST_OK);
        Tokenizer *back = exported(t, &lost);
        if (golden[i].loses != (lost != NULL))
            fail_msg("%s loses %s", golden[i].name, lost ? lost : "nothing");
        if (!lost)
            expect_same(t, back, golden[i].name);
        tokenizer_close(t);
        tokenizer_close(back);
    }
}

static void what_arrays_cannot_say_is_named(void **state)
{
    (void)state;
    static const char *const names[] = {"split_removed", "split_contiguous", "split_merged_with_next",
                                        "added"};
    for (int i = 0; i < 4; i++) {
        char path[128];
        Arena arena = {0};
        VocabArrays v;
        const char *lost;
        Tokenizer *t;
        snprintf(path, sizeof path, "tests/golden/tokenizer/%s.json", names[i]);
        assert_int_equal(tokenizer_open(&t, path), ST_OK);
        assert_int_equal(tokenizer_to_arrays(t, &arena, &v, &lost), ST_UNSUPPORTED);
        expect_words("tokenizer.ggml.pre");
        arena_drop(&arena);
        tokenizer_close(t);
    }
}

/* Scores handed out for a vocabulary of merges put these in their order. */
static void scores_follow_merges(void **state)
{
    (void)state;
    Arena arena = {0};
    VocabArrays v;
    const char *lost;
    Tokenizer *t;
    assert_int_equal(tokenizer_open(&t, "tests/golden/tokenizer/llama_legacy.json"), ST_OK);
    assert_int_equal(tokenizer_to_arrays(t, &arena, &v, &lost), ST_OK);
    assert_true(v.merges_n > 0 && v.scores);
    v.merges_n = 0;
    Tokenizer *scored = small_open(&v);
    expect_same_ids(t, scored, "scores");
    tokenizer_close(t);
    tokenizer_close(scored);
    arena_drop(&arena);
}

static uint64_t hash_of(const VocabArrays *v)
{
    Tokenizer *t = small_open(v);
    uint64_t hash = tokenizer_hash(t);
    tokenizer_close(t);
    return hash;
}

#define expect_change(s, change, undo)           \
    do {                                         \
        uint64_t before_ = hash_of(&(s).v);      \
        change;                                  \
        assert_true(hash_of(&(s).v) != before_); \
        undo;                                    \
        assert_true(hash_of(&(s).v) == before_); \
    } while (0)

static void every_change_of_spm_changes_the_hash(void **state)
{
    (void)state;
    SmallVocab s;
    small_spm(&s);
    int32_t ab = 260, user = s.v.n - 1;
    expect_change(s, s.scores[ab] = -0.5f, s.scores[ab] = 0);
    expect_change(s, s.scores[ab] = -7, s.scores[ab] = 0);
    expect_change(s, s.pieces[ab] = span("ba"), s.pieces[ab] = span("ab"));
    expect_change(s, s.kinds[ab] = PIECE_UNUSED, s.kinds[ab] = PIECE_NORMAL);
    expect_change(s, s.kinds[ab] = PIECE_CONTROL, s.kinds[ab] = PIECE_NORMAL);
    expect_change(s, s.kinds[user] = PIECE_NORMAL, s.kinds[user] = PIECE_USER);
    expect_change(s, s.kinds[2] = PIECE_NORMAL, s.kinds[2] = PIECE_CONTROL);
    expect_change(s, s.v.bos = 2, s.v.bos = 1);
    expect_change(s, s.v.eos = 1, s.v.eos = 2);
    expect_change(s, s.v.n--, s.v.n++);
    expect_change(s, s.v.add_bos = false, s.v.add_bos = true);
    expect_change(s, s.v.add_space_prefix = false, s.v.add_space_prefix = true);
    expect_change(s, s.v.prefix_first = true, s.v.prefix_first = false);
    expect_change(s, s.v.remove_extra_spaces = true, s.v.remove_extra_spaces = false);
    expect_change(s, s.v.split_at_spaces = true, s.v.split_at_spaces = false);
}

static void every_change_of_bbpe_changes_the_hash(void **state)
{
    (void)state;
    SmallVocab s;
    small_bbpe(&s);
    Span ab_ab = s.merges[1], a_a = s.merges[2];
    expect_change(s, (s.merges[1] = a_a, s.merges[2] = ab_ab), (s.merges[1] = ab_ab, s.merges[2] = a_a));
    expect_change(s, s.v.merges_n--, s.v.merges_n++);
    expect_change(s, s.pieces[263] = span("<User>"), s.pieces[263] = span("<user>"));
    expect_change(s, s.kinds[263] = PIECE_CONTROL, s.kinds[263] = PIECE_USER);
    expect_change(s, s.kinds[261] = PIECE_NORMAL, s.kinds[261] = PIECE_CONTROL);
    expect_change(s, s.v.pre = "qwen2", s.v.pre = "gpt-2");
    expect_change(s, s.v.pre = "[a-z]+", s.v.pre = "gpt-2");
    expect_change(s, s.v.eos = -1, s.v.eos = 261);
    expect_change(s, s.v.nfc = true, s.v.nfc = false);
    expect_change(s, s.v.ignore_merges = true, s.v.ignore_merges = false);
    expect_change(s, s.v.add_space_prefix = true, s.v.add_space_prefix = false);
    uint64_t plain = hash_of(&s.v); /* another name of the same splitter, another name for padding */
    s.v.pre = "phi-2";
    s.v.pad = 264;
    assert_true(hash_of(&s.v) == plain);
}

/* No special id, and the text comes back. */
static void expect_plain(const Tokenizer *t, const char *text)
{
    Ids ids = {0};
    Str back = {0};
    encode(t, &ids, text, 0);
    for (size_t i = 0; i < ids.n; i++)
        assert_false(tokenizer_is_special(t, ids.at[i]));
    assert_int_equal(tokenizer_decode(t, &back, ids.at, ids.n, false), ST_OK);
    assert_string_equal(str_c(&back), text);
    array_clear(&ids);
    array_drop(&ids);
    str_drop(&back);
}

static void special_texts_are_plain_without_the_flag(void **state)
{
    (void)state;
    SmallVocab s;
    Ids ids = {0};
    small_spm(&s);
    Tokenizer *t = small_open(&s.v), *file = saved(t);
    expect_plain(t, "a<s>b</s> <unk>");
    expect_plain(file, "a<s>b</s> <unk>");
    encode(t, &ids, "<s></s>", TOK_SPECIAL);
    assert_int_equal(ids.n, 2);
    assert_int_equal(ids.at[0], 1);
    tokenizer_close(t);
    tokenizer_close(file);
    small_bbpe(&s);
    s.v.ignore_merges = true;
    t = small_open(&s.v);
    file = saved(t); /* lists special tokens among the pieces */
    expect_plain(t, "<|end|>a<|end|> <unk>");
    expect_plain(file, "<|end|>a<|end|> <unk>");
    encode(file, &ids, "<|end|>", TOK_SPECIAL);
    assert_int_equal(ids.n, 1);
    assert_int_equal(ids.at[0], 261);
    tokenizer_close(t);
    tokenizer_close(file);
    array_drop(&ids);
}

/* Files whose merges, or whose list of whole words, lead to a special token. */
static void merges_never_make_a_special_token(void **state)
{
    (void)state;
    SmallVocab s;
    small_bbpe(&s);
    Tokenizer *t = small_open(&s.v);
    char *folder = scratch_path("special");
    assert_int_equal(tokenizer_save(t, folder), ST_OK);
    tokenizer_close(t);
    Str json = scratch_read("special/tokenizer.json");
    static const char was[] = "\"added_tokens\": [";
    char *at = strstr(json.at, was);
    assert_non_null(at);
    at += sizeof was - 1;
    Str changed = {0};
    str_add(&changed, json.at, (size_t)(at - json.at));
    str_adds(&changed, "{\"id\":256,\"content\":\"ab\",\"special\":true,\"normalized\":false},");
    str_adds(&changed, at);
    scratch_write("special/tokenizer.json", changed.at, changed.n);
    assert_int_equal(tokenizer_open(&t, folder), ST_OK);
    assert_true(tokenizer_is_special(t, 256));
    expect_plain(t, "ab abab");
    tokenizer_close(t);
    str_drop(&json);
    str_drop(&changed);
    mem_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spm_arrays_come_back),
        cmocka_unit_test(spm_merges_come_back),
        cmocka_unit_test(bbpe_arrays_come_back),
        cmocka_unit_test(every_golden_vocabulary_becomes_arrays),
        cmocka_unit_test(what_arrays_cannot_say_is_named),
        cmocka_unit_test(scores_follow_merges),
        cmocka_unit_test(every_change_of_spm_changes_the_hash),
        cmocka_unit_test(every_change_of_bbpe_changes_the_hash),
        cmocka_unit_test(special_texts_are_plain_without_the_flag),
        cmocka_unit_test(merges_never_make_a_special_token),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
