#include "eval/static/mbpp.h"

#include "eval/static/scripted_test.h"

/* Ours, in the published format: task_id 2 to 4 are examples, 11 and 510 questions, 600 is of another set. */
static void write_own(void)
{
    Str lines = {0};
    static const int ids[] = {1, 2, 3, 4, 11, 510, 600};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        str_addf(&lines,
                 "{\"text\": \"Add %d.\", \"code\": \"def add(x):\\r\\n    return x + %d\", \"task_id\": %d, "
                 "\"test_setup_code\": \"offset = add(0)\", \"test_list\": [\"assert add(1) == 1 + offset\", "
                 "\"assert add(0) == %d\"], \"challenge_test_list\": []}\n",
                 ids[i], ids[i], ids[i], ids[i]);
    str_adds(&lines, "{\"text\": \"no tests\", \"code\": \"\", \"task_id\": 12, \"test_list\": []}\n");
    scratch_write("mbpp/mbpp.jsonl", lines.at, lines.n);
    str_drop(&lines);
}

static void open_own(Bench *x, const char *form)
{
    write_own();
    unlink(in_scratch("mbpp/prompt.txt"));
    if (form)
        scratch_text("mbpp/prompt.txt", form);
    if (bench_open(x, &mbpp, scratch) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(x->questions.all.n, 2);
    assert_int_equal(x->questions.bad, 1);
}

static void without_the_papers_words_a_form_of_our_own(void **state)
{
    (void)state;
    needs_sandbox();
    Bench x = {0};
    open_own(&x, NULL);
    const Question *q = question(&x, "11");
    expect_verdict(&x, q, "def add(x):\n    return x + 11\n```\n", "right", "fence");
    expect_verdict(&x, q, "```python\ndef add(x):\n    return x + 11\n```\nIt adds.", "right", "fence");
    expect_verdict(&x, q, "def add(x):\n    return x + 11\n", "right", "fence");
    expect_verdict(&x, q, "Here is the function:\n```\ndef add(x):\n    return x + 11\n```\nIt adds.", "right",
                   "fence");
    expect_verdict(&x, q, "1. So:\n   ```python\n   def add(x):\n       return x + 11\n   ```", "right", "fence");
    expect_verdict(&x, q, "def add(x):\n    return x + 10\n", "wrong", NULL);
    expect_verdict(&x, q, "def sub(x):\n    return x + 11\n", "raised", NULL);
    expect_verdict(&x, q, "I cannot.", "no program", NULL);
    const char *prompt = str_c(&x.model.prompt);
    assert_non_null(
        strstr(prompt, "Task: Add 2.\nTests:\nassert add(1) == 1 + offset\nassert add(0) == 2\n"));
    assert_non_null(strstr(prompt, "def add(x):\n    return x + 4\n```\n\nTask: Add 11."));
    assert_null(strstr(prompt, "Add 1."));
    assert_null(strstr(prompt, "Add 510."));
    assert_true(span_ends(span(prompt), "Program:\n```python\n"));
    Sample s = bench_ask(&x, q, "def add(x):\n    return x + 11");
    assert_string_equal(json_string_value(json_object_get(s.more, "prompt")), "plain");
    sample_drop(&s);
    bench_close(&x);
}

static void the_papers_words_are_data(void **state)
{
    (void)state;
    needs_sandbox();
    Bench x = {0};
    open_own(&x, "Do: {text} Pass:\n\n{tests}\n[BEGIN]\n{code}\n[DONE]\n\n");
    const Question *q = question(&x, "510");
    expect_verdict(&x, q, "def add(x):\n    return x + 510\n[DONE]\nDo: more", "right", "marks");
    expect_verdict(&x, q, "[BEGIN]\ndef add(x):\n    return x + 510\n[DONE]", "right", "marks");
    expect_verdict(&x, q, "[BEGIN]\n```python\ndef add(x):\n    return x + 510\n```\n[DONE]", "right",
                   "fence");
    expect_verdict(&x, q, "def add(x):\n    return x + 511\n[DONE]\n", "wrong", NULL);
    assert_int_equal(x.model.stops_n, 1);
    assert_true(
        span_ends(str_span(&x.model.prompt),
                  "Do: Add 510. Pass:\n\nassert add(1) == 1 + offset\nassert add(0) == 510\n[BEGIN]\n"));
    assert_non_null(strstr(str_c(&x.model.prompt), "return x + 4\n[DONE]\n\nDo: Add 510."));
    bench_close(&x);
}

static void shots_are_counted(void **state)
{
    (void)state;
    Bench x = {.settings = eval_settings()};
    write_own();
    unlink(in_scratch("mbpp/prompt.txt"));
    x.run.settings = &x.settings;
    x.settings.shots = 5;
    assert_int_equal(bench_open(&x, &mbpp, scratch), ST_FORMAT);
    expect_words("3 of the 5 examples");
    bench_close(&x);
    Bench y = {.settings = eval_settings()};
    y.run.settings = &y.settings;
    y.settings.shots = 10;
    assert_int_equal(bench_open(&y, &mbpp, scratch), ST_ARG);
    bench_close(&y);
    Bench z = {0};
    scratch_text("mbpp/prompt.txt", "Do {text}");
    assert_int_equal(bench_open(&z, &mbpp, scratch), ST_FORMAT);
    expect_words("{code}");
    bench_close(&z);
}

static void data_without_a_task_is_refused(void **state)
{
    (void)state;
    Bench x = {0};
    Str lines = {0};
    unlink(in_scratch("mbpp/prompt.txt"));
    for (int id = 2; id <= 4; id++)
        str_addf(&lines,
                 "{\"text\": \"Add.\", \"code\": \"x\", \"task_id\": %d, \"test_setup_code\": \"\", "
                 "\"test_list\": [\"assert x\"], \"challenge_test_list\": []}\n",
                 id);
    scratch_write("mbpp/mbpp.jsonl", lines.at, lines.n);
    assert_int_equal(bench_open(&x, &mbpp, scratch), ST_FORMAT);
    expect_words("no task from task_id 11 on");
    bench_close(&x);
    str_drop(&lines);
}

/* LEMUR_EVERY=1: all; else every twenty-fifth. */
static size_t stride(void)
{
    const char *set = getenv("LEMUR_EVERY");
    return set && atoi(set) > 0 ? (size_t)atoi(set) : 25;
}

static void references_pass_and_others_do_not(void **state)
{
    (void)state;
    const char *data = data_with("mbpp/ic_mbpp.json");
    if (!data)
        skip();
    needs_sandbox();
    Bench x = {0};
    size_t asked = 0;
    if (bench_open(&x, &mbpp, data) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(x.questions.all.n, 500);
    for (size_t i = 0; i < x.questions.all.n; i += stride(), asked++) {
        const Question *q = &x.questions.all.at[i];
        const char *gold = json_string_value(json_object_get(q->doc, "gold"));
        Str fenced = {0};
        str_addf(&fenced, "```python\n%s\n```\n", gold);
        expect_verdict(&x, q, str_c(&fenced), "right", "fence");
        Sample s = bench_ask(&x, q, "print('nothing is defined')\n");
        if (metric_of(&s, "pass@1") != 0)
            fail_msg("%s: a program without the function passes", q->id);
        sample_drop(&s);
        str_drop(&fenced);
    }
    print_message("MBPP: %zu of 500 references pass, an empty program never\n", asked);
    bench_close(&x);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_the_papers_words_a_form_of_our_own),
        cmocka_unit_test(the_papers_words_are_data),
        cmocka_unit_test(shots_are_counted),
        cmocka_unit_test(data_without_a_task_is_refused),
        cmocka_unit_test(references_pass_and_others_do_not),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
