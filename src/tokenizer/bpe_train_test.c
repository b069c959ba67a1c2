#include "tokenizer/bpe_train.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static Tokenizer *train(const char *const *texts, int n, int64_t size)
{
    BpeTrainer *b = bpe_train_new(BPE_DIGITS_IN_THREES);
    Tokenizer *t = NULL;
    for (int i = 0; i < n; i++)
        bpe_train_add(b, texts[i], strlen(texts[i]), 1);
    if (bpe_train_finish(b, &t, size, NULL, NULL) != ST_OK)
        fail_msg("%s", error_text());
    bpe_train_free(b);
    return t;
}

static void assert_piece(const Tokenizer *t, int32_t id, const char *text)
{
    Span s = tokenizer_text(t, id);
    if (!span_is(s, text))
        fail_msg("id %d is '%.*s', want '%s'", id, (int)s.n, s.at, text);
}

/* Words and counts, " low" 5, " lower" 2, " newest" 6, " widest" 3: the paper's example (algorithm 1). */
static void the_papers_example(void **state)
{
    (void)state;
    const char *text =
        " low low low low low lower lower newest newest newest newest newest newest widest widest widest";
    Tokenizer *t = train(&text, 1, BPE_VOCAB_MIN + 6);
    assert_int_equal(tokenizer_vocab_size(t), BPE_VOCAB_MIN + 6);
    assert_piece(t, 4 + 'x', "x");
    assert_piece(t, 260, "es");  /* 9 times, like "st"; e comes before s */
    assert_piece(t, 261, "est"); /* 9 */
    assert_piece(t, 262, " l");  /* 7, like "lo", "ow"; the space comes first */
    assert_piece(t, 263, "ow");  /* 7 */
    assert_piece(t, 264, " low");
    assert_piece(t, 265, " n"); /* 6 */
    tokenizer_close(t);
}

static void the_same_text_gives_the_same_vocabulary(void **state)
{
    (void)state;
    const char *const texts[] = {"for (int i = 0; i < n; i++)\n        sum += a[i];\n",
                                 "a lemur, another lemur; \xE6\x9D\xB1\xE4\xBA\xAC\n"};
    Tokenizer *a = train(texts, 2, 300), *b = train(texts, 2, 300);
    assert_true(tokenizer_hash(a) == tokenizer_hash(b));
    assert_int_equal(tokenizer_find(a, "<|endoftext|>"), 0);
    assert_int_equal(tokenizer_find(a, "<pad>"), 3);
    assert_int_equal(tokenizer_bos(a), 0);
    assert_int_equal(tokenizer_eos(a), 0);
    assert_false(tokenizer_adds_bos(a));
    assert_true(tokenizer_is_special(a, tokenizer_find(a, "<|im_end|>")));
    tokenizer_close(a);
    tokenizer_close(b);
}

static void what_is_saved_opens_as_the_same(void **state)
{
    (void)state;
    const char *text = "if x:\n    return x\nelse:\n    return y\n<|im_start|>\n";
    Tokenizer *t = train(&text, 1, 280), *again = NULL;
    char folder[] = "/tmp/lemur-train-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(tokenizer_save(t, folder), ST_OK);
    assert_int_equal(tokenizer_open(&again, folder), ST_OK);
    assert_true(tokenizer_hash(t) == tokenizer_hash(again));
    Ids a = {0}, b = {0};
    assert_int_equal(tokenizer_encode(t, &a, text, strlen(text), TOK_SPECIAL), ST_OK);
    assert_int_equal(tokenizer_encode(again, &b, text, strlen(text), TOK_SPECIAL), ST_OK);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.at, b.at, a.n * sizeof *a.at);
    assert_int_equal(a.at[a.n - 2], 1); /* <|im_start|> */
    char *path = path_join(folder, "special_tokens_map.json");
    assert_true(path_exists(path));
    mem_free(path);
    assert_int_equal(folder_remove(folder), ST_OK);
    array_drop(&a);
    array_drop(&b);
    tokenizer_close(t);
    tokenizer_close(again);
}

/* Counts kept up to date must be those that counting anew would give: the encoding of the training text by
 * the merges found so far has no pair that comes oftener than the next merge says.  Seen through sizes: a run
 * of one letter halves and halves. */
