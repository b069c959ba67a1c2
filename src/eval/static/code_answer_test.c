#include "eval/static/code_answer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static const char *const python[] = {"python", "py", NULL};

static void expect_span(Span s, const char *text)
{
    if (!span_is(s, text))
        fail_msg("\"%.*s\" is not \"%s\"", (int)s.n, s.at, text);
}

static void expect_block(const char *text, const char *block)
{
    Span out = {0};
    bool found = code_block(span(text), python, &out);
    assert_int_equal(found, block != NULL);
    if (block)
        expect_span(out, block);
}

static void blocks_are_found(void **state)
{
    (void)state;
    expect_block("Here:\n```python\nx = 1\n```\nand\n```python\ny\n```\n", "x = 1\n");
    expect_block("```\na\n```\n```Python\nb\n```", "b\n"); /* the language wins, then none, then any */
    expect_block("```bash\na\n```\n```\nb\n```", "b\n");
    expect_block("```bash\na\n```", "a\n");
    expect_block("```py title=x\na\n```", "a\n");
    expect_block("   ```py\na\n   ```  \nb", "a\n");
    expect_block("    ```py\na\n", NULL); /* indented by four: text */
    expect_block("```py\nnever closed\n", "never closed\n");
    expect_block("~~~py\na\n```\nb\n~~~\n", "a\n```\nb\n");
    expect_block("````py\na\n```\nb\n````\n", "a\n```\nb\n");
    expect_block("```py\n```", "");
    expect_block("the ```py``` of it", NULL);
    expect_block("``` a ` b\nx\n", NULL);
    expect_block("", NULL);
}

static void expect_left(const char *text, const char *want)
{
    Str own = {0};
    expect_span(code_fences_left(&own, span(text)), want);
    str_drop(&own);
}

/* As models write them in lists. */
static void fences_in_lists_are_moved_left(void **state)
{
    (void)state;
    expect_left("1. So:\n   ```python\n   def f():\n       x\n\n   ```\n2. Done.",
                "1. So:\n```python\ndef f():\n    x\n\n```\n2. Done.");
    expect_left("- a\n  - b\n\n      ~~~\n      x\n    y\n z\n      ~~~\n    t\n",
                "- a\n  - b\n\n~~~\nx\ny\nz\n~~~\n    t\n");
    expect_left("10) a\n\t```\n\tif x:\n\t\ty\n\t```", "10) a\n```\nif x:\n\ty\n```");
    expect_left(" ```\n x\n    ```\n", "```\nx\n   ```\n"); /* the closing one may be indented, too */
    expect_left("```\n    x\n```\n", "```\n    x\n```\n");
    expect_left("Text\n\n    ```py\n    x\n    ```", "Text\n\n    ```py\n    x\n    ```"); /* indented code */
    expect_left("```\n- x\n    ```\n    y\n```\n", "```\n- x\n    ```\n    y\n```\n");
    expect_left("1.x\n-y\n     ```\n", "1.x\n-y\n     ```\n"); /* no items */
    expect_left("", "");
}

static void open_fences_are_closed(void **state)
{
    (void)state;
    expect_span(code_open_block(span("x = 1\n```\nwords"), python, true), "x = 1\n");
    expect_span(code_open_block(span("```python\nx = 1\n```\nwords"), python, true), "x = 1\n");
    expect_span(code_open_block(span("words\n```python\nx = 1\n```"), python, true), "x = 1\n");
    expect_span(code_open_block(span("\n```\nx = 1\n```"), python, true), "x = 1\n");
    expect_span(code_open_block(span("x = 1"), python, true), "x = 1");
    expect_span(code_open_block(span(""), python, true), "");
    expect_span(code_open_block(span("Here it is:\n```\ndef f(x): x\n```\nwords"), python, false), "def f(x): x\n");
    expect_span(code_open_block(span("Here it is:\n```\ndef f(x): x\n```\n"), python, true), "Here it is:\n");
    expect_span(code_open_block(span("def f(x): x\n```\nSo:\n```\nf(1)\n```\n"), python, false), "def f(x): x\n");
    expect_span(code_open_block(span("x = 1\n```\nwords"), python, false), "x = 1\n");
}

