#include "tokenizer/vocab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void byte_characters_go_both_ways(void **state)
{
    (void)state;
    for (unsigned b = 0; b < 256; b++)
        assert_int_equal(vocab_char_byte(vocab_byte_char(b)), b);
    assert_int_equal(vocab_byte_char(' '), 0x120);
    assert_int_equal(vocab_byte_char('\n'), 0x10A);
    assert_int_equal(vocab_byte_char(0xAD), 0x143);
    assert_int_equal(vocab_char_byte(' '), -1);
    assert_int_equal(vocab_char_byte(0x144), -1);
    assert_int_equal(vocab_char_byte(0x4E00), -1);
}

static void byte_pieces_are_spelled_one_way(void **state)
{
    (void)state;
    assert_int_equal(vocab_byte_piece(span("<0x0A>")), 10);
    assert_int_equal(vocab_byte_piece(span("<0xFF>")), 255);
    assert_int_equal(vocab_byte_piece(span("<0xff>")), -1);
    assert_int_equal(vocab_byte_piece(span("<0x0G>")), -1);
    assert_int_equal(vocab_byte_piece(span("<0x0A")), -1);
}

static void pieces_stand_once(void **state)
{
    (void)state;
    Tokenizer *t = vocab_new(VOCAB_SPM, "arrays");
    assert_int_equal(vocab_add(t, span("a"), PIECE_NORMAL, 0), ST_OK);
    assert_int_equal(vocab_add(t, span("a"), PIECE_CONTROL, 0), ST_OK); /* as SentencePiece allows */
    assert_int_equal(vocab_find(t, "a", 1), 0);
    assert_int_equal(vocab_add(t, span("a"), PIECE_USER, 0), ST_FORMAT);
    tokenizer_close(t);
    t = vocab_new(VOCAB_BBPE, "arrays");
    assert_int_equal(vocab_reach(t, 5), ST_OK);
    assert_int_equal(vocab_place(t, 3, span("x"), PIECE_NORMAL), ST_OK);
    assert_int_equal(vocab_place(t, 3, span("y"), PIECE_NORMAL), ST_FORMAT);
    assert_int_equal(vocab_reach(t, (int64_t)VOCAB_MAX + 1), ST_LIMIT);
    assert_int_equal(t->n, 5);
    tokenizer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_characters_go_both_ways),
        cmocka_unit_test(byte_pieces_are_spelled_one_way),
        cmocka_unit_test(pieces_stand_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
