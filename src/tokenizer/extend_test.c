#include "tokenizer/extend.h"

#include "base/scratch_test.h"
#include "tokenizer/small_vocab_test.h"

static const char *const marks[] = {"<|im_start|>", "<|im_end|>", NULL};

/* The vocabulary as files, opened again. */
static Tokenizer *from_files(const VocabArrays *v, const char *name)
{
    Tokenizer *t = small_open(v), *again = NULL;
    assert_int_equal(tokenizer_save(t, in_scratch(name)), ST_OK);
    tokenizer_close(t);
    assert_int_equal(tokenizer_open(&again, in_scratch(name)), ST_OK);
    return again;
}

static Ids encode(const Tokenizer *t, const char *text, int flags)
{
    Ids ids = {0};
    assert_int_equal(tokenizer_encode(t, &ids, text, strlen(text), flags), ST_OK);
    return ids;
}

static void expect_same_text(const Tokenizer *a, const Tokenizer *b, const char *text)
{
    Ids x = encode(a, text, TOK_BOS), y = encode(b, text, TOK_BOS);
    assert_int_equal(x.n, y.n);
    assert_memory_equal(x.at, y.at, x.n * sizeof *x.at);
    array_drop(&x);
    array_drop(&y);
}

static void grows(const Tokenizer *t, const char *name)
{
    Tokenizer *grown, *again;
    int32_t n = tokenizer_vocab_size(t);
    if (tokenizer_extend(&grown, t, marks) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(tokenizer_vocab_size(grown), n + 2);
    assert_int_equal(tokenizer_find(grown, marks[0]), n);
    assert_int_equal(tokenizer_find(grown, marks[1]), n + 1);
    assert_true(tokenizer_is_special(grown, n) && tokenizer_is_special(grown, n + 1));
    expect_same_text(t, grown, "aab <|im_end|> abab aaa");
    Ids ids = encode(grown, "<|im_end|>", TOK_SPECIAL);
    assert_int_equal(ids.at[ids.n - 1], n + 1);
    array_drop(&ids);

    static const char jinja[] = "{{ 'a template' }}";
    assert_int_equal(tokenizer_set_chat(grown, span(jinja), (int32_t[]){n + 1, 7}, 2), ST_OK);
    assert_int_equal(tokenizer_save(grown, in_scratch(name)), ST_OK);
    assert_int_equal(tokenizer_open(&again, in_scratch(name)), ST_OK);
    assert_true(tokenizer_hash(again) == tokenizer_hash(grown));
    tokenizer_close(again);
    tokenizer_close(grown);
}

static void expect_in_file(const char *name, const char *words)
{
    Str s = scratch_read(name);
    if (!strstr(str_c(&s), words))
        fail_msg("%s has no %s: %s", name, words, str_c(&s));
    str_drop(&s);
}

static void sentencepiece_grows(void **state)
{
    (void)state;
    SmallVocab s;
    small_spm(&s);
    Tokenizer *t = from_files(&s.v, "spm");
    grows(t, "spm-grown");
    expect_in_file("spm-grown/tokenizer_config.json", "a template");
    expect_in_file("spm-grown/tokenizer_config.json", "added_tokens_decoder");
    expect_in_file("spm-grown/generation_config.json", "eos_token_id");
    tokenizer_close(t);
}

static void byte_level_grows(void **state)
{
    (void)state;
    SmallVocab s;
    small_bbpe(&s);
    Tokenizer *t = from_files(&s.v, "bbpe");
    grows(t, "bbpe-grown");
    expect_in_file("bbpe-grown/tokenizer_config.json", "a template");
    expect_in_file("bbpe-grown/tokenizer_config.json", "additional_special_tokens");
    tokenizer_close(t);
}

static void arrays_grow(void **state)
{
    (void)state;
    SmallVocab s;
    small_bbpe(&s);
    Tokenizer *t = small_open(&s.v);
    grows(t, "array-grown");
    expect_in_file("array-grown/tokenizer_config.json", "a template");
    tokenizer_close(t);
}

static void what_is_there_stays(void **state)
{
    (void)state;
    SmallVocab s;
    Tokenizer *same;
    small_bbpe(&s);
    Tokenizer *t = from_files(&s.v, "same");
    static const char *const known[] = {"<|end|>", NULL};
    assert_int_equal(tokenizer_extend(&same, t, known), ST_OK);
    assert_true(tokenizer_hash(same) == tokenizer_hash(t));
    tokenizer_close(same);
    tokenizer_close(t);
}

/* A mark that is an ordinary piece: tokenizer.json can say that it is special, a SentencePiece model cannot.
 */
static void ordinary_pieces(void **state)
{
    (void)state;
    SmallVocab s;
    Tokenizer *grown;
    static const char *const piece[] = {"ab", NULL};
    small_bbpe(&s);
    Tokenizer *t = from_files(&s.v, "ordinary");
    assert_int_equal(tokenizer_extend(&grown, t, piece), ST_OK);
    assert_int_equal(tokenizer_vocab_size(grown), tokenizer_vocab_size(t));
    assert_true(tokenizer_is_special(grown, tokenizer_find(t, "ab")));
    tokenizer_close(grown);
    tokenizer_close(t);
    small_spm(&s);
    t = from_files(&s.v, "ordinary-spm");
    assert_int_equal(tokenizer_extend(&grown, t, piece), ST_UNSUPPORTED);
    expect_words("ordinary piece");
    tokenizer_close(t);
}

static void llama2_grows(void **state)
{
    (void)state;
    static const char path[] = "../shared/data/tokenizer/llama2";
    Tokenizer *t;
    if (!path_exists(path)) {
        printf("SKIP no %s\n", path);
        skip();
    }
    assert_int_equal(tokenizer_open(&t, path), ST_OK);
    grows(t, "llama2-grown");
    expect_in_file("llama2-grown/tokenizer_config.json", "LlamaTokenizer"); /* it had none */
    tokenizer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentencepiece_grows), cmocka_unit_test(byte_level_grows),
        cmocka_unit_test(arrays_grow),         cmocka_unit_test(what_is_there_stays),
        cmocka_unit_test(ordinary_pieces),     cmocka_unit_test(llama2_grows),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
