#include "infer/accepts_test.h"
#include "infer/validator_test.h"

static void texts_match_as_a_whole(void **state)
{
    (void)state;
    assert_true(regex_takes("a*b", "aaab"));
    assert_false(regex_takes("a*b", "aaabb"));
    assert_false(regex_takes("a*b", "aaa"));
    assert_true(regex_takes("^a|b$", "b"));
    assert_true(regex_takes("", ""));
    assert_false(regex_takes("", "a"));
    assert_true(regex_takes("(a|)b?", "b"));
    assert_true(regex_takes("a{2}{3}", "aaaaaa"));
    assert_false(regex_takes("a{2}{3}", "aaaaa"));
    assert_true(regex_takes("(a|aa){0,3}", "aaaaaa"));
    assert_false(regex_takes("(a|aa){0,3}", "aaaaaaa"));
    assert_true(regex_takes("(a?){3}", ""));
    assert_false(regex_takes("(a?){3}", "aaaa"));
    assert_true(regex_takes("{a}[-x]x{", "{a}-x{"));
    assert_true(regex_takes("\\{\\}\\x41\\u0042\\u{43}\\t\\cA", "{}ABC\t\x01"));
    assert_true(regex_takes("\\uD83D\\uDE00", "\xF0\x9F\x98\x80"));
}

static void hostile_repetitions_are_followed(void **state)
{
    (void)state;
    assert_true(regex_takes("(a*)*b", "aaaaaaaab"));
    assert_true(regex_takes("((a*)*)*", "aaaa"));
    assert_true(regex_takes("(((a?b?)*c?)*d?)*", "abcdab"));
    Accepts a;
    Str text = {0};
    assert_int_equal(accepts_regex(&a, "(a{100}){100}", REGEX_WHOLE), ST_OK);
    for (int i = 0; i < 10000; i++)
        str_addc(&text, 'a');
    assert_true(accepts(&a, str_c(&text)));
    str_addc(&text, 'a');
    assert_false(accepts(&a, str_c(&text)));
    accepts_drop(&a);
    assert_int_equal(accepts_regex(&a, "a{1000}{1000}", REGEX_WHOLE), ST_OK);
    accepts_drop(&a);
    str_drop(&text);
}

/* 200 deep, each level built twice by the two above it: refused, not built for ever. */
static void nested_emptiness_has_a_limit(void **state)
{
    (void)state;
    Str deep = {0};
    for (int i = 0; i < 200; i++)
        str_addc(&deep, '(');
    for (int i = 0; i < 200; i++)
        str_adds(&deep, i % 2 ? "a?)*" : "b?){0,9}");
    regex_refused(str_c(&deep), ST_LIMIT, "states");
    str_drop(&deep);
}

static void what_cannot_be_followed_is_a_limit(void **state)
{
    (void)state;
    Accepts a;
    PushState s;
    Str text = {0};
    assert_int_equal(accepts_regex(&a, "(((a|aa){0,200}){0,200}){0,200}", REGEX_WHOLE), ST_OK);
    for (int i = 0; i < 2000; i++)
        str_addc(&text, 'a');
    assert_int_equal(pushdown_start(a.p, &s), ST_OK);
    assert_int_equal(pushdown_step(a.p, s, str_span(&text), &s), ST_LIMIT);
    assert_non_null(strstr(error_text(), "ambiguous"));
    accepts_drop(&a);
    str_drop(&text);
}

static const char *const patterns[] = {
    "[a-z]+(-[0-9]{2})?",
    "(a|b|\xC3\xA9)?x{0,3}|[^a-z]{2}",
    "\\d+\\.\\d*|\\.\\d+",
    "[\\w.+-]+@\\w+\\.\\w{2,3}",
    "(?:\\S+\\s)*\\S{1,5}",
    "\\W\\D\\S[^\\w\\d]?",
    "\\p{Lu}\\p{L}{0,4}\\P{L}",
    "[^\\W_]{1,3}[\\s\\S]",
    "(ab|a(bc)*|(?:d|e)+f?){1,4}",
    "#[0-9a-fA-F]{6}",
    ".{3}",
    "((a*)*|b+)*c",
    "(?P<year>\\d{4})-(0[1-9]|1[0-2])",
    "[\xE2\x82\xA0-\xE2\x83\x80]{1,2}[\xF0\x9F\x98\x80-\xF0\x9F\x98\x8F]?",
    "[^\\x00-\\x7F]{1,2}",
    "a??b*?(c+?){2,}?",
};

static void random_texts_match_for_pcre2(void **state)
{
    (void)state;
    Rng rng;
    Str text = {0};
    rng_seed(&rng, 5);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        Accepts a;
        assert_int_equal(accepts_regex(&a, patterns[i], REGEX_WHOLE), ST_OK);
        for (int k = 0; k < 150; k++)
            if (accepts_random(&a, &rng, &text, 400) &&
                !pcre_matches(patterns[i], str_c(&text), text.n, true))
                fail_msg("%s does not match \"%s\"", patterns[i], str_c(&text));
        accepts_drop(&a);
    }
    str_drop(&text);
}

/* The other way round: random ASCII texts that PCRE2 matches are allowed, and the others are not. */
static void pcre2_and_the_grammar_agree_on_ascii(void **state)
{
    (void)state;
    static const char letters[] = "aabbccdx01.-_ f@#\n";
    Rng rng;
    char text[12];
    rng_seed(&rng, 6);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        Accepts a;
        assert_int_equal(accepts_regex(&a, patterns[i], REGEX_WHOLE), ST_OK);
        for (int k = 0; k < 600; k++) {
            size_t n = rng_below(&rng, 9);
            for (size_t c = 0; c < n; c++)
                text[c] = letters[rng_below(&rng, sizeof letters - 1)];
            bool matches = pcre_matches(patterns[i], text, n, true);
            if (accepts_bytes(&a, (Span){text, n}) != matches)
                fail_msg("%s: PCRE2 says %d of \"%.*s\"", patterns[i], matches, (int)n, text);
        }
        accepts_drop(&a);
    }
}

static void a_search_has_anything_around(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *yes, *no;
    } all[] = {{"ab", "xx\nabyy", "xxayb"}, {"^ab", "abx", "xab"}, {"ab$", "xab", "abx"},
               {"^ab$", "ab", "abx"},       {"^a|b$", "xb", "xa"}, {"", "x", "\xFF"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        Accepts a;
        assert_int_equal(accepts_regex(&a, all[i].pattern, REGEX_SEARCH), ST_OK);
        assert_true(accepts(&a, all[i].yes));
        assert_false(accepts(&a, all[i].no));
        accepts_drop(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_match_as_a_whole),
        cmocka_unit_test(hostile_repetitions_are_followed),
        cmocka_unit_test(nested_emptiness_has_a_limit),
        cmocka_unit_test(what_cannot_be_followed_is_a_limit),
        cmocka_unit_test(random_texts_match_for_pcre2),
        cmocka_unit_test(pcre2_and_the_grammar_agree_on_ascii),
        cmocka_unit_test(a_search_has_anything_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
