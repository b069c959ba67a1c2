#include "corpus/clean.h"

#include "corpus/scratch_test.h"

#define PROSE                                                                                              \
    "The reader of this page should find it easy to follow, and nothing that stands in it is to be taken " \
    "for more "                                                                                            \
    "than an example of ordinary words.\nA second line goes on with other matters: weather, rivers, and "  \
    "the long "                                                                                            \
    "road that leads from one town to another.\n\nPeople have walked there with their dogs since before "  \
    "anybody "                                                                                             \
    "thought of counting them, which is why no number is given here.\n"

static const char *broken(const char *text, bool english)
{
    CleanText c = {0};
    CleanScratch s = {0};
    config_defaults(&clean_text_table, &c);
    int rule = clean_text(&c, &s, span(text), english);
    clean_scratch_drop(&s);
    assert_true(rule >= -1 && rule < clean_text_rules_n);
    return rule < 0 ? "kept" : clean_text_rules[rule].name;
}

static void expect(const char *text, const char *wanted)
{
    assert_string_equal(broken(text, true), wanted);
}

static void expect_many(const char *head, const char *piece, int n, const char *wanted)
{
    Str s = {0};
    str_adds(&s, head);
    for (int i = 0; i < n; i++)
        str_addf(&s, "%s", piece);
    expect(str_c(&s), wanted);
    str_drop(&s);
}

static void prose_is_kept(void **state)
{
    (void)state;
    expect(PROSE, "kept");
}

static void quality_rules_drop_their_own(void **state)
{
    (void)state;
    expect("Too few words.", "text_few_words");
    expect("", "text_few_words");
    expect_many(PROSE, "ab ", 200, "text_word_length");
    expect_many(PROSE, "extraordinarily-long-compound-words ", 200, "text_word_length");
    expect_many(PROSE, "# heading ", 12, "text_symbols");
    expect_many(PROSE, "and... ", 12, "text_symbols");
    expect_many("", "- the point of this and that is to have words with others\n", 10, "text_bullet_lines");
    expect_many("", "it goes on and on to the next line of words and then stops short again ...\n", 6,
                "text_ellipsis_lines");
    expect_many(PROSE, "12345 ", 40, "text_few_alphabetic_words");
    expect_many(PROSE, "Lorem ipsum dolor sit amet. ", 1, "text_lorem_ipsum");
}

/* Words that no stop word of English is among, each another. */
static void foreign_text_is_kept_where_it_is_meant(void **state)
{
    (void)state;
    Str s = {0};
    for (int i = 0; i < 100; i++)
        str_addf(&s, "wort%c%c%s", 'a' + i % 26, 'a' + i / 26, i % 10 == 9 ? "\n" : " ");
    assert_string_equal(broken(str_c(&s), true), "text_few_stop_words");
    assert_string_equal(broken(str_c(&s), false), "kept");
    str_drop(&s);
}

static void repetition_is_dropped(void **state)
{
    (void)state;
    expect_many(PROSE, "This very line stands here again.\n", 10, "text_repeated_lines");
    Str s = {0};
    for (int i = 0; i < 10;
         i++) /* paragraphs of two lines in another order, so that no rule about lines is met first */
        str_addf(&s, "%s", i % 2 ? "Another short paragraph with words of its own.\n\n" : PROSE "\n");
    assert_true(strcmp(broken(str_c(&s), true), "kept") != 0);
    str_drop(&s);
    Str t = {0};
    str_adds(&t, PROSE);
    for (int i = 0; i < 30; i++)
        str_addf(&t, "number%c%c follows the number and ", 'a' + i % 26, 'a' + i / 26);
    const char *got = broken(str_c(&t), true);
    assert_true(strcmp(got, "text_top_ngram") == 0 || strcmp(got, "text_repeated_ngrams") == 0);
    str_drop(&t);
    Str u = {0}; /* the same 30 words three times, lines broken elsewhere each time */
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 60; k++)
            str_addf(&u, "word%c%c%s", 'a' + k % 26, 'a' + k / 26, (k + i) % 7 == 0 ? "\n" : " ");
    assert_string_equal(broken(str_c(&u), false), "text_repeated_ngrams");
    str_drop(&u);
}

/* The same text gives the same answer whatever was measured before with the same memory. */
static void scratch_carries_nothing_over(void **state)
{
    (void)state;
    CleanText c = {0};
    CleanScratch s = {0};
    config_defaults(&clean_text_table, &c);
    Str many = {0};
    for (int i = 0; i < 3000; i++)
        str_addf(&many, "again and again ");
    for (int i = 0; i < 3; i++) {
        assert_true(clean_text(&c, &s, str_span(&many), true) >= 0);
        assert_int_equal(clean_text(&c, &s, span(PROSE), true), -1);
    }
    str_drop(&many);
    clean_scratch_drop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prose_is_kept),
        cmocka_unit_test(quality_rules_drop_their_own),
        cmocka_unit_test(foreign_text_is_kept_where_it_is_meant),
        cmocka_unit_test(repetition_is_dropped),
        cmocka_unit_test(scratch_carries_nothing_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
