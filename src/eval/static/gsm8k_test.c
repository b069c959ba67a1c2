/* GSM8K on three questions of our own, and on all of the published ones where they are. */
#include "eval/static/text_benchmarks.h"

#include "eval/static/answers_test.h"

#define STRICT "exact_match,strict-match"
#define FLEXIBLE "exact_match,flexible-extract"
#define LEMUR "exact_match,lemur"

static void write_data(void)
{
    scratch_text("gsm8k/test.jsonl",
                 "{\"question\": \"How much is 700 and 534?\", \"answer\": \"Add.\\n#### 1,234\"}\n"
                 "{\"question\": \"no marker\", \"answer\": \"5\"}\n"
                 "half a line\n"
                 "{\"question\": \"3 less than 1?\", \"answer\": \"#### -2\"}\n");
    scratch_text("gsm8k/train.jsonl", "{\"question\": \"1+1?\", \"answer\": \"Two.\\n#### 2\"}\n"
                                      "{\"question\": \"2+2?\", \"answer\": \"Four.\\n#### 4\"}\n"
                                      "{\"question\": \"3+3?\", \"answer\": \"Six.\\n#### 6\"}\n");
    unlink(in_scratch("gsm8k/cot-prompt.txt"));
}

static void ask(size_t question, const char *answer, double strict, double flexible, double lemur)
{
    bench_hears(question, answer);
    bench_says(STRICT, strict);
    bench_says(FLEXIBLE, flexible);
    bench_says(LEMUR, lemur);
}

static void prompts_are_the_harnesss(void **state)
{
    (void)state;
    write_data();
    bench_open(&gsm8k_benchmark, scratch, bench_shots(2));
    assert_int_equal(bench.questions.all.n, 2);
    assert_int_equal(bench.questions.bad, 2);
    ask(0, " Add.\n#### 1,234", 1, 1, 1);
    assert_string_equal(str_c(&bench.prompt), "Question: 1+1?\nAnswer: Two.\n#### 2\n\n"
                                              "Question: 2+2?\nAnswer: Four.\n#### 4\n\n"
                                              "Question: How much is 700 and 534?\nAnswer:");
    assert_string_equal(str_c(&bench.stops), "Question:|");
    assert_int_equal(bench.max_tokens, 512);
    assert_string_equal(json_string_value(bench.sample.target), "1234");
    assert_string_equal(json_string_value(json_object_get(bench.questions.facts, "prompt")),
                        "gsm8k/train.jsonl");
    assert_int_equal(json_integer_value(json_object_get(bench.questions.facts, "shots")), 2);
    bench_close();
    bench_open(&gsm8k_benchmark, scratch, bench_shots(0));
    ask(1, "-2", 0, 1, 1);
    assert_string_equal(str_c(&bench.prompt), "Question: 3 less than 1?\nAnswer:");
    bench_close();
}

static void each_rule_has_its_own_mark(void **state)
{
    (void)state;
    write_data();
    bench_open(&gsm8k_benchmark, scratch, bench_shots(1));
    ask(0, "#### 1234", 1, 1, 1);
    assert_int_equal(bench.sample.kind, SAMPLE_FINE);
    ask(0, "#### $1234", 0, 1, 1); /* the harness's strict pattern allows no sign of money */
    assert_int_equal(bench.sample.kind, SAMPLE_UNREADABLE);
    ask(0, "#### 1,234.00", 0, 0, 0);
    ask(0, "#### 1,234.", 1, 1, 1);
    ask(0, "#### 1,234 of 5", 1, 0, 0);
    ask(0, "It is $1,234.", 0, 1, 1);
    ask(0, "#### 123", 0, 0, 0);
    ask(0, "#### -1234", 0, 0, 1); /* Lemur's sees no sign of whole numbers */
    ask(0, "", 0, 0, 0);
    ask(0, "I cannot tell.", 0, 0, 0);
    assert_int_equal(bench.sample.kind, SAMPLE_UNREADABLE);
    assert_string_equal(json_string_value(json_array_get(bench.sample.read, 0)), "[invalid]");
    ask(0, "\xff #### 1234 \xfe", 1, 1, 1);
    ask(0, "#### 1234\nQuestion: more? #### 5", 1, 1, 1); /* the stop string cuts it */
    ask(1, "#### -2", 1, 1, 1);
    ask(1, "#### 2", 0, 0, 1);
    bench.most = 10;
    ask(0, "#### 1234", 0, 0, 0);
    assert_int_equal(bench.sample.kind, SAMPLE_CONTEXT);
    bench_close();
}

