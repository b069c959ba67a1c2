#include "corpus/read_formats.h"

#include "corpus/scratch_test.h"

/* Pieces of a file, joined by '|', '!' for one that is too long. */
static char *pieces(const char *bytes, size_t n, const char *separator, size_t limit)
{
    char *path = scratch_path("x");
    const char *member;
    Str out = {0};
    Member m = {.limit = limit, .separator = separator};
    scratch_write("x", bytes, n);
    assert_int_equal(stream_open(&m.stream, path), ST_OK);
    assert_int_equal(stream_next(m.stream, &member), ST_OK);
    for (;;) {
        Document d = {0};
        assert_int_equal(read_text_next(&m, &d), ST_OK);
        if (!d.text.at)
            break;
        if (d.reason == READ_TOO_LONG)
            str_addf(&out, "!%lld", (long long)d.bytes);
        str_add(&out, d.text.at, d.text.n);
        str_addc(&out, '|');
    }
    stream_close(m.stream);
    str_drop(&m.buf);
    mem_free(path);
    char *result = mem_str(str_c(&out));
    str_drop(&out);
    return result;
}

static void expect(const char *text, const char *separator, const char *wanted)
{
    char *got = pieces(text, strlen(text), separator, 1000);
    assert_string_equal(got, wanted);
    mem_free(got);
}

static void files_are_cut_at_the_separator(void **state)
{
    (void)state;
    expect("one\n--\ntwo\n--\nthree", "\n--\n", "one|two|three|");
    expect("one\n--\n", "\n--\n", "one|");
    expect("\n--\none", "\n--\n", "|one|");
    expect("one", "\n--\n", "one|");
    expect("", "\n--\n", "");
    expect("aaaa", "aa", "||");
    expect("whole\nfile", NULL, "whole\nfile|");
    expect("whole\nfile", "", "whole\nfile|");
}

/* Separators at every place around the edge of what is read at once. */
static void separators_across_blocks_are_found(void **state)
{
    (void)state;
    const size_t edge = 256 << 10;
    for (size_t shift = 0; shift < 12; shift++) {
        Str s = {0};
        for (size_t i = 0; i < edge - 6 + shift; i++)
            str_addc(&s, 'x');
        str_adds(&s, "<sep>tail");
        char *got = pieces(s.at, s.n, "<sep>", 1000000);
        assert_int_equal(strlen(got), edge - 6 + shift + strlen("|tail|"));
        assert_string_equal(got + edge - 6 + shift, "|tail|");
        mem_free(got);
        str_drop(&s);
    }
}

static void long_pieces_are_passed_over(void **state)
{
    (void)state;
    Str s = {0};
    str_adds(&s, "short;");
    for (int i = 0; i < 3000000; i++)
        str_addc(&s, 'x');
    str_adds(&s, ";last");
    char *got = pieces(s.at, s.n, ";", 1000);
    assert_string_equal(got, "short|!3000000|last|");
    mem_free(got);
    str_drop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_cut_at_the_separator),
        cmocka_unit_test(separators_across_blocks_are_found),
        cmocka_unit_test(long_pieces_are_passed_over),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
