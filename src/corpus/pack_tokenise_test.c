#include "corpus/pack_tokenise.h"

#include "corpus/small_corpus_test.h"

static Tokenizer *tok;
static Progress progress;
static Tokenising t;

static int tokenising(void **state)
{
    tok = scratch_vocabulary();
    progress = progress_start("test", 0, "MB");
    return small_corpus(state) == 0 && pack_tokenise_start(&t, tok, false, 2, &progress) == ST_OK ? 0 : -1;
}

static int tokenising_ends(void **state)
{
    pack_tokenise_drop(&t);
    tokenizer_close(tok);
    return scratch_remove(state);
}

/* Into a new store, which the caller closes. */
static Status tokenise(TokenStore **store, const char *name, int64_t *bytes)
{
    char *stem = scratch_path("tokens"), *path = scratch_path(name);
    assert_int_equal(token_store_create(store, stem, 2), ST_OK);
    Status st = pack_tokenise(&t, *store, path, bytes);
    mem_free(stem);
    mem_free(path);
    return st;
}

static void every_document_ends_in_the_end_token(void **state)
{
    (void)state;
    TokenStore *store;
    int64_t bytes;
    assert_int_equal(t.id_bytes[0], 1);
    assert_int_equal(t.id_bytes[256], 0);
    assert_int_equal(tokenise(&store, "notes.jsonl", &bytes), ST_OK);
    assert_int_equal(token_store_documents(store), 60);
    assert_int_equal(token_store_tokens(store), bytes + 60); /* a token a byte, and the ends */
    int32_t ids[64];
    TokenStart starts[64];
    int64_t starts_n;
    const char *text = "note 0, of caf\xC3\xA9s and roads and people";
    size_t n = strlen(text);
    assert_int_equal(token_store_order(store, 64, false, 0, 0), ST_OK);
    assert_int_equal(token_store_read(store, 0, ids, (int64_t)n + 1, starts, &starts_n), ST_OK);
    Str back = {0};
    assert_int_equal(tokenizer_decode(tok, &back, ids, n, false), ST_OK);
    assert_string_equal(str_c(&back), text);
    assert_int_equal(ids[n], 256);
    assert_int_equal(starts_n, 1);
    assert_int_equal(starts[0].extra, 0);
    str_drop(&back);
    token_store_close(store);
}

static void damage_is_an_error(void **state)
{
    (void)state;
    TokenStore *store;
    int64_t bytes;
    scratch_text("bad.jsonl", "{\"text\":\"good\"}\n{\"text\":\n");
    assert_int_equal(tokenise(&store, "bad.jsonl", &bytes), ST_FORMAT);
    token_store_close(store);
    assert_int_equal(tokenise(&store, "absent.jsonl", &bytes), ST_IO);
    token_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_document_ends_in_the_end_token),
        cmocka_unit_test(damage_is_an_error),
    };
    return cmocka_run_group_tests(tests, tokenising, tokenising_ends);
}
