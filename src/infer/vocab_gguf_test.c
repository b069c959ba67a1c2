/* llama.cpp's own vocabularies (../shared/data/tokenizer) with its own cases, and every vocabulary of the
 * golden set to GGUF and back. */
#include "infer/vocab_gguf.h"

#include "base/scratch_test.h"

static const char data[] = "../shared/data/tokenizer/";

/* A file of keys and no tensors. */
static Gguf *write_and_open(GgufWriter *w)
{
    Gguf *g;
    assert_int_equal(gguf_begin(w, in_scratch("v.gguf")), ST_OK);
    assert_int_equal(gguf_commit(w), ST_OK);
    gguf_writer_free(w);
    assert_int_equal(gguf_open(&g, in_scratch("v.gguf")), ST_OK);
    return g;
}

static Ids encode(const Tokenizer *t, const char *text, size_t n)
{
    Ids ids = {0};
    assert_int_equal(tokenizer_encode(t, &ids, text, n, TOK_SPECIAL), ST_OK);
    return ids;
}

/* .inp: texts with "\n__ggml_vocab_test__\n" between; .out: their ids, a line each. */
static void check_cases(const Tokenizer *t, const char *name)
{
    char path[160];
    Str inputs = {0}, outputs = {0};
    snprintf(path, sizeof path, "%s%s.inp", data, name);
    assert_int_equal(file_read(&inputs, path, 0), ST_OK);
    snprintf(path, sizeof path, "%s%s.out", data, name);
    assert_int_equal(file_read(&outputs, path, 0), ST_OK);
    static const char between[] = "\n__ggml_vocab_test__\n";
    char *text = inputs.at, *line = outputs.at;
    int cases = 0;
    while (text && *line) {
        char *end = strstr(text, between);
        Ids got = encode(t, text, end ? (size_t)(end - text) : strlen(text));
        char *stop = strchr(line, '\n');
        for (size_t i = 0; i < got.n; i++)
            assert_int_equal(strtol(line, &line, 10), got.at[i]);
        while (*line == ' ')
            line++;
        assert_ptr_equal(line, stop);
        array_drop(&got);
        line = stop + 1;
        text = end ? end + strlen(between) : NULL;
        cases++;
    }
    assert_true(cases > 30);
    str_drop(&inputs);
    str_drop(&outputs);
}

static void llama_cpps_vocabularies_are_read(void **state)
{
    (void)state;
    static const char *const names[] = {"ggml-vocab-llama-spm.gguf", "ggml-vocab-gpt-2.gguf"};
    for (int i = 0; i < 2; i++) {
        char path[160];
        Gguf *g;
        Tokenizer *t;
        snprintf(path, sizeof path, "%s%s", data, names[i]);
        if (!path_exists(path)) {
            print_message("SKIP %s is not there\n", path);
            skip();
        }
        assert_int_equal(gguf_open(&g, path), ST_OK);
        assert_int_equal(vocab_gguf_read(&t, g), ST_OK);
        assert_int_equal(tokenizer_kind(t), i == 0 ? VOCAB_SPM : VOCAB_BBPE);
        assert_int_equal(tokenizer_adds_bos(t), i == 0);
        assert_int_equal(tokenizer_eos(t), i == 0 ? 2 : 50256);
        check_cases(t, names[i]);
        tokenizer_close(t);
        gguf_close(g);
    }
}

static const char sample[] =
    "Hello, World!  \t\n\n  The lemurs don't sleep; 12345 <s> \xC3\xBC\xE6\x9D\xB1 \xF0\x9F\x98\x80 "
    "<|im_start|>user\nx = [i**2 for i in range(10)]\xFF";

/* The same ids, and the same hash where nothing is said to be lost. */
static void vocabularies_come_back(void **state)
{
    (void)state;
    static const char *const names[] = {"llama.model",      "no_prefix.model",  "plain.model",
                                        "unused.model",     "gpt2.json",        "gpt2_prefix.json",
                                        "llama3.json",      "llama_first.json", "llama_legacy.json",
                                        "llama_split.json", "qwen2.json",       "starcoder.json",
                                        "tekken.json",      "deepseek_llm.json", "deepseek_coder.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (int spare = 0; spare < 8; spare += 7) {
            char path[96];
            Tokenizer *t, *back;
            const char *lost;
            snprintf(path, sizeof path, "tests/golden/tokenizer/%s", names[i]);
            assert_int_equal(tokenizer_open(&t, path), ST_OK);
            GgufWriter *w = gguf_writer_new();
            assert_int_equal(vocab_gguf_write(w, t, tokenizer_vocab_size(t) + spare, NULL, &lost), ST_OK);
            Gguf *g = write_and_open(w);
            assert_int_equal(gguf_find(g, "tokenizer.ggml.tokens")->n, tokenizer_vocab_size(t) + spare);
            assert_int_equal(vocab_gguf_read(&back, g), ST_OK);
            if (!lost && tokenizer_hash(back) != tokenizer_hash(t))
                fail_msg("%s comes back with another hash", names[i]);
            Ids want = encode(t, sample, sizeof sample - 1), got = encode(back, sample, sizeof sample - 1);
            if (want.n != got.n || memcmp(want.at, got.at, want.n * sizeof *want.at) != 0)
                fail_msg("%s comes back with other ids", names[i]);
            array_drop(&want);
            array_drop(&got);
            tokenizer_close(back);
            tokenizer_close(t);
            gguf_close(g);
        }
}