static void overlapping_pairs_are_counted_once(void **state)
{
    (void)state;
    const char *text = "aaaaaaaaaaaaaaaa aaaaaaaaaaaaaaaa";
    Tokenizer *t = train(&text, 1, 400);
    assert_piece(t, 260, "aa");
    assert_piece(t, 261, "aaaa");
    assert_piece(t, 262, "aaaaaaaa");
    Ids ids = {0};
    assert_int_equal(tokenizer_encode(t, &ids, text, strlen(text), 0), ST_OK);
    assert_true(ids.n <= 4);
    assert_true(tokenizer_vocab_size(t) < 400); /* no more pairs */
    array_drop(&ids);
    tokenizer_close(t);
}

/* "12" comes often enough to be a piece, and is one only where digits stay together; the file says how they
 * are cut, so that what opens it cuts them the same way. */
static void digits_together_or_single(void **state)
{
    (void)state;
    const char *text = "12 12 12 12 ab ab ab";
    for (int single = 0; single < 2; single++) {
        BpeTrainer *b = bpe_train_new(single ? BPE_DIGITS_SINGLE : BPE_DIGITS_IN_THREES);
        Tokenizer *t = NULL;
        Ids ids = {0};
        bpe_train_add(b, text, strlen(text), 1);
        assert_int_equal(bpe_train_finish(b, &t, BPE_VOCAB_MIN + 8, NULL, NULL), ST_OK);
        assert_int_equal(tokenizer_encode(t, &ids, "12", 2, 0), ST_OK);
        assert_int_equal(ids.n, single ? 2 : 1);
        array_drop(&ids);
        tokenizer_close(t);
        bpe_train_free(b);
    }
}

/* Texts without a number: all the same each is one id, and the merges behind are those that the text asks
 * for. */
static void numbers_are_pieces(void **state)
{
    (void)state;
    enum { NUMBERS = 90 }; /* digits are pieces anyway */
    BpeTrainer *b = bpe_train_new(BPE_DIGITS_IN_THREES);
    Tokenizer *t = NULL;
    bpe_train_numbers(b);
    bpe_train_add(b, "123 123 999 abc", 15, 1000000); /* of which no piece of three digits comes */
    bpe_train_add(b, "ab ab ab", 8, 1000000);
    assert_int_equal(bpe_train_finish(b, &t, BPE_VOCAB_MIN + NUMBERS + 20, NULL, NULL), ST_OK);
    for (int i = 0; i < 1000; i++) { /* those of three digits are two pieces */
        char digits[12];
        Ids ids = {0};
        snprintf(digits, sizeof digits, "%d", i);
        assert_int_equal(tokenizer_encode(t, &ids, digits, strlen(digits), 0), ST_OK);
        if (ids.n != (i < 100 ? 1 : 2))
            fail_msg("%s is %zu ids", digits, ids.n);
        array_drop(&ids);
    }
    assert_piece(t, BPE_VOCAB_MIN + NUMBERS, "ab");
    bpe_train_free(b);
    tokenizer_close(t);
}

static void wrong_wishes_are_refused(void **state)
{
    (void)state;
    BpeTrainer *b = bpe_train_new(BPE_DIGITS_IN_THREES);
    Tokenizer *t = NULL;
    assert_int_equal(bpe_train_finish(b, &t, 300, NULL, NULL), ST_ARG);
    assert_non_null(strstr(error_text(), "no text"));
    bpe_train_add(b, "some text", 9, 1);
    assert_int_equal(bpe_train_finish(b, &t, BPE_VOCAB_MIN - 1, NULL, NULL), ST_ARG);
    assert_int_equal(bpe_train_finish(b, &t, 1 << 25, NULL, NULL), ST_ARG);
    assert_null(t);
    assert_int_equal(bpe_train_words(b), 2);
    assert_int_equal(bpe_train_bytes(b), 9);
    bpe_train_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_papers_example),
        cmocka_unit_test(the_same_text_gives_the_same_vocabulary),
        cmocka_unit_test(what_is_saved_opens_as_the_same),
        cmocka_unit_test(numbers_are_pieces),
        cmocka_unit_test(digits_together_or_single),
        cmocka_unit_test(overlapping_pairs_are_counted_once),
        cmocka_unit_test(wrong_wishes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
