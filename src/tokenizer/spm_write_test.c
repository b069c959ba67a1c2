#include "tokenizer/small_vocab_test.h"

/* Bytes as the protobuf definition of SentencePiece's ModelProto spells the messages. */
static void the_messages_are_as_defined(void **state)
{
    (void)state;
    SmallVocab s;
    small_start(&s, VOCAB_SPM);
    s.v.scores = s.scores;
    small_add(&s, "<unk>", PIECE_UNKNOWN, 0);
    small_add(&s, "a", PIECE_NORMAL, -1);
    s.v.unk = 0;
    s.v.eos = 1;
    Tokenizer *t = small_open(&s.v);
    Str out = {0};
    assert_int_equal(spm_model_write(t, &out), ST_OK);
    static const char wanted[] =
        "\x0A\x0E\x0A\x05<unk>\x15\0\0\0\0\x18\x02"
        "\x0A\x0A\x0A\x01"
        "a\x15\0\0\x80\xBF\x18\x01"
        "\x12\x31\x18\x02\x20\x02\x98\x02\0\xC0\x02\0"
        "\xC8\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\xD0\x02\x01"
        "\xD8\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\xEA\x02\x05<unk>\xFA\x02\x01"
        "a"
        "\x1A\x10\x0A\x08identity\x18\0\x20\0\x28\x01";
    assert_int_equal(out.n, sizeof wanted - 1);
    assert_memory_equal(out.at, wanted, out.n);
    tokenizer_close(t);
    str_drop(&out);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    SmallVocab s;
    small_spm(&s);
    Tokenizer *t = small_open(&s.v), *back = NULL;
    Str out = {0};
    assert_int_equal(spm_model_write(t, &out), ST_OK);
    size_t normaliser = 16; /* without it the file is whole, and its defaults hold */
    for (size_t n = 0; n < out.n; n += 7)
        if (n != out.n - 2 - normaliser && spm_model_read(&back, out.at, n) == ST_OK)
            fail_msg("%zu of %zu bytes are read", n, out.n);
    assert_int_equal(spm_model_read(&back, out.at, out.n), ST_OK);
    assert_int_equal(tokenizer_vocab_size(back), s.v.n);
    tokenizer_close(back);
    tokenizer_close(t);
    str_drop(&out);
}

static void a_model_without_an_unknown_piece_is_refused(void **state)
{
    (void)state;
    SmallVocab s;
    small_spm(&s);
    s.kinds[0] = PIECE_CONTROL;
    s.v.unk = -1;
    Tokenizer *t = small_open(&s.v);
    Str out = {0};
    assert_int_equal(spm_model_write(t, &out), ST_UNSUPPORTED);
    assert_non_null(strstr(error_text(), "needs an unknown piece"));
    tokenizer_close(t);
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_messages_are_as_defined),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(a_model_without_an_unknown_piece_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
