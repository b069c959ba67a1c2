#include "tokenizer/tokenizer.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static Tokenizer *open_golden(const char *path)
{
    Tokenizer *t = NULL;
    if (tokenizer_open(&t, path) != ST_OK)
        fail_msg("%s", error_text());
    return t;
}

/* Streams ids of a text byte by byte through byte pieces: at each moment only whole characters are out. */
static void characters_come_whole(void **state)
{
    (void)state;
    Tokenizer *t = open_golden("tests/golden/tokenizer/gpt2.json");
    const char *text = "a\xC3\xA9\xE6\x9D\xB1\xF0\x9F\x98\x80z";
    Ids ids = {0};
    Detok d = {0};
    Str out = {0};
    for (size_t i = 0; i < strlen(text); i++)
        assert_int_equal(tokenizer_encode(t, &ids, text + i, 1, 0), ST_OK);
    assert_int_equal(ids.n, strlen(text));
    detok_start(&d, t, false);
    for (size_t i = 0; i < ids.n; i++) {
        assert_int_equal(detok_push(&d, &out, ids.at[i]), ST_OK);
        assert_true(utf8_valid(out.at, out.n));
    }
    assert_string_equal(out.at, text);
    assert_int_equal(d.held.n, 0);
    detok_drop(&d);
    str_drop(&out);
    array_drop(&ids);
    tokenizer_close(t);
}

static void push_bytes(Detok *d, const Tokenizer *t, Str *out, const char *bytes, size_t n)
{
    Ids ids = {0};
    for (size_t i = 0; i < n; i++)
        assert_int_equal(tokenizer_encode(t, &ids, bytes + i, 1, 0), ST_OK);
    for (size_t i = 0; i < ids.n; i++)
        assert_int_equal(detok_push(d, out, ids.at[i]), ST_OK);
    array_drop(&ids);
}

static void hopeless_bytes_are_let_go_at_once(void **state)
{
    (void)state;
    Tokenizer *t = open_golden("tests/golden/tokenizer/gpt2.json");
    Detok d = {0};
    Str out = {0};
    detok_start(&d, t, false);
    push_bytes(&d, t, &out, "\xFF\x80", 2); /* begin nothing */
    assert_int_equal(out.n, 2);
    push_bytes(&d, t, &out, "\xE0\x80", 2); /* over-long */
    assert_int_equal(out.n, 4);
    push_bytes(&d, t, &out, "\xE6\x9D", 2); /* may go on */
    assert_int_equal(out.n, 4);
    push_bytes(&d, t, &out, "x", 1);
    assert_int_equal(out.n, 7);
    push_bytes(&d, t, &out, "\xF0\x9F", 2);
    assert_int_equal(out.n, 7);
    detok_flush(&d, &out);
    assert_memory_equal(out.at, "\xFF\x80\xE0\x80\xE6\x9Dx\xF0\x9F", 9);
    detok_drop(&d);
    str_drop(&out);
    tokenizer_close(t);
}

static void the_dummy_space_goes_once(void **state)
{
    (void)state;
    Tokenizer *t = open_golden("tests/golden/tokenizer/llama.model");
    Ids ids = {0};
    Str out = {0};
    assert_int_equal(tokenizer_encode(t, &ids, "  the river", 11, TOK_BOS), ST_OK);
    assert_int_equal(tokenizer_decode(t, &out, ids.at, ids.n, false), ST_OK);
    assert_string_equal(out.at, "  the river");
    str_clear(&out);
    assert_int_equal(tokenizer_decode(t, &out, ids.at, ids.n, true), ST_OK);
    assert_string_equal(out.at, "<s>   the river"); /* as Hugging Face shows it */
    Detok d = {0};
    detok_start(&d, t, false);
    d.started = true; /* going on from other text */
    str_clear(&out);
    for (size_t i = 0; i < ids.n; i++)
        assert_int_equal(detok_push(&d, &out, ids.at[i]), ST_OK);
    detok_flush(&d, &out);
    assert_string_equal(out.at, "   the river");
    detok_drop(&d);
    array_drop(&ids);
    str_drop(&out);
    tokenizer_close(t);
}

static void ids_outside_are_refused(void **state)
{
    (void)state;
    Tokenizer *t = open_golden("tests/golden/tokenizer/llama.model");
    Str out = {0};
    int32_t ids[] = {-1, tokenizer_vocab_size(t)};
    assert_int_equal(tokenizer_decode(t, &out, ids, 1, false), ST_ARG);
    assert_int_equal(tokenizer_decode(t, &out, ids + 1, 1, false), ST_ARG);
    assert_non_null(strstr(error_text(), "outside the vocabulary"));
    str_drop(&out);
    tokenizer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_come_whole),
        cmocka_unit_test(hopeless_bytes_are_let_go_at_once),
        cmocka_unit_test(the_dummy_space_goes_once),
        cmocka_unit_test(ids_outside_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
