#include "base/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const unsigned char record[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B,
                                       0x0C, 0x0D, 0x0E, 0x0F, 0x00, 0x00, 0x80, 0x3F, 0xAC, 0x02, 'h', 'i'};

static void numbers_are_little_endian(void **state)
{
    (void)state;
    Cursor c = cursor_over(record, sizeof record);
    assert_int_equal(cursor_u8(&c), 0x01);
    assert_int_equal(cursor_u16(&c), 0x0302);
    assert_int_equal(cursor_u32(&c), 0x07060504);
    assert_int_equal(cursor_u64(&c), 0x0F0E0D0C0B0A0908);
    assert_true(cursor_f32(&c) == 1.0f);
    assert_int_equal(cursor_varint(&c), 300);
    assert_true(span_is(cursor_bytes(&c, 2), "hi"));
    assert_int_equal(cursor_left(&c), 0);
    assert_false(c.bad);
}

/* Every cut of the record: the first read past the end and all after it give zero. */
static void reading_past_the_end_is_remembered(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof record; n++) {
        Cursor c = cursor_over(record, n);
        cursor_u8(&c);
        cursor_u16(&c);
        cursor_u32(&c);
        cursor_u64(&c);
        cursor_f32(&c);
        cursor_varint(&c);
        Span s = cursor_bytes(&c, 2);
        assert_true(c.bad);
        assert_int_equal(s.n, 0);
        assert_non_null(s.at);
        assert_int_equal(cursor_u8(&c), 0);
    }
}

static void hostile_lengths_do_not_wrap(void **state)
{
    (void)state;
    Cursor c = cursor_over(record, 4);
    cursor_skip(&c, 1);
    assert_int_equal(cursor_bytes(&c, UINT64_MAX).n, 0);
    assert_true(c.bad);
    c = cursor_over(record, 4);
    cursor_skip(&c, UINT64_MAX - 1);
    assert_true(c.bad);
    assert_int_equal(cursor_left(&c), 4);
}

static void endless_varints_are_bad(void **state)
{
    (void)state;
    unsigned char bytes[12];
    memset(bytes, 0xFF, sizeof bytes);
    Cursor c = cursor_over(bytes, sizeof bytes);
    assert_int_equal(cursor_varint(&c), 0);
    assert_true(c.bad);
    bytes[9] = 0x01;
    c = cursor_over(bytes, sizeof bytes);
    assert_true(cursor_varint(&c) == UINT64_MAX);
    assert_false(c.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_little_endian),
        cmocka_unit_test(reading_past_the_end_is_remembered),
        cmocka_unit_test(hostile_lengths_do_not_wrap),
        cmocka_unit_test(endless_varints_are_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
