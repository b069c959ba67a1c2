/* Rows as Python's csv.reader gives them (CPython 3.11, io.StringIO(text, newline="")), and other
 * text. */
#include "eval/csv.h"

#include <stdlib.h>
#include <string.h>

#include "base/scratch_test.h"

/* Fields end with '|', rows with '/'. */
static void rows(const char *text, size_t n, const char *want)
{
    Str out = {0};
    Csv c = csv_open((Span){text, n});
    Status st;
    while ((st = csv_next(&c)) == ST_OK && c.fields) {
        for (size_t i = 0; i < c.fields; i++) {
            Span f = csv_field(&c, i);
            str_add(&out, f.at, f.n);
            str_addc(&out, '|');
        }
        str_addc(&out, '/');
    }
    if (st != ST_OK)
        str_adds(&out, strstr(error_text(), "cut off") ? "cut" : "no text");
    if (strcmp(str_c(&out), want))
        fail_msg("'%s' gives '%s', not '%s'", text, str_c(&out), want);
    csv_drop(&c);
    str_drop(&out);
}

static void read_as(const char *text, const char *want)
{
    rows(text, strlen(text), want);
}

static void rows_and_fields(void **state)
{
    (void)state;
    read_as("a,b\nc,d\n", "a|b|/c|d|/");
    read_as("a,b\r\nc,d", "a|b|/c|d|/");
    read_as("a\rb", "a|/b|/");
    read_as("", "");
    read_as("\n\n\r\n", "");
    read_as("a\n\n\nb", "a|/b|/");
    read_as(",", "||/");
    read_as("a,\n,b\n", "a||/|b|/");
    read_as("\xEF\xBB\xBF\"a\",b", "a|b|/");
    read_as(" a , b ", " a | b |/"); /* white space is text */
}

static void quotes(void **state)
{
    (void)state;
    read_as("\"a,b\",c", "a,b|c|/");
    read_as("\"a\nb\r\nc\",d\n", "a\nb\r\nc|d|/");
    read_as("\"say \"\"hi\"\"\",x", "say \"hi\"|x|/");
    read_as("\"\"\"\"", "\"|/");
    read_as("\"\",\"\"", "||/");
    read_as("\"\"", "|/");
    read_as("5\" pipe,it's", "5\" pipe|it's|/");
    read_as("\"a\"b,c", "ab|c|/");
    read_as("\"a\"b\"c\",d", "ab\"c\"|d|/");
    read_as(" \"a,b\"", " \"a|b\"|/");
}

static void cut_and_hostile(void **state)
{
    (void)state;
    read_as("a,\"b", "cut");
    read_as("x\na,\"b\n\n\n", "x|/cut");
    read_as("\"", "cut");
    rows("a\0b,c", 5, "no text");
    Csv c = csv_open(span("1\n\"2\n3\",4\n\"5\n6"));
    assert_int_equal(csv_next(&c), ST_OK);
    assert_int_equal(csv_next(&c), ST_OK);
    assert_int_equal(c.fields, 2);
    for (int i = 0; i < 3; i++) { /* every later call says the same */
        assert_int_equal(csv_next(&c), ST_FORMAT);
        expect_words("line 4: a quote is never closed");
        assert_int_equal(c.fields, 0);
    }
    csv_drop(&c);
}

/* Every beginning of a file is rows, or is cut; what came whole is the same. */
static void every_truncation(void **state)
{
    (void)state;
    static const char text[] = "q1,\"a, \"\"b\"\"\",c\r\n\"two\nlines\",,\"x\"\n";
    for (size_t n = 0; n < sizeof text; n++) {
        char *cut = malloc(n ? n : 1); /* no byte behind it */
        assert_non_null(cut);
        memcpy(cut, text, n);
        Csv c = csv_open((Span){cut, n});
        int whole = 0;
        Status st;
        while ((st = csv_next(&c)) == ST_OK && c.fields)
            whole++;
        assert_true(whole <= 2 && (st == ST_OK || st == ST_FORMAT || n == sizeof text));
        assert_true(n < sizeof text - 1 || n == sizeof text || whole == 2);
        csv_drop(&c);
        free(cut);
    }
}

static void many_fields(void **state)
{
    (void)state;
    Str text = {0};
    for (int i = 0; i < 100000; i++)
        str_adds(&text, ",");
    Csv c = csv_open(str_span(&text));
    assert_int_equal(csv_next(&c), ST_OK);
    assert_int_equal(c.fields, 100001);
    assert_int_equal(csv_field(&c, 100000).n, 0);
    csv_drop(&c);
    str_drop(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_fields),  cmocka_unit_test(quotes),      cmocka_unit_test(cut_and_hostile),
        cmocka_unit_test(every_truncation), cmocka_unit_test(many_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
