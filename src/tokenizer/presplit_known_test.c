/* The hand-written splitters against PCRE2 running the patterns they stand for. */
#include "tokenizer/presplit.h"

#include <string.h>

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void add_steps(Presplit *p, KnownSplit known)
{
    const char *pattern = known == KNOWN_LLAMA3  ? presplit_llama3_pattern
                          : known == KNOWN_QWEN2 ? presplit_qwen2_pattern
                                                 : presplit_gpt2_pattern;
    if (known == KNOWN_STARCODER)
        assert_int_equal(presplit_add_regex(p, span("\\p{N}"), SPLIT_ISOLATED, false), ST_OK);
    assert_int_equal(presplit_add_regex(p, span(pattern), SPLIT_ISOLATED, false), ST_OK);
}

static void compare(const char *text, size_t n)
{
    for (int known = KNOWN_GPT2; known <= KNOWN_QWEN2; known++) {
        Presplit p = {0};
        PresplitWork w = {0};
        Ranges by_hand = {0}, by_pcre2 = {0};
        add_steps(&p, (KnownSplit)known);
        presplit_ready(&p);
        assert_int_equal(p.known, known);
        assert_int_equal(presplit_run(&p, &w, &by_hand, text, n), ST_OK);
        p.known = KNOWN_NONE;
        assert_int_equal(presplit_run(&p, &w, &by_pcre2, text, n), ST_OK);
        for (size_t i = 0; i < by_hand.n && i < by_pcre2.n; i++)
            if (by_hand.at[i].start != by_pcre2.at[i].start || by_hand.at[i].end != by_pcre2.at[i].end)
                fail_msg("pattern %d, byte %zu: by hand to %zu, by PCRE2 to %zu: '%.*s'", known,
                         by_hand.at[i].start, by_hand.at[i].end, by_pcre2.at[i].end,
                         (int)(n - by_hand.at[i].start > 20 ? 20 : n - by_hand.at[i].start),
                         text + by_hand.at[i].start);
        assert_int_equal(by_hand.n, by_pcre2.n);
        array_drop(&by_hand);
        array_drop(&by_pcre2);
        presplitwork_drop(&w);
        presplit_drop(&p);
    }
}

static void random_characters_split_alike(void **state)
{
    (void)state;
    static const char *const likely[] = {" ",        " ",
                                         "  ",       "\n",
                                         "\r",       "\t",
                                         "'",        "'",
                                         "s",        "T",
                                         "re",       "vE",
                                         "ll",       "d",
                                         "a",        "Z",
                                         "_",        ".",
                                         "0",        "12",
                                         "\xC5\xBF", "\xE2\x84\xAA",
                                         "\xC3\xA9", "\xE2\x85\xA7",
                                         "\xC2\xA0", "\xE1\xA0\x8E",
                                         "\xC2\x85", "\xE3\x80\x80",
                                         "\xCC\x81", "\xF0\x9F\x98\x80",
                                         "\xFF",     "\xE6\x9D",
                                         "\x80",     "\x1C",
                                         "\xC2\xBD"};
    uint32_t seed = 11;
    Str s = {0};
    for (int round = 0; round < 150; round++) {
        str_clear(&s);
        for (int i = 0; i < 120; i++) {
            if (round % 3 == 0)
                str_add_utf8(&s, next_random(&seed) % (round % 2 ? 0x3000 : 0x110000));
            else
                str_adds(&s, likely[next_random(&seed) % (sizeof likely / sizeof *likely)]);
        }
        compare(s.at, s.n);
    }
    str_drop(&s);
}

static void random_bytes_split_alike(void **state)
{
    (void)state;
    uint32_t seed = 5;
    char text[4000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)next_random(&seed);
    compare(text, sizeof text);
}

static void real_text_splits_alike(void **state)
{
    (void)state;
    static const char *const files[] = {"tests/golden/tokenizer/cases.json", "src/tokenizer/spm.c",
                                        "tools/make_golden_tokenizer.py", "Makefile"};
    for (int i = 0; i < 4; i++) {
        Str s = {0};
        assert_int_equal(file_read(&s, files[i], 0), ST_OK);
        compare(s.at, s.n);
        str_drop(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_characters_split_alike),
        cmocka_unit_test(random_bytes_split_alike),
        cmocka_unit_test(real_text_splits_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
