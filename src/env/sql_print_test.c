#include "env/sql_print.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

typedef struct {
    const char *text, *python; /* NULL: refused */
} Case;

static void expect(bool (*print)(Str *, Span), const Case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        Str out = {0};
        str_adds(&out, ">");
        bool good = print(&out, span(cases[i].text));
        if (good != (cases[i].python != NULL) || strcmp(str_c(&out) + 1, good ? cases[i].python : "") != 0)
            fail_msg("%s: %s", cases[i].text, str_c(&out));
        str_drop(&out);
    }
}
#define EXPECT(print, cases) expect(print, cases, sizeof cases / sizeof *cases)

static void times_are_pythons(void **state)
{
    (void)state;
    static const Case dates[] = {{"2001-02-03", "datetime.date(2001, 2, 3)"},
                                 {"0000-00-00", NULL},
                                 {"2001-13-01", NULL},
                                 {"2001-02-03 ", NULL},
                                 {"", NULL},
                                 {"2001-02", NULL},
                                 {"2001-02-03x", NULL}};
    static const Case datetimes[] = {
        {"2020-01-02 03:04:05", "datetime.datetime(2020, 1, 2, 3, 4, 5)"},
        {"2020-01-02 03:04:00", "datetime.datetime(2020, 1, 2, 3, 4)"},
        {"2020-01-02 03:04:00.5", "datetime.datetime(2020, 1, 2, 3, 4, 0, 500000)"},
        {"2020-01-02 03:04:05.000007", "datetime.datetime(2020, 1, 2, 3, 4, 5, 7)"},
        {"2020-01-02 03:04:05.0000007", NULL},
        {"2020-01-02", NULL},
        {"0000-00-00 00:00:00", NULL}};
    /* python3 -c 'import datetime; print(repr(datetime.timedelta(...)))' */
    static const Case times[] = {
        {"00:00:00", "datetime.timedelta(0)"},
        {"01:02:03", "datetime.timedelta(seconds=3723)"},
        {"25:00:00", "datetime.timedelta(days=1, seconds=3600)"},
        {"-00:00:01", "datetime.timedelta(days=-1, seconds=86399)"},
        {"-24:00:00", "datetime.timedelta(days=-1)"},
        {"00:00:00.25", "datetime.timedelta(microseconds=250000)"},
        {"-838:59:59.000001", "datetime.timedelta(days=-35, seconds=3600, microseconds=999999)"},
        {"--1:00:00", NULL},
        {"1:00", NULL}};
    EXPECT(sql_print_date, dates);
    EXPECT(sql_print_datetime, datetimes);
    EXPECT(sql_print_timedelta, times);
}

static void quotes_are_pythons(void **state)
{
    (void)state;
    Str out = {0};
    sql_print_text(&out, span("it's \\ \n \x7f \xc3\xa9 \xc2\xa0"));
    sql_print_bytes(&out, (Span){"a\0\xc3\"'", 5});
    sql_print_text(&out, (Span){NULL, 0});
    assert_string_equal(str_c(&out), "\"it's \\\\ \\n \\x7f \xc3\xa9 \\xa0\"b'a\\x00\\xc3\"\\''''");
    str_drop(&out);
}

/* Any bytes: refused or printed, never beyond their end. */
static void any_bytes_are_taken(void **state)
{
    (void)state;
    static const char letters[] = "0123456789-:. +ab\xc3\xc2";
    srand(7);
    for (int round = 0; round < 20000; round++) {
        size_t n = (size_t)(rand() % 40);
        char *text = malloc(n + 1); /* its end is the heap's, for the sanitizer */
        Str out = {0};
        for (size_t i = 0; i < n; i++)
            text[i] = letters[rand() % (int)(sizeof letters - 1)];
        Span s = {text, n};
        sql_print_text(&out, s);
        sql_print_bytes(&out, s);
        size_t before = out.n;
        if (!sql_print_date(&out, s) && !sql_print_datetime(&out, s) && !sql_print_timedelta(&out, s))
            assert_int_equal(out.n, before);
        str_drop(&out);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times_are_pythons),
                                       cmocka_unit_test(quotes_are_pythons),
                                       cmocka_unit_test(any_bytes_are_taken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
