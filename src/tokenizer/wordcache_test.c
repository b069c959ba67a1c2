#include "tokenizer/wordcache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void keys_are_compared_whole(void **state)
{
    (void)state;
    WordCache c;
    wordcache_init(&c);
    const char text[] = "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz";
    const int32_t ids[] = {5, 6, 7};
    for (size_t n = 1; n <= WORD_KEY_MAX; n++) {
        WordKey k = word_key(text, n, sizeof text - 1), tight = word_key(text, n, n);
        assert_memory_equal(&k, &tight, sizeof k); /* however many bytes may be read behind it */
        Word *w = wordcache_slot(&c, &k);
        word_set(w, &k, ids, n % 4);
        assert_true(word_is(w, &k));
        assert_int_equal(w->ids_n, n % 4);
        WordKey longer = word_key(text, n < WORD_KEY_MAX ? n + 1 : 1, sizeof text - 1),
                other = word_key(text + 1, n, sizeof text - 2);
        assert_false(word_is(w, &longer));
        assert_false(word_is(w, &other));
    }
    wordcache_drop(&c);
}

/* A zero byte at the end of a key is not the padding. */
static void zeros_count(void **state)
{
    (void)state;
    WordKey a = word_key("a\0\0", 1, 3), b = word_key("a\0\0", 2, 3), c = word_key("a\0\0", 3, 3);
    assert_memory_not_equal(&a, &b, sizeof a);
    assert_memory_not_equal(&b, &c, sizeof b);
}

static void an_empty_cache_knows_nothing(void **state)
{
    (void)state;
    WordCache c;
    wordcache_init(&c);
    WordKey k = word_key("x", 1, 1);
    assert_false(word_is(wordcache_slot(&c, &k), &k));
    wordcache_drop(&c);
    wordcache_drop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_compared_whole),
        cmocka_unit_test(zeros_count),
        cmocka_unit_test(an_empty_cache_knows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
