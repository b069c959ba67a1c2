#include "infer/accepts_test.h"

typedef int32_t CharsOf(Grammar *g, const CodeRange *ranges, size_t n, int32_t next);

static void begin(Accepts *a, CharsOf *chars, const CodeRange *ranges, size_t n)
{
    *a = (Accepts){.g = grammar_new()};
    assert_int_equal(accepts_finish(a, ST_OK, chars(a->g, ranges, n, grammar_return(a->g))), ST_OK);
}

static bool listed(const CodeRange *ranges, size_t n, uint32_t code)
{
    for (size_t i = 0; i < n; i++)
        if (ranges[i].first <= code && code <= ranges[i].last)
            return true;
    return false;
}

/* Every code point, and around each bound. */
static void code_points_are_their_utf8(void **state)
{
    (void)state;
    static const CodeRange ranges[] = {{'a', 'c'},        {0x7E, 0x82},       {0x7FE, 0x801},
                                       {0xFFF, 0x1001},   {0xD7FF, 0xD7FF},   {0xE000, 0xE001},
                                       {0xFFFE, 0x10001}, {0x3FFFF, 0x50000}, {0x10FFFE, 0x10FFFF}};
    Accepts a;
    Str text = {0};
    begin(&a, grammar_chars, ranges, 9);
    for (uint32_t code = 0; code <= 0x10FFFF; code += code < 0x11000 || code > 0x10FF00 ? 1 : 251) {
        if (code >= 0xD800 && code < 0xE000)
            continue;
        str_clear(&text);
        str_add_utf8(&text, code);
        if (accepts_bytes(&a, str_span(&text)) != listed(ranges, 9, code))
            fail_msg("U+%04X", code);
    }
    accepts_drop(&a);
    str_drop(&text);
}

static void what_is_not_utf8_is_not_allowed(void **state)
{
    (void)state;
    static const CodeRange all[] = {{0, 0xD7FF}, {0xE000, 0x10FFFF}};
    static const char *const bad[] = {"\x80",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "\xC3",
                                      "\xE2\x82",
                                      "aa"};
    Accepts a;
    begin(&a, grammar_chars, all, 2);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(accepts(&a, bad[i]));
    assert_true(accepts(&a, "\xF4\x8F\xBF\xBF"));
    assert_true(a.g->nodes.n < 40); /* continuation bytes are shared */
    accepts_drop(&a);
}

static void json_escapes_what_it_must(void **state)
{
    (void)state;
    static const CodeRange all[] = {{0, 0xD7FF}, {0xE000, 0x10FFFF}}, some[] = {{'\n', '\n'}, {'"', '#'}};
    Accepts a;
    begin(&a, grammar_json_chars, all, 2);
    static const char *const good[] = {"a",   "/",       "\xC3\xA9", "\\\"", "\\\\",
                                       "\\n", "\\u0001", "\\u001f",  "\x7F"};
    static const char *const bad[] = {"\"",      "\\",  "\n",      "\x01", "\\u0000",
                                      "\\u0041", "\\/", "\\u000a", "\\a"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(accepts(&a, good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(accepts(&a, bad[i]));
    accepts_drop(&a);
    begin(&a, grammar_json_chars, some, 2);
    assert_true(accepts(&a, "\\n") && accepts(&a, "\\\"") && accepts(&a, "#"));
    assert_false(accepts(&a, "\\\\") || accepts(&a, "\\t") || accepts(&a, "a"));
    accepts_drop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_points_are_their_utf8),
        cmocka_unit_test(what_is_not_utf8_is_not_allowed),
        cmocka_unit_test(json_escapes_what_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
