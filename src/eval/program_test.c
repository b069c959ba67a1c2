/* Verdicts on small programs, on clumsy and hostile ones, and on the reference solutions of HumanEval and
 * MBPP under $LEMUR_DATA, or ../shared/data: they pass, and fail with their bodies taken out.  Of the
 * references every eighth; `program_test all` takes all of them (docs/checks.md). */
#include "eval/program.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/data_test.h"
#include "base/file.h"
#include "base/stream.h"
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static bool all_references;

/* The verdict's name; *v stays for more questions. */
static const char *verdict(ProgramVerdict *v, const char *text, double seconds)
{
    Status st = program_run(v, &(ProgramSpec){.text = span(text), .seconds = seconds});
    if (st == ST_UNSUPPORTED) {
        printf("SKIP %s\n", error_text());
        skip();
    }
    if (st != ST_OK)
        fail_msg("%s", error_text());
    return program_end_names[v->end];
}

static void endings(void **state)
{
    (void)state;
    static const struct {
        const char *text, *end, *said;
    } cases[] = {
        {"def f(): return 1\nassert f() == 1", "passed", ""},
        {"assert 1 == 2, 'not so'", "wrong", "AssertionError: not so"},
        {"x = 1 / 0", "raised", "ZeroDivisionError: division by zero"},
        {"```python\nx = 1\n```", "raised", "SyntaxError: invalid syntax"},
        {"import sys\nsys.exit(0)", "raised", "SystemExit: 0"},
        {"import os\nos._exit(0)", "died", "exited 0"},
        {"import ctypes\nctypes.string_at(0)", "died", "signalled 11"},
        {"print('passed\\n' * 1000000)", "passed", ""},
        {"input()", "raised", "OSError"},
        {"import sys\nsys.stdin.read()", "raised", "OSError"},
        {"exit()", "raised", "TypeError: 'NoneType' object is not callable"},
        {"import os\nos.remove('x')", "raised", "TypeError: 'NoneType' object is not callable"},
        {"import shutil\nshutil.rmtree('/tmp')", "raised", "TypeError: 'NoneType' object is not callable"},
        {"import subprocess\nsubprocess.run(['true'])", "raised",
         "TypeError: 'NoneType' object is not callable"},
        {"import psutil", "raised", "ModuleNotFoundError: import of psutil halted; None in sys.modules"},
        {"assert __name__ == 'builtins'\nimport os\nassert os.listdir('.') == []", "passed", ""},
        {"open('left', 'w').write('x')", "passed", ""},
        {"import os\nassert not os.path.exists('left')", "passed", ""},
        {"import posix\nposix.fork()", "passed", ""},
        {"raise Exception('a\\nb\\xe4\\ud800')", "raised", "Exception: a b\xc3\xa4?"},
        {"class E(Exception):\n def __str__(self): raise ValueError\nraise E", "raised", "E"},
        /* What is written without the nonce is nobody's verdict. */
        {"import os\nfor fd in range(99):\n try: os.write(fd, b'passed\\n')\n except OSError: "
         "pass\nos._exit(0)",
         "died", "exited 0"},
        {"", "passed", ""},
    };
    ProgramVerdict v = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *end = verdict(&v, cases[i].text, 0);
        if (strcmp(end, cases[i].end) != 0 || strcmp(str_c(&v.said), cases[i].said) != 0)
            fail_msg("%s\nis \"%s\", \"%s\" and should be \"%s\", \"%s\"", cases[i].text, end, str_c(&v.said),
                     cases[i].end, cases[i].said);
    }
    program_verdict_drop(&v);
}