static void stops_cut_at_the_first(void **state)
{
    (void)state;
    json_t *array = json_pack("[s, s, i, s]", "\ndef", "\n#", 3, "");
    CodeStops stops = {0};
    code_stops(&stops, array);
    assert_int_equal(stops.n, 2);
    expect_span(code_cut(span("a\n# b\ndef c"), stops.at, stops.n), "a");
    expect_span(code_cut(span("def c"), stops.at, stops.n), "def c");
    code_stops(&stops, NULL);
    expect_span(code_cut(span("a\n# b"), stops.at, stops.n), "a\n# b");
    array_drop(&stops);
    json_decref(array);
}

static void definitions_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at;
    } cases[] = {
        {"def f(x):", 0},
        {"x\nasync  def f():", 18},
        {"x\nasync def  f (x):", 2},
        {"f = lambda x: x", 0},
        {"class f:", 0},
        {"def ff(x):", 11},
        {" def f(x):", 11},
        {"f == 1", 7},
        {"f(3)", 5},
        {"a\nb\ndef f", 4},
        {"deff(x)", 8},
        {"", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (code_python_definition(span(cases[i].text), "f") != cases[i].at)
            fail_msg("%s: %zu", cases[i].text, code_python_definition(span(cases[i].text), "f"));
}

static void expect_module(const char *answer, bool plain, CodeRule rule, const char *module)
{
    static const char stub[] = "import a\ndef f(x):\n    \"\"\"f\"\"\"\n";
    static const char *const stops[] = {"\ndef"};
    Str out = {0};
    CodeRule got = code_python_module(&out, span(stub), "f", span(answer), plain, stops, 1);
    if (got != rule || strcmp(str_c(&out), module) != 0)
        fail_msg("%s, by %s:\n%s", answer, code_rule_names[got], str_c(&out));
    str_drop(&out);
}

#define STUB "import a\ndef f(x):\n    \"\"\"f\"\"\"\n"

static void modules_are_put_together(void **state)
{
    (void)state;
    expect_module("    return 1\ndef g(): pass", false, CODE_CONTINUES, STUB "    return 1");
    expect_module("    return 1\ndef f(): pass", true, CODE_CONTINUES, STUB "    return 1");
    expect_module("def f(x):\n    return g(x)\ndef g(x): return x", false, CODE_WHOLE,
                  "import a\ndef f(x):\n    return g(x)\ndef g(x): return x");
    expect_module("return 1", false, CODE_INDENTED, STUB "    return 1\n");
    expect_module("return 1", true, CODE_CONTINUES, STUB "return 1");
    expect_module("x = 1\n    return x", false, CODE_INDENTED, STUB "    x = 1\n    return x\n");
    expect_module("for a in x:\n        b\n    c", false, CODE_INDENTED,
                  STUB "    for a in x:\n        b\n    c\n");
    expect_module("for a in x:\n    b\n\nc", false, CODE_INDENTED,
                  STUB "    for a in x:\n        b\n\n    c\n");
    expect_module("if a:\n    return 1", false, CODE_INDENTED, STUB "    if a:\n        return 1\n");
    expect_module("\n  return 1", false, CODE_CONTINUES, STUB "\n  return 1");
}

static void literals_come_back(void **state)
{
    (void)state;
    Str out = {0};
    code_python_literal(&out, (Span){"a\"\\\n\t\r\0'\xc3\xa4\xff\x7f", 12});
    assert_string_equal(str_c(&out), "\"a\\\"\\\\\\n\\x09\\x0d\\x00'\xc3\xa4\xef\xbf\xbd\\x7f\"");
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_found),         cmocka_unit_test(fences_in_lists_are_moved_left),
        cmocka_unit_test(open_fences_are_closed),
        cmocka_unit_test(stops_cut_at_the_first),   cmocka_unit_test(definitions_are_found),
        cmocka_unit_test(modules_are_put_together), cmocka_unit_test(literals_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
