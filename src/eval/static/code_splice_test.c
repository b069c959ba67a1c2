#include "eval/static/code_splice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static const char *const stops[] = {"\n}"};

typedef struct {
    const char *language, *prompt, *tests;
} Form;
static const Form
    cpp = {"cpp", "#include <a>\n// f\nlong has_it(long x) {\n", "}\nint main() {}\n"},
    java = {"java", "import a.*;\nclass Problem {\n    // hasIt(1)\n    public static long hasIt(long x) {\n",
            "    }\n    public static void main(String[] args) {\n    }\n}\n"},
    js = {"js", "//has_it(1)\nfunction has_it(x){\n", "test();"},
    go = {"go", "package p\n\nimport (\n    \"testing\"\n    \"fmt\"\n)\n\n// f\nfunc has_it(x int) int {\n",
          "func TestX(t *testing.T) {\n}\n"},
    hs = {"hs", "-- | f\nhasIt :: Int -> Int\nhasIt x =", "\nmain = pure ()"},
    php = {"php", "<?php\n// f\nfunction has_it($x) {\n", "test();"};

static CodeRule splice(Str *out, const Form *f, bool plain, Span answer)
{
    CodeSplice c = {.prompt = span(f->prompt),
                    .tests = span(f->tests),
                    .name = "HumanEval_7_has_it",
                    .language = f->language,
                    .plain = plain,
                    .stops = stops,
                    .stops_n = 1};
    return code_splice(out, &c, answer);
}

static void expect(const Form *f, const char *answer, CodeRule rule, const char *program)
{
    Str out = {0};
    CodeRule got = splice(&out, f, false, span(answer));
    if (got != rule || strcmp(str_c(&out), program) != 0)
        fail_msg("%s, by %s:\n%s\nnot\n%s", answer, code_rule_names[got], str_c(&out), program);
    str_drop(&out);
}

static void answers_that_continue(void **state)
{
    (void)state;
    expect(&cpp, "    return x;\n}\nint main() {}", CODE_CONTINUES,
           "#include <a>\n// f\nlong has_it(long x) {\n    return x;");
    expect(&cpp, "    return has_it(x - 1);\n}", CODE_CONTINUES,
           "#include <a>\n// f\nlong has_it(long x) {\n    return has_it(x - 1);");
    expect(&cpp, "#include <a>\n// f\nlong has_it(long x) {\n    return 1;\n}\nint main() {}", CODE_REPEATS,
           "#include <a>\n// f\nlong has_it(long x) {\n    return 1;");
    expect(&hs, "-- | f\nhasIt :: Int -> Int\nhasIt x = 1", CODE_REPEATS,
           "-- | f\nhasIt :: Int -> Int\nhasIt x = 1");
    Str out = {0};
    assert_int_equal(splice(&out, &cpp, true, span("long has_it(long x) { return x; }\n}")), CODE_CONTINUES);
    assert_true(span_ends(str_span(&out), "{\nlong has_it(long x) { return x; }"));
    str_drop(&out);
}

