#include "eval/static/languages.h"

#include "eval/static/scripted_test.h"

static void the_table_is_sound(void **state)
{
    (void)state;
    for (const Language *l = languages; l->name; l++) {
        assert_ptr_equal(language_find(l->name), l);
        assert_ptr_equal(language_find(l->key ? l->key : l->name), l);
        assert_true(l->title && l->file && l->run && l->program && l->fences && *l->fences);
        for (const Language *other = l + 1; other->name; other++)
            assert_string_not_equal(l->name, other->name);
    }
    assert_string_equal(language_find("go_test.go")->name, "go");
    assert_null(language_find("brainfuck"));
    assert_null(language_find(""));
}

static void expect(const Language *l, const char *program, double seconds, CodeVerdict verdict,
                   const char *says)
{
    CodeMark m = {0};
    if (language_run(&m, l, span(program), seconds) != ST_OK)
        fail_msg("%s", error_text());
    if (m.verdict != verdict || !strstr(str_c(&m.says), says))
        fail_msg("%s\nis \"%s\": %s", program, code_verdict_names[m.verdict], str_c(&m.says));
    str_drop(&m.says);
}

static const Language *needs(const char *name)
{
    needs_sandbox();
    const Language *l = language_find(name);
    if (language_probe(l) == ST_OK)
        return l;
    print_message("SKIP %s\n", error_text());
    skip();
    return NULL;
}

static void compilers_and_programs_fail_apart(void **state)
{
    (void)state;
    const Language *cpp = needs("cpp");
    expect(cpp, "int main() { return missing; }", 5, CODE_NO_PROGRAM, "missing");
    expect(cpp, "#error built\nint main() {}", 5, CODE_NO_PROGRAM, "built");
    expect(cpp, "int main() { return 0; }", 5, CODE_RIGHT, "");
    expect(cpp, "int main() { return 3; }", 5, CODE_WRONG, "");
    expect(cpp, "int main() { return 124; }", 5, CODE_WRONG, ""); /* what coreutils' timeout says */
    expect(cpp, "#include <assert.h>\nint main() { assert(1 == 2); }", 5, CODE_WRONG, "1 == 2");
    expect(cpp, "int main() { *(volatile int *)0 = 1; }", 5, CODE_RAISED, "signalled");
    expect(cpp, "int main() { for (;;) {} }", 0.5, CODE_TIME, "");
    expect(cpp, "#include <csignal>\nint main() { signal(SIGTERM, SIG_IGN); for (;;) {} }", 0.5, CODE_TIME,
           "");
}

static void programs_have_no_input_and_may_print_much(void **state)
{
    (void)state;
    const Language *py = needs("py");
    expect(py, "import sys\nassert sys.stdin.read() == ''\nprint('x' * 5000000)", 10, CODE_RIGHT, "");
    expect(py, "while True: print('x' * 1000000)", 10, CODE_RAISED, "output");
    expect(py, "(", 5, CODE_NO_PROGRAM, "SyntaxError");
    expect(py, "print('SyntaxError')", 5, CODE_RIGHT, "");
}

static void words_that_mean_failure(void **state)
{
    (void)state;
    const Language *pl = needs("pl");
    expect(pl, "print 'ok!';", 5, CODE_RIGHT, "");
    expect(pl, "print 'ERROR';", 5, CODE_WRONG, "ERROR");
    Language quiet = *pl;
    quiet.quiet = true;
    expect(&quiet, "print 'ok!';", 5, CODE_RIGHT, "");
    expect(&quiet, "print STDERR 'a warning';", 5, CODE_WRONG, "a warning");
}

static void missing_tools_are_named(void **state)
{
    (void)state;
    needs_sandbox();
    Language none = {.title = "None",
                     .file = "x",
                     .run = "no-such-tool x",
                     .program = "no-such-tool",
                     .package = "no-package",
                     .fences = "none"};
    assert_int_equal(language_probe(&none), ST_UNSUPPORTED);
    expect_words("None: no no-such-tool in /usr (Debian: apt-get install no-package)");
    none.program = "sh";
    none.probe = "echo the library is missing >&2; exit 1";
    none.package = NULL;
    assert_int_equal(language_probe(&none), ST_UNSUPPORTED);
    expect_words("the library is missing");
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(compilers_and_programs_fail_apart),
        cmocka_unit_test(programs_have_no_input_and_may_print_much),
        cmocka_unit_test(words_that_mean_failure),
        cmocka_unit_test(missing_tools_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
