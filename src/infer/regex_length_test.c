#include "infer/accepts_test.h"
#include "infer/validator_test.h"

static Status bounded(Accepts *a, const char *pattern, int32_t min, int32_t max)
{
    Regex *r = NULL;
    *a = (Accepts){.g = grammar_new()};
    if (regex_parse(&r, span(pattern), REGEX_WHOLE) != ST_OK)
        fail_msg("%s: %s", pattern, error_text());
    int32_t start = regex_build_bounded(r, a->g, grammar_chars, min, max, grammar_return(a->g));
    regex_free(r);
    return accepts_finish(a, ST_OK, start);
}

/* Every text of up to five letters: allowed where PCRE2 matches it and its length is right. */
static void both_conditions_hold(void **state)
{
    (void)state;
    static const char *const patterns[] = {"(a*)*b?", "[ab]+(ba|c)?",  "(a|bc){2,3}a*",
                                           "(a?){4}", "(ab|c)*|b{2,}", "a"};
    static const int32_t bounds[][2] = {{0, 3}, {2, 4}, {2, GRAMMAR_FOREVER}, {0, GRAMMAR_FOREVER},
                                        {3, 3}, {1, 1}};
    for (size_t i = 0; i < 36; i++) {
        const char *pattern = patterns[i / 6];
        int32_t min = bounds[i % 6][0], max = bounds[i % 6][1];
        Accepts a;
        Status st = bounded(&a, pattern, min, max);
        for (int code = 0; code < 1024; code++) { /* four to the fifth: a letter, or nothing */
            char text[6] = {0};
            int n = 0;
            for (int c = code; c; c /= 4)
                if (c % 4)
                    text[n++] = (char)('a' - 1 + c % 4);
            bool fits = n >= min && n <= max && pcre_matches(pattern, text, (size_t)n, true);
            if (fits != (st == ST_OK && accepts(&a, text)))
                fail_msg("%s {%d,%d}: %s", pattern, min, max, text);
        }
        accepts_drop(&a);
    }
}

static void characters_are_counted_and_not_bytes(void **state)
{
    (void)state;
    Accepts a;
    assert_int_equal(bounded(&a, "[^x]*", 2, 2), ST_OK);
    assert_true(accepts(&a, "\xC3\xA9\xF0\x9F\x98\x80"));
    assert_false(accepts(&a, "\xC3\xA9"));
    accepts_drop(&a);
    static const char schema[] =
        "{\"type\":\"string\",\"pattern\":\"^\\\\S+$\",\"minLength\":2,\"maxLength\":3}";
    assert_true(schema_takes(schema, "\"a\\\"b\""));
    assert_false(schema_takes(schema, "\"a\\\"bc\""));
    assert_false(schema_takes(schema, "\"a\""));
    static const char search[] = "{\"type\":\"string\",\"pattern\":\"ab\",\"maxLength\":4}";
    assert_true(schema_takes(search, "\"xabx\""));
    assert_false(schema_takes(search, "\"xabxx\""));
    assert_false(schema_takes(search, "\"xbax\""));
}

static void a_pattern_knows_its_own_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        int32_t min, max;
    } all[] = {{"", 0, 0},
               {"ab", 2, 2},
               {"a|bcd|ef", 1, 3},
               {"(a|bc){2,3}d?", 2, 7},
               {"a*b", 1, GRAMMAR_FOREVER},
               {"(a*){0}", 0, 0},
               {"(|a)+", 0, GRAMMAR_FOREVER},
               {"((a{1000000}){1000000}){2}", GRAMMAR_FOREVER, GRAMMAR_FOREVER},
               {"\xC3\xA9", 1, 1}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        Regex *r;
        int32_t min, max;
        assert_int_equal(regex_parse(&r, span(all[i].pattern), REGEX_WHOLE), ST_OK);
        regex_lengths(r, &min, &max);
        if (min != all[i].min || max != all[i].max)
            fail_msg("%s: %d to %d", all[i].pattern, min, max);
        regex_free(r);
    }
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    Accepts a;
    assert_int_equal(bounded(&a, "a{3}", 4, 5), ST_ARG);
    accepts_drop(&a);
    assert_int_equal(bounded(&a, "(a{1000}b){1000}", 4, 5), ST_LIMIT);
    accepts_drop(&a);
    assert_int_equal(bounded(&a, "(((){1000}){1000}){1000}", 0, 5), ST_LIMIT);
    accepts_drop(&a);
    assert_int_equal(bounded(&a, "\\p{L}*a\\p{L}*", 4, 1000000), ST_LIMIT);
    accepts_drop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_conditions_hold),
        cmocka_unit_test(characters_are_counted_and_not_bytes),
        cmocka_unit_test(a_pattern_knows_its_own_bounds),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