static void a_prompt_of_ones_own(void **state)
{
    (void)state;
    write_data();
    scratch_text("gsm8k/cot-prompt.txt", "Q: 1+1?\nA: It is 2. The answer is 2.\n\nQ: {question}\nA:\n");
    bench_open(&gsm8k_benchmark, scratch, eval_settings());
    ask(0, " Add them. The answer is 1,234.", 1, 1, 1);
    assert_string_equal(str_c(&bench.prompt),
                        "Q: 1+1?\nA: It is 2. The answer is 2.\n\nQ: How much is 700 and 534?\nA:");
    assert_string_equal(str_c(&bench.stops), "\nQ:|");
    ask(0, "#### 1234", 0, 1, 1);
    json_t *facts = json_incref(bench.questions.facts);
    assert_string_equal(json_string_value(json_object_get(facts, "prompt")), "gsm8k/cot-prompt.txt");
    bench_close();
    scratch_text("gsm8k/cot-prompt.txt", "{question}\n#### is how it ends");
    bench_open(&gsm8k_benchmark, scratch, eval_settings());
    assert_false(json_equal(facts, bench.questions.facts)); /* another prompt is noticed */
    ask(0, "#### 1234", 1, 1, 1);
    assert_string_equal(str_c(&bench.stops), "");
    bench_close();
    json_decref(facts);
    bench_refuses(&gsm8k_benchmark, scratch, bench_shots(3), ST_ARG, "brings its own examples");
    scratch_text("gsm8k/cot-prompt.txt", "{question} and {question}");
    bench_refuses(&gsm8k_benchmark, scratch, eval_settings(), ST_FORMAT,
                  "must have the hole {question} once");
    scratch_text("gsm8k/cot-prompt.txt", "no hole");
    bench_refuses(&gsm8k_benchmark, scratch, eval_settings(), ST_FORMAT,
                  "must have the hole {question} once");
    scratch_text("gsm8k/cot-prompt.txt", "{question}");
    bench_open(&gsm8k_benchmark, scratch, eval_settings());
    bench_close();
}

static void data_that_is_missing_or_bad(void **state)
{
    (void)state;
    write_data();
    bench_refuses(&gsm8k_benchmark, scratch, bench_shots(4), ST_ARG, "gsm8k/train.jsonl has 3");
    bench_refuses(&gsm8k_benchmark, scratch, eval_settings(), ST_ARG, "8 examples are asked for");
    assert_int_equal(unlink(in_scratch("gsm8k/train.jsonl")), 0);
    bench_refuses(&gsm8k_benchmark, scratch, eval_settings(), ST_IO, "train.jsonl is not there");
    bench_open(&gsm8k_benchmark, scratch, bench_shots(0)); /* needs no examples */
    bench_close();
    scratch_text("gsm8k/test.jsonl", "{\"question\": 5, \"answer\": \"#### 1\"}\n[]\n\xff\n");
    bench_refuses(&gsm8k_benchmark, scratch, bench_shots(0), ST_FORMAT, "no line of it is a question");
    assert_int_equal(unlink(in_scratch("gsm8k/test.jsonl")), 0);
    bench_refuses(&gsm8k_benchmark, scratch, bench_shots(0), ST_IO, "--fetch");
}

/* Published questions. ----------------------------------------------------------------------------------- */

static Span gold; /* the published solution */

static void gold_solution(Str *answer, Span prompt)
{
    (void)prompt;
    str_addf(answer, " %.*s", (int)gold.n, gold.at);
}

static void one_digit_more(Str *answer, Span prompt)
{
    gold_solution(answer, prompt);
    str_addc(answer, '1');
}

static void without_the_result(Str *answer, Span prompt)
{
    (void)prompt;
    str_adds(answer, "Let me think about it.\n#### ");
}

static void every_published_question(void **state)
{
    (void)state;
    const char *data = data_with("gsm8k/test.jsonl");
    if (!data)
        skip();
    bench_open(&gsm8k_benchmark, data, eval_settings());
    assert_int_equal(bench.questions.all.n, 1319);
    assert_int_equal(bench.questions.bad, 0);
    static const char *const metrics[] = {STRICT, FLEXIBLE, LEMUR};
    for (size_t i = 0; i < bench.questions.all.n; i++) {
        static Answering *const ways[] = {gold_solution, one_digit_more, without_the_result};
        gold = doc_text(bench.questions.all.at[i].doc, "answer");
        for (size_t way = 0; way < 3; way++) {
            bench_ask(i, ways[way]);
            for (size_t m = 0; m < 3; m++)
                bench_says(metrics[m], way == 0);
            assert_int_equal(bench.sample.kind, way == 2 ? SAMPLE_UNREADABLE : SAMPLE_FINE);
        }
    }
    assert_int_equal(bench.calls, 3 * 1319);
    bench_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prompts_are_the_harnesss), cmocka_unit_test(each_rule_has_its_own_mark),
        cmocka_unit_test(a_prompt_of_ones_own),     cmocka_unit_test(data_that_is_missing_or_bad),
        cmocka_unit_test(every_published_question),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
