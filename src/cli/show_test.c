#include "cli/show.h"

#include "base/scratch_test.h"

static char *text;
static size_t text_n;
static FILE *out;

static void begin(void)
{
    out = open_memstream(&text, &text_n);
}

static void expect(const char *words)
{
    fclose(out);
    assert_string_equal(text, words);
    free(text);
    text = NULL;
}

static void nothing_governs_the_terminal(void **state)
{
    (void)state;
    begin();
    show_text(out, span("a\tb\n\033]0;x\007\rc\177 \302\233 \303\251\342\202\254"), true);
    expect("a\tb\n^[]0;x^G^Mc^? ^? \303\251\342\202\254");
    begin();
    show_text(out, span("if x:\342\200\256 evil \342\201\246"), true);
    expect("if x:<U+202E> evil <U+2066>");
    begin();
    show_text(out, span("\033[2J"), false);
    expect("\033[2J");
    begin();
    show_text(out, (Span){NULL, 0}, false);
    show_text(out, (Span){"\0\377\302", 3}, true); /* bytes that are no UTF-8 do no harm */
    expect("^@\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void lines_have_a_margin(void **state)
{
    (void)state;
    begin();
    show_lines(out, span("one\n\ntwo"), "  | ", 0, true);
    expect("  | one\n  | \n  | two\n");
    begin();
    show_lines(out, span("1\n2\n3\n4\n"), "| ", 2, true);
    expect("| 1\n| 2\n| (2 more lines)\n");
    begin();
    show_lines(out, span(""), "| ", 2, true);
    expect("");
}

static void note(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    show_note(out, stdout, fmt, args);
    va_end(args);
}

static void a_note_may_quote_anything(void **state)
{
    (void)state;
    begin();
    note("no %s in %d", "\033[2Jfile\nhere", 7);
    expect("no ^[[2Jfile\nhere in 7\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_governs_the_terminal),
                                       cmocka_unit_test(lines_have_a_margin),
                                       cmocka_unit_test(a_note_may_quote_anything)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
