#include "corpus/read_formats.h"

#include "corpus/scratch_test.h"

/* All values of a text, each with its line: "1:{...} 3:{...}"; "1:!" is too long. */
static Str values(const char *text, size_t n, size_t limit)
{
    Str out = {0};
    const char *member;
    Member m = {.limit = limit, .json = {.line = 1}};
    scratch_write("x.json", text, n);
    assert_int_equal(stream_open(&m.stream, in_scratch("x.json")), ST_OK);
    assert_int_equal(stream_next(m.stream, &member), ST_OK);
    for (;;) {
        Document d = {0};
        assert_int_equal(read_json_next(&m, &d), ST_OK);
        if (!d.text.at)
            break;
        str_addf(&out, "%s%lld:", out.n ? " " : "", (long long)m.number);
        if (d.reason == READ_TOO_LONG)
            str_addc(&out, '!');
        else
            str_add(&out, d.text.at, d.text.n);
    }
    stream_close(m.stream);
    str_drop(&m.buf);
    return out;
}

static void expect(const char *text, const char *wanted)
{
    Str got = values(text, strlen(text), 1000);
    assert_string_equal(str_c(&got), wanted);
    str_drop(&got);
}

static void lines_are_values_however_broken(void **state)
{
    (void)state;
    expect("{\"a\":1}\n\n  {\"b\n{\"c\":\"\\n\"}", "1:{\"a\":1} 3:{\"b 4:{\"c\":\"\\n\"}");
    expect("\xEF\xBB\xBF{\"a\":1}\r\n{}\n", "1:{\"a\":1}\r 2:{}");
    expect("", "");
    expect(" \n\n ", "");
}

static void an_array_gives_its_elements(void **state)
{
    (void)state;
    expect("[{\"a\": [1, 2]},\n {\"b\": \"]},\\\"[\"},\n\n {}]\n",
           "1:{\"a\": [1, 2]} 2:{\"b\": \"]},\\\"[\"} 4:{}");
    expect("\n[ 1, \"x y\", null,[[]] ]", "2:1 2:\"x y\" 2:null 2:[[]]");
    expect("[]", "");
    expect("[{\"a\":1},{\"b\":", "1:{\"a\":1} 1:{\"b\":");
    expect("[{\n\"a\": 1\n},\n{\n\"b\": 2}]", "1:{\n\"a\": 1\n} 4:{\n\"b\": 2}");
}

/* Elements across the borders of what is read at a time. */
static void long_files_come_piece_by_piece(void **state)
{
    (void)state;
    enum { N = 40000 };
    Str text = {0};
    str_addc(&text, '[');
    for (int i = 0; i < N; i++)
        str_addf(&text, "%s{\"i\": %d, \"s\": \"%*s\"}", i ? ",\n" : "", i, i % 23, "");
    str_addc(&text, ']');
    Str got = values(text.at, text.n, 1000);
    const char *at = str_c(&got);
    for (int i = 0; i < N; i++) {
        char wanted[100];
        int n = snprintf(wanted, sizeof wanted, "%d:{\"i\": %d, \"s\": \"%*s\"}", i + 1, i, i % 23, "");
        assert_memory_equal(at, wanted, (size_t)n);
        at += n + (*(at + n) == ' ');
    }
    assert_int_equal(*at, 0);
    str_drop(&got);
    str_drop(&text);
}

static void a_value_that_is_too_long_is_passed_over(void **state)
{
    (void)state;
    Str text = {0};
    str_adds(&text, "[{\"a\": \"");
    str_reserve(&text, 1 << 20);
    for (int i = 0; i < 1 << 20; i++)
        str_addc(&text, '[');
    str_adds(&text, "\"},\n{\"b\": 2}]");
    Str got = values(text.at, text.n, 1000);
    assert_string_equal(str_c(&got), "1:! 2:{\"b\": 2}");
    str_drop(&got);
    str_drop(&text);
}

static void parquet_is_refused_by_name(void **state)
{
    (void)state;
    Member m = {.limit = 10};
    Document d = {0};
    const char *member;
    scratch_text("x.parquet", "PAR1 and more");
    assert_int_equal(stream_open(&m.stream, in_scratch("x.parquet")), ST_OK);
    assert_int_equal(stream_next(m.stream, &member), ST_OK);
    assert_int_equal(read_json_next(&m, &d), ST_UNSUPPORTED);
    expect_words("Parquet");
    stream_close(m.stream);
    str_drop(&m.buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_values_however_broken),
        cmocka_unit_test(an_array_gives_its_elements),
        cmocka_unit_test(long_files_come_piece_by_piece),
        cmocka_unit_test(a_value_that_is_too_long_is_passed_over),
        cmocka_unit_test(parquet_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
