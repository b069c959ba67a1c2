#include "tokenizer/bpe_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void pieces_grow_by_merges(void **state)
{
    (void)state;
    BpeVocab *v = bpe_vocab_new();
    assert_int_equal(bpe_vocab_size(v), 260);
    int32_t a = 4 + 'a', b = 4 + 'b', space = 4 + ' ';
    int32_t ab = bpe_vocab_merge(v, a, b);
    assert_int_equal(ab, 260);
    int32_t aab = bpe_vocab_merge(v, a, ab), aa = bpe_vocab_merge(v, a, a);
    assert_int_equal(bpe_vocab_merge(v, aa, b), aab); /* another way to the same piece */
    assert_int_equal(bpe_vocab_size(v), 263);
    int32_t indented = bpe_vocab_merge(v, space, aab);
    Tokenizer *t = NULL;
    if (bpe_vocab_open(v, BPE_DIGITS_IN_THREES, &t) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(tokenizer_vocab_size(t), 264);
    assert_true(span_is(tokenizer_text(t, indented), " aab"));
    Ids ids = {0};
    assert_int_equal(tokenizer_encode(t, &ids, "x aab", 5, 0), ST_OK);
    assert_int_equal(ids.n, 2);
    assert_int_equal(ids.at[1], indented);
    array_drop(&ids);
    tokenizer_close(t);
    bpe_vocab_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_grow_by_merges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
