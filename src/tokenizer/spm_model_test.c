#include "tokenizer/vocab.h"

#include <math.h>
#include <string.h>

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void put_varint(Str *s, uint64_t v)
{
    for (; v > 127; v >>= 7)
        str_addc(s, (char)(v | 128));
    str_addc(s, (char)v);
}

static void put_bytes(Str *s, unsigned field, const void *bytes, size_t n)
{
    put_varint(s, field << 3 | 2);
    put_varint(s, n);
    str_add(s, bytes, n);
}

static void put_number(Str *s, unsigned field, uint64_t v)
{
    put_varint(s, field << 3);
    put_varint(s, v);
}

static void put_piece(Str *s, const char *piece, float score, unsigned kind)
{
    Str m = {0};
    put_bytes(&m, 1, piece, strlen(piece));
    put_varint(&m, 2 << 3 | 5);
    str_add(&m, &score, sizeof score);
    put_number(&m, 3, kind);
    put_bytes(s, 1, m.at, m.n);
    str_drop(&m);
}

static void put_settings(Str *s, unsigned model_type, const char *map, bool escape)
{
    Str m = {0};
    put_number(&m, 3, model_type);
    put_bytes(s, 2, m.at, m.n);
    str_clear(&m);
    put_bytes(&m, 1, "nmt_nfkc", 8);
    put_bytes(&m, 2, map, strlen(map));
    put_number(&m, 4, 0);
    put_number(&m, 5, escape);
    put_bytes(s, 3, m.at, m.n);
    str_drop(&m);
}

static void assert_refused(Str *s, Status status, const char *words)
{
    Tokenizer *t = NULL;
    assert_int_equal(spm_model_read(&t, s->at, s->n), status);
    assert_null(t);
    if (!strstr(error_text(), words))
        fail_msg("'%s' does not say '%s'", error_text(), words);
    str_drop(s);
}

static void what_is_not_done_is_named(void **state)
{
    (void)state;
    Str s = {0};
    put_piece(&s, "<unk>", 0, PIECE_UNKNOWN);
    put_settings(&s, 1, "", true);
    assert_refused(&s, ST_UNSUPPORTED, "unigram");
    put_piece(&s, "<unk>", 0, PIECE_UNKNOWN);
    put_settings(&s, 2, "map", true);
    assert_refused(&s, ST_UNSUPPORTED, "nmt_nfkc");
    put_piece(&s, "<unk>", 0, PIECE_UNKNOWN);
    put_settings(&s, 2, "", false);
    assert_refused(&s, ST_UNSUPPORTED, "escape_whitespaces");
}

static void damaged_pieces_are_named(void **state)
{
    (void)state;
    Str s = {0};
    put_piece(&s, "a", 0, PIECE_NORMAL);
    put_settings(&s, 2, "", true);
    assert_refused(&s, ST_FORMAT, "no unknown piece");
    put_piece(&s, "<unk>", 0, PIECE_UNKNOWN);
    put_piece(&s, "a", 0, PIECE_NORMAL);
    put_piece(&s, "a", 0, PIECE_NORMAL);
    assert_refused(&s, ST_FORMAT, "again at 2");
    put_piece(&s, "<unk>", 0, PIECE_UNKNOWN);
    put_piece(&s, "<unk2>", 0, PIECE_UNKNOWN);
    assert_refused(&s, ST_FORMAT, "both the unknown");
    put_piece(&s, "<unk>", 0, PIECE_UNKNOWN);
    put_piece(&s, "a", NAN, PIECE_NORMAL);
    put_settings(&s, 2, "", true);
    assert_refused(&s, ST_FORMAT, "not a number");
    put_piece(&s, "<unk>", 0, PIECE_UNKNOWN);
    put_piece(&s, "a", 0, 9);
    assert_refused(&s, ST_FORMAT, "unknown type 9");
    put_piece(&s, "<unk>", 0, PIECE_UNKNOWN);
    put_piece(&s, "<0x00>", 0, PIECE_BYTE);
    put_settings(&s, 2, "", true);
    assert_refused(&s, ST_FORMAT, "without byte fallback");
    put_varint(&s, 1 << 3 | 2);
    put_varint(&s, UINT64_MAX);
    assert_refused(&s, ST_FORMAT, "cut short");
}

/* Cut anywhere it is refused with a sentence, or, where a whole number of records is left, opened. */
static void every_truncation_is_survived(void **state)
{
    (void)state;
    Str s = {0};
    assert_int_equal(file_read(&s, "tests/golden/tokenizer/plain.model", 0), ST_OK);
    int opened = 0;
    for (size_t n = 0; n < s.n; n++) {
        Tokenizer *t = NULL;
        char *exact = mem_copy(s.at, n ? n : 1); /* so that a read past the end is seen */
        Status st = spm_model_read(&t, exact, n);
        assert_true(st == ST_OK || st == ST_FORMAT || st == ST_UNSUPPORTED);
        opened += st == ST_OK;
        tokenizer_close(t);
        mem_free(exact);
    }
    assert_in_range(opened, 0, 3);
    str_drop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_done_is_named),
        cmocka_unit_test(damaged_pieces_are_named),
        cmocka_unit_test(every_truncation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
