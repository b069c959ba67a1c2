#include "cli/filler_vocab.h"

#include "base/scratch_test.h"

static void any_text_comes_back(void **state)
{
    (void)state;
    static const char text[] = "int main(void) { return 0; }\n\tZ\xC3\xBCrich \xE6\x9D\xB1 \xFF ~ lemurs";
    Tokenizer *t;
    Ids ids = {0};
    Str back = {0};
    assert_int_equal(filler_vocab(&t, 32000), ST_OK);
    assert_int_equal(tokenizer_vocab_size(t), 32000);
    assert_int_equal(tokenizer_bos(t), 1);
    assert_int_equal(tokenizer_encode(t, &ids, text, sizeof text - 1, TOK_BOS), ST_OK);
    assert_int_equal(ids.at[0], 1);
    assert_true(ids.n < sizeof text - 8); /* runs of letters merge */
    assert_int_equal(tokenizer_decode(t, &back, ids.at, ids.n, false), ST_OK);
    assert_int_equal(back.n, sizeof text - 1);
    assert_memory_equal(back.at, text, sizeof text - 1);
    array_drop(&ids);
    str_drop(&back);
    tokenizer_close(t);
}

static void sizes_have_bounds(void **state)
{
    (void)state;
    Tokenizer *t = NULL;
    assert_int_equal(filler_vocab(&t, FILLER_LEAST - 1), ST_ARG);
    expect_words("from 354");
    assert_int_equal(filler_vocab(&t, 1 << 25), ST_ARG);
    assert_null(t);
    assert_int_equal(filler_vocab(&t, FILLER_LEAST), ST_OK);
    assert_int_equal(tokenizer_vocab_size(t), FILLER_LEAST);
    tokenizer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_text_comes_back),
        cmocka_unit_test(sizes_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
