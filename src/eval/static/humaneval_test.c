#include "eval/static/humaneval.h"

#include "eval/static/scripted_test.h"

/* Ours, in HumanEval's format; a helper stands in front of the function that is asked for. */
static const char own[] =
    "{\"task_id\": \"Own/0\", \"entry_point\": \"twice\", \"prompt\": \"from typing import List\\n\\n\\n"
    "def one(x: int) -> int:\\n    return x\\n\\n\\ndef twice(numbers: List[int]) -> List[int]:\\n"
    "    \\\"\\\"\\\" Doubles all.\\n    >>> twice([1])\\n    [2]\\n    \\\"\\\"\\\"\\n\", "
    "\"canonical_solution\": \"    return [one(n) * 2 for n in numbers]\\n\", "
    "\"test\": \"\\n\\ndef check(candidate):\\n    assert candidate([1, 2]) == [2, 4]\\n"
    "    assert candidate([]) == []\\n\"}\n{\"task_id\": \"Own/1\"}\nnot json\n";

static void open_own(Bench *x, const char *form)
{
    scratch_text("humaneval/HumanEval.jsonl", own);
    if (form)
        scratch_text("humaneval/prompt.txt", form);
    else
        unlink(in_scratch("humaneval/prompt.txt"));
    if (bench_open(x, &humaneval, scratch) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(x->questions.all.n, 1);
    assert_int_equal(x->questions.bad, 2);
}

static void chat_answers_of_all_kinds_are_marked(void **state)
{
    (void)state;
    needs_sandbox();
    Bench x = {0};
    open_own(&x, NULL);
    const Question *q = &x.questions.all.at[0];
    expect_verdict(&x, q, "    return [one(n) * 2 for n in numbers]\n", "right", "continues");
    expect_verdict(&x, q, "return [one(n) * 2 for n in numbers]", "right", "continues, indented");
    expect_verdict(&x, q, "out = []\nfor n in numbers:\n    out.append(2 * n)\nreturn out", "right", NULL);
    expect_verdict(&x, q, "if numbers:\n    return [one(n) * 2 for n in numbers]\nreturn []", "right", NULL);
    expect_verdict(
        &x, q,
        "Sure:\n```python\ndef twice(numbers: List[int]):\n    return [one(n) * 2 for n in numbers]\n"
        "```\nIt doubles.",
        "right", "whole");
    expect_verdict(&x, q,
                   "def twice(ns):\n    return other(ns)\n\ndef other(ns):\n    return [n * 2 for n in ns]\n",
                   "right", "whole");
    expect_verdict(&x, q,
                   "1. Solution:\n   ```python\n   def twice(numbers: List[int]):\n"
                   "       return [one(n) * 2 for n in numbers]\n   ```\n2. It doubles.",
                   "right", "whole");
    expect_verdict(&x, q, "```\nfrom typing import List\ntwice = lambda ns: [2 * n for n in ns]\n```",
                   "right", "whole");
    expect_verdict(&x, q, "    return numbers\n", "wrong", NULL);
    expect_verdict(&x, q, "    pass\n", "wrong", NULL);
    expect_verdict(&x, q, "    return unknown\n", "raised", NULL);
    expect_verdict(&x, q, "    raise SystemExit(0)\n", "raised", NULL);
    expect_verdict(&x, q, "I cannot do that.", "no program", NULL);
    expect_verdict(&x, q, "```python\ndef twice(numbers:\n```", "no program", "whole");
    expect_verdict(&x, q, " \n", "unreadable", NULL);
    x.settings.program_seconds = 0.5;
    expect_verdict(&x, q, "    while True:\n        pass\n", "time", NULL);
    bench_close(&x);
}

static void base_models_continue_and_are_cut(void **state)
{
    (void)state;
    needs_sandbox();
    Bench x = {.run.models.plain = true};
    open_own(&x, NULL);
    const Question *q = &x.questions.all.at[0];
    const char *answer = "    return [one(n) * 2 for n in numbers]\n\ndef twice(numbers):\n    return 1\n";
    expect_verdict(&x, q, answer, "right", "continues");
    assert_int_equal(x.model.stops_n, 5);
    /* It is no chat: nothing is taken from a fence, and nothing is indented. */
    expect_verdict(&x, q, "```python\n    return [one(n) * 2 for n in numbers]\n```", "no program",
                   "continues");
    expect_verdict(&x, q, "return [one(n) * 2 for n in numbers]", "no program", "continues");
    bench_close(&x);
}

static void words_around_the_stub_are_data(void **state)
{
    (void)state;
    needs_sandbox();
    Bench x = {0};
    open_own(&x, "Finish:\n{prompt}<end>");
    Sample s = bench_ask(&x, &x.questions.all.at[0], "    return [2 * n for n in numbers]");
    assert_non_null(strstr(str_c(&x.model.prompt), "Finish:\nfrom typing"));
    assert_true(span_ends(str_span(&x.model.prompt), "<end>"));
    assert_int_equal(x.model.stops_n, 0); /* a chat answer may begin with def */
    assert_true(x.model.temperature == 0);
    assert_true(json_is_string(json_object_get(x.questions.facts, "humaneval/prompt.txt")));
    assert_string_equal(json_string_value(s.target), "    return [one(n) * 2 for n in numbers]\n");
    sample_drop(&s);
    bench_close(&x);
}

static void data_that_is_not_right_is_named(void **state)
{
    (void)state;
    Bench x = {0};
    Sample s;
    open_own(&x, "{stub}");
    sample_init(&s);
    assert_int_equal(humaneval.ask(&x.run, x.state, &x.questions.all.at[0], &s), ST_FORMAT);
    expect_words("humaneval/prompt.txt");
    sample_drop(&s);
    bench_close(&x);
    Bench none = {0};
    assert_int_equal(bench_open(&none, &humaneval, "/nowhere"), ST_IO);
    expect_words("--fetch");
    bench_close(&none);
}

static void several_answers_give_pass_at_k(void **state)
{
    (void)state;
    needs_sandbox();
    Bench x = {0};
    open_own(&x, NULL);
    x.settings.samples = 10;
    x.settings.seed = 5;
    const char *says[] = {"    return [2 * n for n in numbers]", "    return 1", "    return 1",
                          "    return no"};
    x.model.says = says;
    x.model.says_n = 4;
    Sample s;
    sample_init(&s);
    assert_int_equal(humaneval.ask(&x.run, x.state, &x.questions.all.at[0], &s), ST_OK);
    assert_true(metric_of(&s, "pass@1") > 0.0999 && metric_of(&s, "pass@1") < 0.1001);
    assert_true(metric_of(&s, "pass@10") == 1);
    assert_true(metric_of(&s, "pass@100") == -1);
    assert_int_equal(json_array_size(s.answers), 10);
    assert_int_equal(json_array_size(s.read), 10);
    assert_int_equal(json_array_size(s.prompts), 1); /* the same for all */
    assert_int_equal(json_array_size(json_object_get(s.more, "verdicts")), 10);
    assert_int_equal(s.kind, SAMPLE_FINE);
    assert_true(x.model.temperature > 0.19 && x.model.temperature < 0.21);
    assert_int_equal(x.model.seed, 14);
    sample_drop(&s);
    bench_close(&x);
}

static void failures_of_the_model_are_not_answers(void **state)
{
    (void)state;
    needs_sandbox();
    Bench x = {0};
    open_own(&x, NULL);
    Sample s;
    sample_init(&s);
    x.model.st = ST_PEER;
    assert_int_equal(humaneval.ask(&x.run, x.state, &x.questions.all.at[0], &s), ST_PEER);
    sample_drop(&s);
    x.model.st = ST_LIMIT; /* the stub alone fills the context */
    sample_init(&s);
    assert_int_equal(humaneval.ask(&x.run, x.state, &x.questions.all.at[0], &s), ST_OK);
    assert_int_equal(s.kind, SAMPLE_CONTEXT);
    assert_true(metric_of(&s, "pass@1") == 0);
    sample_drop(&s);
    bench_close(&x);
}

/* LEMUR_EVERY=1: all; else every eighth. */
static size_t stride(void)
{
    const char *set = getenv("LEMUR_EVERY");
    return set && atoi(set) > 0 ? (size_t)atoi(set) : 8;
}

static void published_solutions_pass_and_others_do_not(void **state)
{
    (void)state;
    const char *data = data_with("humaneval/HumanEval.jsonl.gz");
    if (!data)
        skip();
    needs_sandbox();
    Bench x = {0};
    size_t asked = 0;
    if (bench_open(&x, &humaneval, data) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(x.questions.all.n, 164);
    assert_int_equal(x.questions.bad, 0);
    for (size_t i = 0; i < x.questions.all.n; i += stride(), asked++) {
        const Question *q = &x.questions.all.at[i];
        const char *stub = json_string_value(json_object_get(q->doc, "prompt"));
        const char *inside = json_string_value(json_object_get(q->doc, "canonical_solution"));
        Str fenced = {0};
        str_addf(&fenced, "Here it is.\n\n```python\n%s%s```\n", stub, inside);
        expect_verdict(&x, q, inside, "right", NULL);
        expect_verdict(&x, q, str_c(&fenced), "right", "whole");
        Sample s = bench_ask(&x, q, "    return None\n");
        if (metric_of(&s, "pass@1") != 0)
            fail_msg("%s: a function that returns nothing passes", q->id);
        sample_drop(&s);
        str_drop(&fenced);
    }
    print_message("HumanEval: %zu of 164 solutions pass, as inside and as whole; an empty function never\n",
                  asked);
    bench_close(&x);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chat_answers_of_all_kinds_are_marked),
        cmocka_unit_test(base_models_continue_and_are_cut),
        cmocka_unit_test(words_around_the_stub_are_data),
        cmocka_unit_test(data_that_is_not_right_is_named),
        cmocka_unit_test(several_answers_give_pass_at_k),
        cmocka_unit_test(failures_of_the_model_are_not_answers),
        cmocka_unit_test(published_solutions_pass_and_others_do_not),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
