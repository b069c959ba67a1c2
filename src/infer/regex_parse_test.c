#include "infer/accepts_test.h"

static void what_is_refused_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        Status status;
        const char *words;
    } all[] = {
        {"(a)\\1", ST_UNSUPPORTED, "back references"},
        {"(?<x>a)\\k<x>", ST_UNSUPPORTED, "back references"},
        {"(?P=x)", ST_UNSUPPORTED, "back references"},
        {"a(?=b)", ST_UNSUPPORTED, "look-around"},
        {"a(?!b)", ST_UNSUPPORTED, "look-around"},
        {"(?<=b)a", ST_UNSUPPORTED, "look-around"},
        {"(?<!b)a", ST_UNSUPPORTED, "look-around"},
        {"\\ba", ST_UNSUPPORTED, "word boundaries"},
        {"(?>a)b", ST_UNSUPPORTED, "atomic"},
        {"a++", ST_UNSUPPORTED, "possessive"},
        {"a{2}+", ST_UNSUPPORTED, "possessive"},
        {"(?i)a", ST_UNSUPPORTED, "flags"},
        {"(?R)", ST_UNSUPPORTED, "recursion"},
        {"(?1)", ST_UNSUPPORTED, "recursion"},
        {"(?(1)a)", ST_UNSUPPORTED, "conditions"},
        {"(?#a)", ST_UNSUPPORTED, "comments"},
        {"(*FAIL)", ST_UNSUPPORTED, "verbs"},
        {"\\Aa", ST_UNSUPPORTED, "write ^"},
        {"\\Qa\\E", ST_UNSUPPORTED, "escape each character"},
        {"a^b", ST_UNSUPPORTED, "^ and $"},
        {"(^a)", ST_UNSUPPORTED, "^ and $"},
        {"a$b", ST_UNSUPPORTED, "^ and $"},
        {"[[:alpha:]]", ST_UNSUPPORTED, "POSIX"},
        {"[]a]", ST_UNSUPPORTED, "an empty class"},
        {"a{,3}", ST_UNSUPPORTED, "{0,n}"},
        {"\\y", ST_UNSUPPORTED, "no such escape"},
        {"[\\1]", ST_UNSUPPORTED, "octal"},
        {"\\p{Greek}", ST_UNSUPPORTED, "general categories"},
        {"a**", ST_ARG, "repetition of a repetition"},
        {"*a", ST_ARG, "nothing to repeat"},
        {"a|*", ST_ARG, "nothing to repeat"},
        {"(a", ST_ARG, "not closed by a )"},
        {"a)", ST_ARG, "closes nothing"},
        {"[a", ST_ARG, "not closed by a ]"},
        {"[b-a]", ST_ARG, "backwards"},
        {"[a-\\d]", ST_ARG, "end is a set"},
        {"a\\", ST_ARG, "escapes nothing"},
        {"\\x4", ST_ARG, "character's number"},
        {"\\u{110000}", ST_ARG, "character's number"},
        {"\\uD800", ST_ARG, "surrogate"},
        {"a{3,2}", ST_ARG, "at least more"},
        {"a{3,b}", ST_ARG, "a count is"},
        {"a{99999999999999999999}", ST_LIMIT, "counts go up to"},
        {"[^\\x00-\\x{10FFFF}]", ST_ARG, "no character"},
        {"\xFF", ST_ARG, "UTF-8"},
        {"[\xC3]", ST_ARG, "UTF-8"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        regex_refused(all[i].pattern, all[i].status, all[i].words);
}

static void the_place_is_told(void **state)
{
    (void)state;
    regex_refused("abc(?=d)", ST_UNSUPPORTED, "byte 4 (\"(?=d)\")");
    regex_refused("ab[", ST_ARG, "byte 3");
    regex_refused("ab\\", ST_ARG, "byte 3");
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    Str deep = {0};
    for (int i = 0; i < REGEX_DEPTH; i++)
        str_addc(&deep, '(');
    str_addc(&deep, 'a');
    for (int i = 0; i < REGEX_DEPTH; i++)
        str_addc(&deep, ')');
    assert_true(regex_takes(str_c(&deep), "a"));
    Str deeper = {0};
    str_addf(&deeper, "(%s)", str_c(&deep));
    regex_refused(str_c(&deeper), ST_LIMIT, "deep");
    str_drop(&deep);
    str_drop(&deeper);
}

static void every_beginning_of_a_pattern_is_answered(void **state)
{
    (void)state;
    const char pattern[] = "^(?:a|[^b-d\\]\\w]{2,3}?|(?P<n>\\u00e9\\x41)+)\\p{Lu}(x(y|z)*)?\\cA.\\u{1F600}$";
    for (size_t n = 0; n < sizeof pattern; n++) {
        Regex *r;
        if (regex_parse(&r, (Span){pattern, n}, REGEX_SEARCH) == ST_OK)
            regex_free(r);
        else
            assert_true(*error_text());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused_is_named),
        cmocka_unit_test(the_place_is_told),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(every_beginning_of_a_pattern_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