static void insides_are_put_into_the_prompts_head(void **state)
{
    (void)state;
    expect(&cpp,
           "#include <b>\n#include <a>\nusing namespace std;\nlong g() { return 1; }\n\nint has_it(int "
           "x)\n{\n    if (x) {\n"
           "        return 1;\n    }\n    return g();\n}\n\nint main() {\n    return has_it(1);\n}\n",
           CODE_SPLICED,
           "#include <a>\n// f\n#include <b>\nusing namespace std;\nlong g() { return 1; }\n\nlong "
           "has_it(long x) {\n\n"
           "    if (x) {\n        return 1;\n    }\n    return g();\n");
    expect(&cpp, "long has_it(long x) { return x ? '}' : \"}\"[0]; }", CODE_SPLICED,
           "#include <a>\n// f\nlong has_it(long x) {\n return x ? '}' : \"}\"[0]; ");
    expect(
        &java,
        "import b.*;\nimport a.*;\n\npublic class Main {\n    static long g() {\n        return 1;\n    }\n\n"
        "    public static long hasIt(long x) {\n        return g();\n    }\n}\n",
        CODE_SPLICED,
        "import b.*;\nimport a.*;\nclass Problem {\n    // hasIt(1)\n\n    static long g() {\n        return "
        "1;\n    }\n\n"
        "    public static long hasIt(long x) {\n\n        return g();\n");
    /* A prototype, a call and a comment are no heads. */
    expect(
        &cpp,
        "// has_it(x) {\nlong has_it(long x);\nint y = has_it(3);\nlong has_it(long x) {\n    return 2;\n}\n",
        CODE_SPLICED,
        "#include <a>\n// f\n// has_it(x) {\nlong has_it(long x);\nint y = has_it(3);\nlong has_it(long x) "
        "{\n\n    return 2;\n");
}

static void whole_functions_get_the_prompts_beginning(void **state)
{
    (void)state;
    expect(&js, "const has_it = (x) => x;\n", CODE_WHOLE, "//has_it(1)\nconst has_it = (x) => x;\n");
    expect(&php, "<?php\nfunction has_it($x) {\n    return 1;\n}\n?>\n", CODE_WHOLE,
           "<?php\n// f\nfunction has_it($x) {\n    return 1;\n}\n");
    expect(&hs, "hasIt :: Int -> Int\nhasIt 0 = 1\nhasIt x = 2\n", CODE_WHOLE,
           "-- | f\nhasIt :: Int -> Int\nhasIt 0 = 1\nhasIt x = 2\n");
    expect(&go,
           "package main\n\nimport (\n\t\"fmt\"\n\t\"sort\"\n)\n\nfunc has_it(x int) int {\n\treturn 1\n}\n",
           CODE_WHOLE,
           "package p\n\nimport (\n    \"testing\"\n    \"fmt\"\n)\n\n// f\nimport \"sort\"\nfunc has_it(x "
           "int) int {\n\treturn 1\n}\n");
    expect(&go, "import \"sort\"\nfunc has_it(x int) int { return 1 }", CODE_WHOLE,
           "package p\n\nimport (\n    \"testing\"\n    \"fmt\"\n)\n\n// f\nimport \"sort\"\nfunc has_it(x "
           "int) int { return 1 }\n");
}

/* Every beginning of an answer, each in memory of its own size, so that a byte too far is seen. */
static void no_beginning_of_an_answer_is_too_short(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "#include <b>\nlong has_it(long x)\n{ \"\\\"}\" '}\n return 'a; }\n}\n",
        "import (\n\"a\"\n\"b\n)\nfunc has_it(x int) int {\n}",
        "<?php\nclass A {\n  public static long hasIt(long x) {\n  }\n}\n?>",
        "hasIt :: x\nhasIt x = (",
    };
    static const Form *const forms[] = {&cpp, &java, &js, &go, &hs, &php};
    for (size_t a = 0; a < sizeof answers / sizeof answers[0]; a++)
        for (size_t n = 0; n <= strlen(answers[a]); n++) {
            char *copy = mem_copy(n ? answers[a] : " ", n ? n : 1);
            for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
                Str out = {0};
                CodeRule rule = splice(&out, forms[f], false, (Span){copy, n});
                assert_true(rule < CODE_RULES);
                str_drop(&out);
            }
            mem_free(copy);
        }
    Str out = {0};
    Form odd = {"cpp", "", ""};
    assert_int_equal(splice(&out, &odd, false, span("long has_it() {}")), CODE_CONTINUES);
    str_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_that_continue),
        cmocka_unit_test(insides_are_put_into_the_prompts_head),
        cmocka_unit_test(whole_functions_get_the_prompts_beginning),
        cmocka_unit_test(no_beginning_of_an_answer_is_too_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
