#include "eval/static/ds1000.h"

#include "eval/static/scripted_test.h"

/* Ours, in DS-1000's format.  `result` is to be the sum; the context's test also refuses the word `for`. */
static const char context[] =
    "import copy\n\n\ndef generate_test_case(test_case_id):\n    def define_test_input(test_case_id):\n"
    "        if test_case_id == 1:\n            a = [1, 2]\n        if test_case_id == 2:\n            a = "
    "[5]\n"
    "        return a\n\n    test_input = define_test_input(test_case_id)\n"
    "    expected_result = sum(copy.deepcopy(test_input))\n    return test_input, expected_result\n\n\n"
    "def exec_test(result, ans):\n    try:\n        assert result == ans\n        return 1\n    except:\n    "
    "    return 0\n\n\n"
    "exec_context = r\"\"\"\nimport %s\na = test_input\n[insert]\n\"\"\"\n\n\n"
    "def test_execution(solution: str):\n    code = exec_context.replace(\"[insert]\", solution)\n    for i "
    "in range(2):\n"
    "        test_input, expected_result = generate_test_case(i + 1)\n        test_env = {\"test_input\": "
    "test_input}\n"
    "        exec(code, test_env)\n        assert exec_test(test_env[\"result\"], expected_result)\n";
static const char string_test[] =
    "\n\ndef test_string(solution: str):\n    assert \"for\" not in solution.split()\n";

static void add_line(Str *lines, int id, const char *library, const char *module, bool strings)
{
    Str text = {0};
    str_addf(&text, context, module);
    str_adds(&text, strings ? string_test : "");
    json_t *q =
        json_pack("{s:s, s:s, s:s, s:{s:i, s:s, s:s}}", "prompt",
                  "Problem:\nimport nothing_here\nSum `a`.\n\nA:\n<code>\nimport copy\na = [1, 2]\n</code>\n"
                  "result = ... # put solution in this variable\nBEGIN SOLUTION\n<code>\n",
                  "reference_code", "result = sum(a)", "code_context", str_c(&text), "metadata", "problem_id",
                  id, "library", library, "perturbation_type", "Origin");
    char *line = json_dumps(q, 0);
    str_addf(lines, "%s\n", line);
    free(line);
    json_decref(q);
    str_drop(&text);
}

static void open_own(Bench *x)
{
    Str lines = {0};
    add_line(&lines, 0, "Pandas", "math", false);
    add_line(&lines, 1, "Numpy", "math", true);
    add_line(&lines, 2, "Pytorch", "lemur_no_such_module", false);
    add_line(&lines, 3, "Scipy", "os.path as p, lemur_no_such_module", false);
    str_adds(&lines, "{\"prompt\": \"\"}\n");
    scratch_write("ds1000/ds1000.jsonl", lines.at, lines.n);
    str_drop(&lines);
    if (bench_open(x, &ds1000, scratch) != ST_OK)
        fail_msg("%s", error_text());
}

static void questions_of_missing_libraries_are_left_out(void **state)
{
    (void)state;
    needs_sandbox();
    Bench x = {0};
    open_own(&x);
    assert_int_equal(x.questions.all.n, 2);
    assert_int_equal(x.questions.left_out, 2);
    assert_int_equal(x.questions.bad, 1);
    assert_string_equal(x.questions.all.at[0].part, "Pandas");
    assert_string_equal(x.questions.all.at[1].part, "Numpy");
    bench_close(&x);
    Str lines = {0};
    add_line(&lines, 2, "Pytorch", "lemur_no_such_module", false);
    scratch_write("ds1000/ds1000.jsonl", lines.at, lines.n);
    str_drop(&lines);
    Bench none = {0};
    assert_int_equal(bench_open(&none, &ds1000, scratch), ST_UNSUPPORTED);
    bench_close(&none);
}

static void answers_are_read_as_published(void **state)
{
    (void)state;
    needs_sandbox();
    Bench x = {0};
    open_own(&x);
    const Question *q = question(&x, "0"), *strings = question(&x, "1");
    expect_verdict(&x, q, "result = sum(a)\n</code>\nmore words", "right", "published");
    expect_verdict(&x, q, "<code>\nresult = sum(a)\n", "right", "published");
    expect_verdict(&x, q, "```python\nresult = sum(a)\n```\nThat is it.", "right", "published");
    expect_verdict(&x, q, "result = sum(a)\nEND SOLUTION\nwords", "right", "published");
    expect_verdict(&x, q, "Use sum:\n```python\nresult = sum(a)\n```", "right", "fence");
    expect_verdict(&x, q, "- Use\n  - sum:\n\n    ```python\n    result = sum(a)\n    ```", "right", "fence");
    expect_verdict(&x, q, "result = \"\\n\\t'\\\"\" and sum(a) # \xc3\xa4\n", "right", "published");
    expect_verdict(&x, q, "result = sum(a) + 1", "wrong", NULL);
    expect_verdict(&x, q, "other = sum(a)", "raised", NULL);
    expect_verdict(&x, q, "result = sum(a", "no program", NULL);
    expect_verdict(&x, q, "import sys\nsys.exit(0)", "raised", NULL);
    expect_verdict(&x, strings, "result = sum(a)", "right", NULL);
    expect_verdict(&x, strings, "result = 0\nfor x in a:\n    result += x", "wrong", NULL);
    assert_int_equal(x.model.stops_n, 2);
    x.settings.program_seconds = 0.5;
    expect_verdict(&x, q, "while True: pass", "time", NULL);
    bench_close(&x);
}

static void the_system_message_is_data(void **state)
{
    (void)state;
    needs_sandbox();
    Bench x = {0};
    scratch_text("ds1000/system.txt", "Only code.\n");
    open_own(&x);
    Sample s = bench_ask(&x, question(&x, "0"), "result = sum(a)");
    assert_true(span_starts(str_span(&x.model.prompt), "Only code.Problem:"));
    assert_string_equal(json_string_value(s.target), "result = sum(a)");
    sample_drop(&s);
    bench_close(&x);
    unlink(in_scratch("ds1000/system.txt"));
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_of_missing_libraries_are_left_out),
        cmocka_unit_test(answers_are_read_as_published),
        cmocka_unit_test(the_system_message_is_data),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
