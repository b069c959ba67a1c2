#include "eval/agents/robocodegen.h"

#include "eval/static/scripted_test.h"

/* Ours, in the data's format; the last is none that there are inputs for. */
static const char own[] =
    "[{\"index\": 0, \"f_name\": \"reverse_pts\", \"f_sig\": \"pts = reverse_pts(pts_np)\", \"category\": "
    "\"numpy\", \"n_inputs\": 3, \"test_equiv\": \"allclose\"},"
    "{\"index\": 1, \"f_name\": \"fold_laundry\", \"f_sig\": \"fold_laundry()\", \"category\": \"api\", "
    "\"n_inputs\": 3, \"test_equiv\": \"equal\"}, {\"f_name\": 3}]";
static const char own_prompt[] =
    "import numpy as np\n\n# define function: y = one(x).\ndef one(x):\n    return 1";
#define ASKED "# define function: pts = reverse_pts(pts_np)."
#define RIGHT "def reverse_pts(pts_np):\n    return pts_np[::-1]\n"
#define WRONG "def reverse_pts(pts_np):\n    return pts_np\n"
#define CALLS "def reverse_pts(pts_np):\n    out = turned(pts_np, 1)\n    return out\n"

static void open_own(Bench *x, const Benchmark *b)
{
    needs_sandbox();
    scratch_text(ROBOT_PROBLEMS, own);
    scratch_text(ROBOT_PROMPT, own_prompt);
    unlink(in_scratch("robocodegen/chat.txt"));
    Status st = bench_open(x, b, scratch);
    if (st == ST_UNSUPPORTED) {
        print_message("SKIP %s\n", error_text());
        skip();
    }
    if (st != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(x->questions.all.n, 1);
    assert_int_equal(x->questions.left_out, 1);
    assert_int_equal(x->questions.bad, 1);
    assert_string_equal(x->questions.all.at[0].part, "numpy");
    assert_true(json_is_string(json_object_get(x->questions.facts, ROBOT_PROMPT)));
    assert_int_equal(json_string_length(json_object_get(x->questions.facts, "inputs")), 64);
}

/* The question's sample when the model says these in order. */
static Sample say(Bench *x, const char *const *says, size_t n)
{
    Sample s;
    x->model.says = says;
    x->model.says_n = n;
    x->model.asked = 0;
    sample_init(&s);
    if (x->b->ask(&x->run, x->state, &x->questions.all.at[0], &s) != ST_OK)
        fail_msg("%s", error_text());
    return s;
}

static const char *of(const Sample *s, const char *key)
{
    return json_string_value(json_object_get(s->more, key));
}

static void expect(Bench *x, const char *answer, const char *verdict, SampleKind kind)
{
    Sample s = say(x, &answer, 1);
    if (strcmp(of(&s, "verdict"), verdict) != 0 || s.kind != kind)
        fail_msg("%s\n%s: %s", answer, of(&s, "verdict"), of(&s, "says"));
    assert_true(metric_of(&s, "pass") == (strcmp(verdict, "passed") == 0));
    sample_drop(&s);
}

static void answers_are_marked(void **state)
{
    (void)state;
    Bench x = {0};
    open_own(&x, &robocodegen_flat);
    expect(&x, RIGHT, "passed", SAMPLE_FINE);
    assert_string_equal(str_c(&x.model.prompt) + sizeof own_prompt - 1, "\n" ASKED);
    assert_true(span_starts(str_span(&x.model.prompt), own_prompt));
    assert_int_equal(x.model.stops_n, 0); /* a chat model may repeat the question */
    assert_true(x.model.temperature == 0);
    expect(&x, "Here:\n```python\n" ASKED "\n" RIGHT "```\nIt reverses.", "passed", SAMPLE_FINE);
    expect(&x, "- So:\n  ```python\n  def reverse_pts(pts_np):\n      return pts_np[::-1]\n  ```\n", "passed", SAMPLE_FINE);
    expect(&x, "```python\nimport numpy as np\n\n" RIGHT "```", "passed",
           SAMPLE_FINE); /* the prompt's own line */
    expect(&x, "```python\nimport math\n\n" RIGHT "```", "refused", SAMPLE_TOOL_ERROR);
    expect(&x, WRONG, "wrong", SAMPLE_FINE);
    expect(&x, CALLS, "raised", SAMPLE_TOOL_ERROR); /* it is flat: nobody writes that one */
    expect(&x, "I cannot.", "no program", SAMPLE_TOOL_ERROR);
    expect(&x, "", "no such function", SAMPLE_UNREADABLE);
    x.settings.program_seconds = 0.5;
    bench_close(&x);
    x = (Bench){.settings = x.settings, .run.settings = &x.settings};
    open_own(&x, &robocodegen_flat);
    expect(&x, "def reverse_pts(pts_np):\n    while True: pass\n", "time", SAMPLE_TIME);
    bench_close(&x);
}

static void base_models_continue(void **state)
{
    (void)state;
    Bench x = {.run.models.plain = true};
    open_own(&x, &robocodegen_flat);
    scratch_text("robocodegen/chat.txt", "{prompt}");
    expect(&x, "\n" RIGHT "\n# define function: z = two(x).\nimport", "passed", SAMPLE_FINE); /* cut */
    assert_int_equal(x.model.stops_n, 2);
    expect(&x, "```python\n" RIGHT "```", "no program", SAMPLE_TOOL_ERROR);
    expect(&x, "import numpy as np\n" RIGHT, "refused", SAMPLE_TOOL_ERROR); /* as the original */
    bench_close(&x);
}

static void words_around_are_data(void **state)
{
    (void)state;
    Bench x = {0};
    open_own(&x, &robocodegen_flat);
    bench_close(&x);
    scratch_text("robocodegen/chat.txt", "Go on:\n{prompt}\n<end>");
    x = (Bench){0};
    if (bench_open(&x, &robocodegen_flat, scratch) != ST_OK)
        fail_msg("%s", error_text());
    expect(&x, RIGHT, "passed", SAMPLE_FINE);
    assert_true(span_starts(str_span(&x.model.prompt), "Go on:\nimport numpy"));
    assert_true(span_ends(str_span(&x.model.prompt), ASKED "\n<end>"));
    bench_close(&x);
}

static void functions_are_written_when_called(void **state)
{
    (void)state;
    Bench x = {0};
    open_own(&x, &robocodegen);
    const char *const says[] = {CALLS, "def turned(pts, k):\n    return deeper(k * pts)\n",
                                "def deeper(p):\n    return p[::-1]\n"};
    Sample s = say(&x, says, 3);
    if (metric_of(&s, "pass") != 1)
        fail_msg("%s", of(&s, "says"));
    assert_int_equal(x.model.asked, 3);
    assert_int_equal(json_integer_value(json_object_get(s.more, "functions")), 3);
    assert_int_equal(json_array_size(s.read), 3);
    char *prompts = json_dumps(s.prompts, 0);
    assert_non_null(strstr(prompts, "# define function: out = turned(pts_np, 1).\""));
    assert_non_null(strstr(prompts, "# define function: deeper(k * pts).\""));
    free(prompts);
    sample_drop(&s);
    /* One that is already there is not asked for, nor what Python has. */
    const char *const known[] = {
        "def reverse_pts(pts_np):\n    return np.flip(pts_np[:max(get_total([5, 5]), 10)], 0)"};
    s = say(&x, known, 1);
    assert_int_equal(x.model.asked, 1);
    sample_drop(&s);
    bench_close(&x);
}

static void hierarchies_end(void **state)
{
    (void)state;
    Bench x = {0};
    open_own(&x, &robocodegen);
    Str wide = {0};
    str_adds(&wide, "def reverse_pts(pts_np):\n");
    for (int i = 0; i < 40; i++)
        str_addf(&wide, "    f%d(pts_np)\n", i);
    const char *const says[] = {str_c(&wide)};
    Sample s = say(&x, says, 1);
    assert_true(metric_of(&s, "pass") == 0);
    assert_int_equal(x.model.asked, 16);
    sample_drop(&s);
    const char *const deep[] = {"def reverse_pts(p):\n    return a(p)", "def a(p):\n    return b(p)",
                                "def b(p):\n    return c(p)",           "def c(p):\n    return d(p)",
                                "def d(p):\n    return e(p)",           "def e(p):\n    return p[::-1]"};
    s = say(&x, deep, 6);
    assert_int_equal(x.model.asked, 5);
    assert_non_null(strstr(of(&s, "says"), "name 'e' is not defined"));
    sample_drop(&s);
    str_drop(&wide);
    bench_close(&x);
}

static void errors_are_fed_back(void **state)
{
    (void)state;
    Bench x = {0};
    open_own(&x, &robocodegen_debug);
    assert_int_equal(json_integer_value(json_object_get(x.questions.facts, "max_steps")), 5);
    const char *const says[] = {
        "```python\nimport math\n```", WRONG, "def reverse_pts(p):\n    return q\n",
        "def turn(p):\n    return p[::-1]\n\n\ndef reverse_pts(p):\n    return turn(p)\n"};
    Sample s = say(&x, says, 4);
    assert_true(metric_of(&s, "pass") == 1 && metric_of(&s, "steps") == 4 &&
                metric_of(&s, "pass_first") == 0);
    assert_int_equal(s.kind, SAMPLE_FINE);
    json_t *messages = json_object_get(s.transcript, "messages");
    static const char *const told[] = {"0 of 3 inputs pass.\nrefused: the source holds 'import'\n\n" ASKED,
                                       "0 of 3 inputs pass.\ninput 1 of 3: reverse_pts(array([[",
                                       "raises NameError: name 'q' is not defined (line 2)\n\n" ASKED};
    assert_int_equal(json_array_size(messages), 8);
    for (size_t i = 0; i < 3; i++) {
        const char *text = json_string_value(json_object_get(json_array_get(messages, 2 * i + 2), "content"));
        if (!strstr(text, told[i]))
            fail_msg("%s", text);
        assert_null(strstr(text, "np.flip")); /* our solution stays with us */
    }
    assert_true(json_is_true(json_object_get(s.transcript, "success")));
    sample_drop(&s);
    s = say(&x, says + 1, 2); /* the last again and again */
    assert_int_equal(x.model.asked, 5);
    assert_true(metric_of(&s, "pass") == 0 && metric_of(&s, "inputs") == 0);
    assert_int_equal(s.kind, SAMPLE_TOOL_ERROR);
    sample_drop(&s);
    x.settings.steps = 2;
    s = say(&x, says + 1, 1);
    assert_int_equal(x.model.asked, 2);
    assert_int_equal(s.kind, SAMPLE_BUDGET);
    sample_drop(&s);
    bench_close(&x);
}

static void base_models_read_it_as_comments(void **state)
{
    (void)state;
    Bench x = {.run.models.plain = true};
    open_own(&x, &robocodegen_debug);
    const char *const says[] = {"\ndef reverse_pts(p):\n    return q\n\n", RIGHT};
    Sample s = say(&x, says, 2);
    assert_true(metric_of(&s, "pass") == 1 && metric_of(&s, "steps") == 2);
    const char *asked = str_c(&x.model.prompt) + sizeof own_prompt - 1;
    assert_true(span_starts(span(asked),
                            "\n" ASKED "\ndef reverse_pts(p):\n    return q\n\n# 0 of 3 inputs pass.\n"
                            "# input 1 of 3: reverse_pts(array([["));
    assert_true(span_ends(span(asked), " raises NameError: name 'q' is not defined (line 2)\n\n" ASKED));
    sample_drop(&s);
    bench_close(&x);
}

static void full_contexts_and_servers(void **state)
{
    (void)state;
    static const Benchmark *const all[] = {&robocodegen, &robocodegen_flat, &robocodegen_debug};
    for (size_t i = 0; i < 3; i++) {
        Bench x = {0};
        Sample s;
        open_own(&x, all[i]);
        x.model.st = ST_LIMIT;
        s = say(&x, NULL, 0);
        assert_int_equal(s.kind, SAMPLE_CONTEXT);
        assert_true(metric_of(&s, "pass") == 0);
        sample_drop(&s);
        x.model.st = ST_PEER;
        sample_init(&s);
        assert_int_equal(x.b->ask(&x.run, x.state, &x.questions.all.at[0], &s), ST_PEER);
        sample_drop(&s);
        bench_close(&x);
    }
}

static void data_that_is_not_right_is_named(void **state)
{
    (void)state;
    needs_sandbox();
    Bench x = {0};
    assert_int_equal(bench_open(&x, &robocodegen, "/nowhere"), ST_IO);
    expect_words("lemur eval --list");
    bench_close(&x);
    x = (Bench){0};
    scratch_text("bare/" ROBOT_PROBLEMS, own);
    assert_int_equal(bench_open(&x, &robocodegen, in_scratch("bare")), ST_IO);
    expect_words("prompt.txt is not there");
    bench_close(&x);
    x = (Bench){0};
    scratch_text("other/" ROBOT_PROBLEMS, "[{\"f_name\": \"x\", \"f_sig\": \"x()\"}]");
    scratch_text("other/" ROBOT_PROMPT, own_prompt);
    Status st = bench_open(&x, &robocodegen, in_scratch("other"));
    assert_true(st == ST_FORMAT || st == ST_UNSUPPORTED);
    bench_close(&x);
}

/* All of the data's: our solution passes in every way of asking, a function that returns nothing in none. */
static void solutions_score_one(void **state)
{
    (void)state;
    const char *data = data_with(ROBOT_PROBLEMS);
    if (!data)
        skip();
    needs_sandbox();
    static const Benchmark *const all[] = {&robocodegen, &robocodegen_flat, &robocodegen_debug};
    for (size_t i = 0; i < 3; i++) {
        Bench x = {0};
        Status st = bench_open(&x, all[i], data);
        if (st == ST_UNSUPPORTED) {
            print_message("SKIP %s\n", error_text());
            skip();
        }
        assert_int_equal(st, ST_OK);
        assert_int_equal(x.questions.all.n, 37);
        for (size_t k = 0; k < 37; k++) {
            const Question *q = &x.questions.all.at[k];
            Str source = {0};
            assert_int_equal(robot_solution(((RoboCodeGen *)x.state)->robot, &source, q->id), ST_OK);
            Sample s = bench_ask(&x, q, str_c(&source));
            if (metric_of(&s, "pass") != 1)
                fail_msg("%s: %s", q->id, of(&s, "says"));
            sample_drop(&s);
            str_clear(&source);
            str_addf(&source, "def %s(*args, **kwargs):\n    pass\n", q->id);
            s = bench_ask(&x, q, str_c(&source));
            assert_true(metric_of(&s, "pass") == 0);
            sample_drop(&s);
            str_drop(&source);
        }
        bench_close(&x);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_marked),
        cmocka_unit_test(base_models_continue),
        cmocka_unit_test(words_around_are_data),
        cmocka_unit_test(functions_are_written_when_called),
        cmocka_unit_test(hierarchies_end),
        cmocka_unit_test(errors_are_fed_back),
        cmocka_unit_test(base_models_read_it_as_comments),
        cmocka_unit_test(full_contexts_and_servers),
        cmocka_unit_test(data_that_is_not_right_is_named),
        cmocka_unit_test(solutions_score_one),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