static void what_runs_too_long_is_ended(void **state)
{
    (void)state;
    ProgramVerdict v = {0};
    double start = clock_now();
    assert_string_equal(verdict(&v, "while True: pass", 0.3), "timed out");
    assert_string_equal(verdict(&v, "while True:\n try:\n  while True: pass\n except Exception: pass", 0.3),
                        "timed out");
    /* The originals let a program that swallows its alarm pass within the second that follows. */
    assert_string_equal(
        verdict(&v, "try:\n while True:\n  for i in range(9): len([])\nexcept Exception: pass", 0.3),
        "passed");
    assert_true(clock_now() - start < 20);
    program_verdict_drop(&v);
}

static void times_and_bytes_that_are_none(void **state)
{
    (void)state;
    ProgramVerdict v = {0};
    Span text = {"x = '\0'", 7};
    assert_int_equal(program_run(&v, &(ProgramSpec){.text = text, .seconds = -1}), ST_ARG);
    (void)verdict(&v, "", 0);
    assert_int_equal(program_run(&v, &(ProgramSpec){.text = text}), ST_OK);
    assert_int_equal(v.end, PROGRAM_RAISED);
    text = (Span){"x = '\xff'", 7};
    assert_int_equal(program_run(&v, &(ProgramSpec){.text = text}), ST_OK);
    assert_int_equal(v.end, PROGRAM_RAISED);
    program_verdict_drop(&v);
}

static void mint_joins_solution_and_tests(void **state)
{
    (void)state;
    ProgramVerdict v = {0};
    (void)verdict(&v, "", 0);
    assert_int_equal(program_test(&v, span("def f():\n    return 1"), span("assert f() == 1"), 0), ST_OK);
    assert_int_equal(v.end, PROGRAM_PASSED);
    assert_int_equal(program_test(&v, span("def f():\n    return 2"), span("assert f() == 1"), 0), ST_OK);
    assert_int_equal(v.end, PROGRAM_WRONG);
    program_verdict_drop(&v);
}

/* ---- reference solutions ------------------------------------------------------------------------------- */

/* A benchmark's rows, each with the text of a program that must pass and of one that must not. */
typedef struct {
    Array(char *) names;
    Array(Str) good, hollow;
    int64_t passed, hollow_passed;
} References;

static const char *field(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    if (!text)
        fail_msg("a row has no %s", key);
    return text;
}