static void more_tokens_than_rows_are_refused(void **state)
{
    (void)state;
    Tokenizer *t;
    const char *lost;
    GgufWriter *w = gguf_writer_new();
    assert_int_equal(tokenizer_open(&t, "tests/golden/tokenizer/gpt2.json"), ST_OK);
    assert_int_equal(vocab_gguf_write(w, t, 10, NULL, &lost), ST_ARG);
    expect_words("10 rows");
    gguf_writer_free(w);
    tokenizer_close(t);
}

static void ends_and_template_are_found(void **state)
{
    (void)state;
    Tokenizer *t;
    const char *lost;
    Span template;
    GgufWriter *w = gguf_writer_new();
    assert_int_equal(tokenizer_open(&t, "tests/golden/tokenizer/llama.model"), ST_OK);
    int32_t more[] = {2, 7, 9};
    Ids ends = {.at = more, .n = 3}, found = {0};
    assert_int_equal(vocab_gguf_write(w, t, tokenizer_vocab_size(t), &ends, &lost), ST_OK);
    gguf_put_text(w, "tokenizer.chat_template", span("{{ messages }}"));
    Gguf *g = write_and_open(w);
    assert_int_equal(vocab_gguf_ends(g, &found), ST_OK);
    assert_int_equal(found.n, 3);
    assert_memory_equal(found.at, more, sizeof more);
    assert_int_equal(vocab_gguf_template(g, &template), ST_OK);
    assert_true(span_is(template, "{{ messages }}"));
    array_drop(&found);
    gguf_close(g);
    tokenizer_close(t);
}

static void expect_refused(GgufWriter *w, Status status, const char *words)
{
    Gguf *g = write_and_open(w);
    Tokenizer *t = NULL;
    assert_int_equal(vocab_gguf_read(&t, g), status);
    assert_null(t);
    expect_words(words);
    gguf_close(g);
}

static GgufWriter *start(const char *model, int pieces)
{
    static const char *const texts[] = {"<unk>", "a", "b", "ab"};
    Span list[4];
    GgufWriter *w = gguf_writer_new();
    for (int i = 0; i < 4; i++)
        list[i] = span(texts[i]);
    gguf_put_text(w, "tokenizer.ggml.model", span(model));
    gguf_put_texts(w, "tokenizer.ggml.tokens", list, pieces);
    return w;
}

static void broken_vocabularies_are_refused(void **state)
{
    (void)state;
    static const float scores[4] = {0, 0, 0, -1};
    expect_refused(gguf_writer_new(), ST_UNSUPPORTED, "no vocabulary");
    expect_refused(start("bert", 4), ST_UNSUPPORTED, "\"bert\"");
    expect_refused(start("llama", 0), ST_FORMAT, "missing or empty");
    expect_refused(start("llama", 4), ST_FORMAT, "scores is missing");
    expect_refused(start("gpt2", 4), ST_FORMAT, "merges is missing");
    GgufWriter *w = start("llama", 4);
    gguf_put_floats(w, "tokenizer.ggml.scores", scores, 3);
    expect_refused(w, ST_FORMAT, "4 tokens, 3 scores");
    w = start("llama", 4);
    gguf_put_floats(w, "tokenizer.ggml.scores", scores, 4);
    gguf_put_u32(w, "tokenizer.ggml.bos_token_id", 4);
    expect_refused(w, ST_FORMAT, "bos_token_id is 4");
    w = start("llama", 4);
    gguf_put_floats(w, "tokenizer.ggml.scores", scores, 4);
    gguf_put_u32(w, "lemur.tokenizer.size", 5);
    expect_refused(w, ST_FORMAT, "lemur.tokenizer.size is 5");
    w = start("llama", 4);
    gguf_put_u32(w, "tokenizer.ggml.scores", 4);
    expect_refused(w, ST_FORMAT, "must be an array");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llama_cpps_vocabularies_are_read),
        cmocka_unit_test(vocabularies_come_back),
        cmocka_unit_test(more_tokens_than_rows_are_refused),
        cmocka_unit_test(ends_and_template_are_found),
        cmocka_unit_test(broken_vocabularies_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
