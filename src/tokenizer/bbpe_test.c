#include "tokenizer/vocab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* The 256 bytes and " a", "ab" ... given by the caller as merges. */
static Tokenizer *small(const char *const *pieces, int pieces_n, const char *const *merges, int merges_n,
                        const char *pre)
{
    static char letters[256][4];
    Span all[300];
    Span pairs[16];
    int32_t n = 0;
    for (unsigned b = 0; b < 256; b++) {
        Str c = {0};
        str_add_utf8(&c, vocab_byte_char(b));
        memcpy(letters[b], c.at, c.n);
        all[n++] = (Span){letters[b], c.n};
        str_drop(&c);
    }
    for (int i = 0; i < pieces_n; i++)
        all[n++] = span(pieces[i]);
    for (int i = 0; i < merges_n; i++)
        pairs[i] = span(merges[i]);
    VocabArrays v = {.kind = VOCAB_BBPE,
                     .n = n,
                     .pieces = all,
                     .merges = pairs,
                     .merges_n = merges_n,
                     .pre = pre,
                     .bos = -1,
                     .eos = -1,
                     .unk = -1,
                     .pad = -1};
    Tokenizer *t = NULL;
    if (tokenizer_from_arrays(&t, &v) != ST_OK)
        fail_msg("%s", error_text());
    return t;
}

static void assert_ids(const Tokenizer *t, const char *text, int n, const int32_t *want)
{
    Ids ids = {0};
    assert_int_equal(tokenizer_encode(t, &ids, text, strlen(text), 0), ST_OK);
    assert_int_equal(ids.n, n);
    assert_memory_equal(ids.at, want, (size_t)n * sizeof *want);
    array_drop(&ids);
}

static void merges_go_by_their_place_in_the_list(void **state)
{
    (void)state;
    Tokenizer *t = small((const char *const[]){"bc", "ab", "abc"}, 3,
                         (const char *const[]){"b c", "a b", "ab c", "a bc"}, 4, "gpt-2");
    assert_ids(t, "abc", 1, (const int32_t[]){258}); /* b c first, then a bc */
    assert_ids(t, "ab", 1, (const int32_t[]){257});
    assert_ids(t, "a bc", 3, (const int32_t[]){'a', ' ', 256});
    assert_ids(t, "abab", 2, (const int32_t[]){257, 257});
    tokenizer_close(t);
}

static void whole_words_need_no_merges_where_the_pattern_says_so(void **state)
{
    (void)state;
    const char *const pieces[] = {"xyz"};
    Tokenizer *plain = small(pieces, 1, NULL, 0, "gpt-2"), *whole = small(pieces, 1, NULL, 0, "llama-bpe");
    assert_ids(plain, "xyz", 3, (const int32_t[]){'x', 'y', 'z'});
    assert_ids(whole, "xyz", 1, (const int32_t[]){256});
    assert_ids(whole, "xyzz", 4, (const int32_t[]){'x', 'y', 'z', 'z'});
    tokenizer_close(plain);
    tokenizer_close(whole);
}

static void words_longer_than_the_cache_holds_are_encoded(void **state)
{
    (void)state;
    Tokenizer *t =
        small((const char *const[]){"aa", "aaaa"}, 2, (const char *const[]){"a a", "aa aa"}, 2, "gpt-2");
    char text[203];
    memset(text, 'a', 202);
    text[202] = 0;
    Ids ids = {0};
    assert_int_equal(tokenizer_encode(t, &ids, text, 202, 0), ST_OK);
    assert_int_equal(ids.n, 51);
    assert_int_equal(ids.at[49], 257);
    assert_int_equal(ids.at[50], 256);
    array_drop(&ids);
    tokenizer_close(t);
}

static void a_vocabulary_without_a_byte_is_refused(void **state)
{
    (void)state;
    Span pieces[] = {span("a"), span("b")};
    VocabArrays v = {.kind = VOCAB_BBPE, .n = 2, .pieces = pieces, .pre = "gpt-2", .bos = -1, .eos = -1,
                     .unk = -1, .pad = -1};
    Tokenizer *t = NULL;
    assert_int_equal(tokenizer_from_arrays(&t, &v), ST_UNSUPPORTED);
    assert_non_null(strstr(error_text(), "no piece for byte 0x00"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_go_by_their_place_in_the_list),
        cmocka_unit_test(whole_words_need_no_merges_where_the_pattern_says_so),
        cmocka_unit_test(words_longer_than_the_cache_holds_are_encoded),
        cmocka_unit_test(a_vocabulary_without_a_byte_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
