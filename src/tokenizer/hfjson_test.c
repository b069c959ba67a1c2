/* Files that claim to be a tokenizer.json: what is refused, and in which words. */
#include "tokenizer/hfjson.h"

#include <string.h>

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* A small SentencePiece-style file, with `model` and `added` in place of the usual parts where they are not
 * NULL. */
static Str small_file(const char *model, const char *added)
{
    Str s = {0};
    str_adds(
        &s, "{\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" SPACE_SYMBOL
            "\"},\"added_tokens\":[");
    str_adds(&s, added ? added : "");
    str_adds(&s, "],\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\",");
    str_adds(&s, model ? model : "\"vocab\":{\"<unk>\":0,\"a\":1,\"b\":2,\"ab\":3},\"merges\":[\"a b\"]");
    str_adds(&s, "}}");
    return s;
}

static void assert_refused(const char *model, const char *added, Status status, const char *words)
{
    Tokenizer *t = NULL;
    Str s = small_file(model, added);
    assert_int_equal(hfjson_read(&t, s.at, s.n), status);
    assert_null(t);
    if (!strstr(error_text(), words))
        fail_msg("'%s' does not say '%s'", error_text(), words);
    str_drop(&s);
}

static void a_small_file_opens(void **state)
{
    (void)state;
    Tokenizer *t = NULL;
    Str s = small_file(NULL, "{\"id\":4,\"content\":\"<x>\",\"special\":true}");
    if (hfjson_read(&t, s.at, s.n) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(tokenizer_vocab_size(t), 5);
    Ids ids = {0};
    assert_int_equal(tokenizer_encode(t, &ids, "ab<x>zz", 7, TOK_SPECIAL), ST_OK);
    assert_int_equal(ids.n, 4);
    assert_int_equal(ids.at[0], 3);
    assert_int_equal(ids.at[1], 4);
    assert_int_equal(ids.at[2], 0);
    array_drop(&ids);
    str_drop(&s);
    tokenizer_close(t);
}

static void bad_models_are_named(void **state)
{
    (void)state;
    assert_refused("\"vocab\":{\"<unk>\":0,\"a\":-1},\"merges\":[]", NULL, ST_FORMAT, "the id of 'a'");
    assert_refused("\"vocab\":{\"<unk>\":0,\"a\":1.5},\"merges\":[]", NULL, ST_FORMAT, "the id of 'a'");
    assert_refused("\"vocab\":{\"<unk>\":0,\"a\":0},\"merges\":[]", NULL, ST_FORMAT, "id 0 is both");
    assert_refused("\"vocab\":{\"<unk>\":0,\"a\":1,\"a\":2},\"merges\":[]", NULL, ST_FORMAT, "duplicate");
    assert_refused("\"vocab\":{\"<unk>\":0,\"\":1},\"merges\":[]", NULL, ST_FORMAT, "empty piece");
    assert_refused("\"vocab\":{\"<unk>\":0,\"a\":9223372036854775807},\"merges\":[]", NULL, ST_LIMIT,
                   "at most");
    assert_refused("\"vocab\":{\"<unk>\":0,\"a\":1},\"merges\":[\"a a\"]", NULL, ST_FORMAT,
                   "'aa' is not in the vocabulary");
    assert_refused("\"vocab\":{\"<unk>\":0,\"a\":1},\"merges\":[\"aa\"]", NULL, ST_FORMAT,
                   "merge 0 is not a pair");
    assert_refused("\"vocab\":{\"<unk>\":0,\"a\":1},\"merges\":[[\"a\",7]]", NULL, ST_FORMAT,
                   "merge 0 is not a pair");
    assert_refused("\"vocab\":[],\"merges\":[]", NULL, ST_FORMAT, "no model.vocab");
    assert_refused("\"vocab\":{\"<unk>\":0}", NULL, ST_FORMAT, "no model.merges");
    assert_refused("\"vocab\":{\"a\":0},\"merges\":[]", NULL, ST_UNSUPPORTED,
                   "neither byte pieces nor an unknown");
    assert_refused("\"byte_fallback\":true,\"vocab\":{\"<unk>\":0,\"<0x00>\":1},\"merges\":[]", NULL,
                   ST_FORMAT, "1 of 256");
    assert_refused("\"dropout\":0.1,\"vocab\":{},\"merges\":[]", NULL, ST_UNSUPPORTED, "dropout");
    assert_refused("\"end_of_word_suffix\":\"</w>\",\"vocab\":{},\"merges\":[]", NULL, ST_UNSUPPORTED,
                   "end_of_word_suffix");
    assert_refused("\"ignore_merges\":true,\"vocab\":{\"<unk>\":0},\"merges\":[]", NULL, ST_UNSUPPORTED,
                   "ignore_merges");
}

static void bad_added_tokens_are_named(void **state)
{
    (void)state;
    assert_refused(NULL, "{\"content\":\"x\"}", ST_FORMAT, "added token 0 lacks");
    assert_refused(NULL, "{\"id\":2,\"content\":\"a\"}", ST_FORMAT, "has id 2 here and 1 in the vocabulary");
    assert_refused(NULL, "{\"id\":1,\"content\":\"x\"}", ST_FORMAT, "id 1 is both");
    assert_refused(NULL, "{\"id\":99999999,\"content\":\"x\"}", ST_LIMIT, "at most");
}

static void other_models_are_named(void **state)
{
    (void)state;
    Tokenizer *t = NULL;
    static const char unigram[] =
        "{\"pre_tokenizer\":{\"type\":\"Metaspace\"},\"model\":{\"type\":\"Unigram\",\"vocab\":[]}}";
    assert_int_equal(hfjson_read(&t, unigram, sizeof unigram - 1), ST_UNSUPPORTED);
    assert_non_null(strstr(error_text(), "'Unigram'"));
    assert_int_equal(hfjson_read(&t, "{}", 2), ST_FORMAT);
    assert_int_equal(hfjson_read(&t, "{\"model\":", 9), ST_FORMAT);
    assert_non_null(strstr(error_text(), "line 1"));
}

static void every_truncation_is_survived(void **state)
{
    (void)state;
    Str s = {0};
    assert_int_equal(file_read(&s, "tests/golden/tokenizer/added.json", 0), ST_OK);
    for (size_t n = 0; n < s.n - 1; n += n < 200 ? 1 : 7) {
        Tokenizer *t = NULL;
        char *exact = mem_copy(s.at, n ? n : 1);
        assert_int_equal(hfjson_read(&t, exact, n), ST_FORMAT);
        mem_free(exact);
    }
    str_drop(&s);
}

static void the_config_names_the_ends(void **state)
{
    (void)state;
    Tokenizer *t = NULL;
    Str s = small_file(NULL, "{\"id\":4,\"content\":\"<x>\",\"special\":true}");
    assert_int_equal(hfjson_read(&t, s.at, s.n), ST_OK);
    assert_int_equal(tokenizer_bos(t), -1);
    static const char good[] =
        "{\"bos_token\":{\"content\":\"<x>\"},\"eos_token\":\"b\",\"add_bos_token\":true}";
    assert_int_equal(hfjson_read_config(t, good, sizeof good - 1), ST_OK);
    assert_int_equal(tokenizer_bos(t), 4);
    assert_int_equal(tokenizer_eos(t), 2);
    assert_true(tokenizer_adds_bos(t));
    static const char bad[] = "{\"eos_token\":\"<nowhere>\"}";
    assert_int_equal(hfjson_read_config(t, bad, sizeof bad - 1), ST_FORMAT);
    assert_non_null(strstr(error_text(), "<nowhere>"));
    str_drop(&s);
    tokenizer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_file_opens),           cmocka_unit_test(bad_models_are_named),
        cmocka_unit_test(bad_added_tokens_are_named),   cmocka_unit_test(other_models_are_named),
        cmocka_unit_test(every_truncation_is_survived), cmocka_unit_test(the_config_names_the_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