/* The same code with every function's body replaced by `pass`, which Python does itself. */
static void add_hollow(Str *out, const char *code)
{
    json_t *text = json_string(code);
    char *literal = json_dumps(text, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    str_addf(out,
             "import ast\ntree = ast.parse(%s)\nfor node in ast.walk(tree):\n"
             "    if isinstance(node, ast.FunctionDef): node.body = [ast.Pass()]\n"
             "exec(compile(ast.fix_missing_locations(tree), 'hollow', 'exec'))\n",
             literal);
    free(literal);
    json_decref(text);
}

static void add_reference(References *r, const char *name, const char *code, const char *tests)
{
    Str good = {0}, hollow = {0};
    str_addf(&good, "%s\n%s\n", code, tests);
    add_hollow(&hollow, code);
    str_addf(&hollow, "%s\n", tests);
    array_push(&r->names, mem_str(name));
    array_push(&r->good, good);
    array_push(&r->hollow, hollow);
}

static void humaneval(References *r, const char *path)
{
    StreamReader *stream;
    LineReader lines = {0};
    const char *member;
    Span line;
    bool cut;
    assert_int_equal(stream_open(&stream, path), ST_OK);
    assert_int_equal(stream_next(stream, &member), ST_OK);
    lines_start(&lines, stream);
    while (lines_next(&lines, 1 << 20, &line, &cut) == ST_OK && line.at) {
        json_t *row = json_loadb(line.at, line.n, 0, NULL);
        char *code = mem_format("%s%s", field(row, "prompt"), field(row, "canonical_solution"));
        char *tests = mem_format("%s\ncheck(%s)", field(row, "test"), field(row, "entry_point"));
        add_reference(r, field(row, "task_id"), code, tests);
        mem_free(code);
        mem_free(tests);
        json_decref(row);
    }
    lines_drop(&lines);
    stream_close(stream);
}

static void mbpp(References *r, const char *path)
{
    json_t *rows = json_load_file(path, 0, NULL), *row, *test;
    size_t i, k;
    assert_true(json_is_array(rows));
    json_array_foreach(rows, i, row)
    {
        Str tests = {0};
        char name[32];
        str_addf(&tests, "%s\n", field(row, "test_setup_code"));
        json_array_foreach(json_object_get(row, "tests"), k, test)
            str_addf(&tests, "%s\n", json_string_value(test));
        snprintf(name, sizeof name, "MBPP/%lld", json_integer_value(json_object_get(row, "task_id")));
        add_reference(r, name, field(row, "gold"), str_c(&tests));
        str_drop(&tests);
    }
    json_decref(rows);
}

static void run_reference(void *context, int64_t task, int thread)
{
    (void)thread;
    References *r = context;
    int64_t i = task / 2 * (all_references ? 1 : 8);
    bool hollow = task % 2;
    const Str *text = hollow ? &r->hollow.at[i] : &r->good.at[i];
    ProgramVerdict v = {0};
    Status st = program_run(&v, &(ProgramSpec){.text = str_span(text), .seconds = 10});
    bool passed = st == ST_OK && v.end == PROGRAM_PASSED;
    if (st != ST_OK)
        printf("  %s could not be run: %s\n", r->names.at[i], error_text());
    else if (passed == hollow)
        printf("  %s%s: %s, %s\n", r->names.at[i], hollow ? " without bodies" : "", program_end_names[v.end],
               str_c(&v.said));
    if (passed)
        __atomic_fetch_add(hollow ? &r->hollow_passed : &r->passed, 1, __ATOMIC_RELAXED);
    program_verdict_drop(&v);
}

static void references_pass(const char *file, void (*load)(References *r, const char *path), int64_t whole,
                            int64_t hollow_may)
{
    char *path = path_join(data_folder(), file);
    ProgramVerdict v = {0};
    (void)verdict(&v, "", 0);
    program_verdict_drop(&v);
    if (!path_exists(path)) {
        printf("SKIP no %s (set LEMUR_DATA)\n", path);
        mem_free(path);
        skip();
    }
    References r = {0};
    load(&r, path);
    mem_free(path);
    assert_int_equal(r.names.n, whole);
    int64_t n = all_references ? whole : (whole + 7) / 8;
    double start = clock_now();
    thread_each(2 * n, 2, run_reference, &r);
    double seconds = clock_now() - start;
    printf("%s: %lld of %lld references pass, %lld of %lld without bodies; %.1f programs/s\n", file,
           (long long)r.passed, (long long)n, (long long)r.hollow_passed, (long long)n,
           2 * (double)n / seconds);
    for (size_t i = 0; i < r.names.n; i++) {
        mem_free(r.names.at[i]);
        str_drop(&r.good.at[i]);
        str_drop(&r.hollow.at[i]);
    }
    array_drop(&r.names);
    array_drop(&r.good);
    array_drop(&r.hollow);
    assert_int_equal(r.passed, n);
    assert_true(r.hollow_passed <= hollow_may);
}

static void humaneval_references(void **state)
{
    (void)state;
    references_pass("humaneval/HumanEval.jsonl.gz", humaneval, 164, 0);
}

static void mbpp_references(void **state)
{
    (void)state;
    references_pass("mbpp/ic_mbpp.json", mbpp, 974, 0);
}

int main(int argc, char **argv)
{
    all_references = argc > 1 && strcmp(argv[1], "all") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endings),
        cmocka_unit_test(what_runs_too_long_is_ended),
        cmocka_unit_test(times_and_bytes_that_are_none),
        cmocka_unit_test(mint_joins_solution_and_tests),
        cmocka_unit_test(humaneval_references),
        cmocka_unit_test(mbpp_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
