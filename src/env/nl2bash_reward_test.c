#include "env/nl2bash_reward.h"

#include <math.h>

#include "base/rng.h"
#include "base/scratch_test.h"

/* Made by scikit-learn 1.9.1: TfidfVectorizer().fit_transform([a, b]), the product with its transpose. */
static void cosines_are_scikit_learns(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        double cosine;
    } cases[] = {
        {"hello", "hello world", 0.5797386715376657},
        {"f32a3a97\nf32a3a97\nf32a3a97\n", "f32a3a97\n", 1.0},
        {"", "word", 0.0},
        {"Éclair ÉCLAIR naïve über", "éclair naive Über x_1 x-1 x1", 0.4034705770186953},
        {"The cat's 12 __ 3", "the CAT S 12 __ 33", 0.8181802073667197},
        {"日本語 テスト", "日本語 test", 0.3360969272762574},
        {"/testbed/dir1/a.txt\n/testbed/dir2/b.txt\n",
         "/testbed/dir1/a.txt\n/testbed/dir3/b.txt\n/testbed/dir3/c.txt\n", 0.7565674461711243},
        {"one two two three three three", "three two one one", 0.7637626158259735},
        {"ΑΒΓ αβγ", "αβγ Γ", 1.0},
        {"x\u00a0yy zz", "yy zz", 1.0},
        /* No words: equality. */
        {"a b c", "a b c", 1.0},
        {"a b c", "a b d", 0.0},
        {"", "", 1.0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double ours = tfidf_cosine(span(cases[i].a), span(cases[i].b));
        if (!(fabs(ours - cases[i].cosine) <= 1e-14) || ours != tfidf_cosine(span(cases[i].b), span(cases[i].a)))
            fail_msg("\"%s\", \"%s\": %.17g", cases[i].a, cases[i].b, ours);
    }
}

/* Whatever the bytes: a number of [0, 1], and 1 with itself. */
static void any_bytes(void **state)
{
    (void)state;
    Rng rng;
    rng_seed(&rng, 5);
    for (int round = 0; round < 3000; round++) {
        char a[60], b[60];
        size_t n = (size_t)rng_below(&rng, 60), m = (size_t)rng_below(&rng, 60);
        for (size_t i = 0; i < 60; i++) {
            a[i] = rng_below(&rng, 3) ? "ab _Z9\n\xc3"[rng_below(&rng, 8)] : (char)rng_below(&rng, 256);
            b[i] = rng_below(&rng, 3) ? "ab _Z9\n\xa9"[rng_below(&rng, 8)] : (char)rng_below(&rng, 256);
        }
        double c = tfidf_cosine((Span){a, n}, (Span){b, m});
        assert_true(c >= 0 && c <= 1 + 1e-12);
        assert_true(fabs(tfidf_cosine((Span){a, n}, (Span){a, n}) - 1) < 1e-12);
    }
}

static void parts_and_total(void **state)
{
    (void)state;
    const Span word = {"word\n", 5}, none = {NULL, 0};
    static const struct {
        Nl2BashDiff diff;
        double files, changes;
    } cases[] = {{{0, 0, 0, 0}, 0.33, 0.33}, {{1, 0, 0, 0}, 0.05, 0.33}, {{0, 1, 1, 1}, 0.05, 0.33},
                 {{1, 1, 0, 0}, 0.0, 0.33},  {{0, 0, 3, 1}, 0.33, 0.11}, {{0, 0, 7, 3}, 0.33, 0.14},
                 {{0, 0, 1, 0}, 0.33, 0.0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Nl2BashReward r = nl2bash_reward(&cases[i].diff, word, word);
        assert_true(r.file_diff == cases[i].files && r.file_changes == cases[i].changes);
        assert_true(r.answer_similarity == 0.33);
        assert_true(r.total == 0.01 + cases[i].files + cases[i].changes + 0.33);
    }
    Nl2BashDiff same = {0};
    assert_true(nl2bash_reward(&same, word, word).total == 1); /* exactly, as success asks */
    assert_true(nl2bash_reward(&same, word, none).answer_similarity == 0);
    assert_true(nl2bash_reward(&same, none, none).answer_similarity == 0.33);
    /* Recorded: 0.1897... is 0.06 of 0.33, and 0.01 + 0.33 + 0.33 + 0.06 is not 0.73 to the last bit. */
    Nl2BashReward r = nl2bash_reward(&same, span("hello"), span("hello world"));
    assert_true(r.answer_similarity == 0.19 && r.total == 0.01 + 0.33 + 0.33 + 0.19);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cosines_are_scikit_learns),
                                       cmocka_unit_test(any_bytes), cmocka_unit_test(parts_and_total)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
