#include "tokenizer/unicode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void classes_are_those_of_unicode(void **state)
{
    (void)state;
    assert_int_equal(unicode_class('a'), CLASS_LETTER);
    assert_int_equal(unicode_class('Z'), CLASS_LETTER);
    assert_int_equal(unicode_class('0'), CLASS_NUMBER);
    assert_int_equal(unicode_class('_'), CLASS_OTHER);
    assert_int_equal(unicode_class('\v'), CLASS_SPACE);
    assert_int_equal(unicode_class(0x1F), CLASS_OTHER);
    assert_int_equal(unicode_class(0xE9), CLASS_LETTER);
    assert_int_equal(unicode_class(0x4E00), CLASS_LETTER);
    assert_int_equal(unicode_class(0xBD), CLASS_NUMBER);   /* one half */
    assert_int_equal(unicode_class(0x2167), CLASS_NUMBER); /* roman eight */
    assert_int_equal(unicode_class(0x3000), CLASS_SPACE);
    assert_int_equal(unicode_class(0x180E), CLASS_OTHER); /* once a space, no more */
    assert_int_equal(unicode_class(0x301), CLASS_OTHER);  /* combining accent */
    assert_int_equal(unicode_class(0x10FFFF), CLASS_OTHER);
    assert_int_equal(unicode_class(0xFFFFFFFF), CLASS_OTHER);
}

static void white_space_agrees_with_the_classes(void **state)
{
    (void)state;
    for (uint32_t c = 1; c < 0x110000; c++)
        if (unicode_is_space(c) != (unicode_class(c) == CLASS_SPACE))
            fail_msg("U+%04X", c);
}

static void words_hold_letters_marks_and_digits(void **state)
{
    (void)state;
    assert_true(unicode_is_word('_') && unicode_is_word('9') && unicode_is_word(0x301) &&
                unicode_is_word(0x4E00));
    assert_false(unicode_is_word('-') || unicode_is_word(' ') || unicode_is_word(0x1F600));
}

static void assert_nfc(const char *text, size_t n, const char *want, size_t want_n)
{
    Str s = {0};
    unicode_nfc(&s, text, n);
    assert_int_equal(s.n, want_n);
    assert_memory_equal(str_c(&s), want, want_n);
    str_drop(&s);
}

static void normal_form_c_leaves_bad_bytes_alone(void **state)
{
    (void)state;
    assert_nfc("", 0, "", 0);
    assert_nfc("e\xCC\x81 x", 5, "\xC3\xA9 x", 4);
    assert_nfc("\xFF"
               "e\xCC\x81\xC3",
               5, "\xFF\xC3\xA9\xC3", 4);
    assert_nfc("a\0b", 3, "a\0b", 3);
    assert_nfc("\xE2\x84\xAB", 3, "\xC3\x85", 2); /* the angstrom sign is an A with ring */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_those_of_unicode),
        cmocka_unit_test(white_space_agrees_with_the_classes),
        cmocka_unit_test(words_hold_letters_marks_and_digits),
        cmocka_unit_test(normal_form_c_leaves_bad_bytes_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
