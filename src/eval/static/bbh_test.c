/* BIG-Bench Hard on questions of our own, on all of the published ones, and on recorded answers where they
 * are here. */
#include "eval/static/text_benchmarks.h"

#include "base/json_file.h"
#include "eval/static/answers_test.h"

static const char *const tasks[] = {
#define TASK(name, data, prompt) #name,
#include "eval/static/bbh.def"
#undef TASK
};
enum { TASKS = sizeof tasks / sizeof tasks[0] };

#define EXAMPLES                                                                              \
    "Say which.\n\nQ: First?\nOptions:\n(A) a\n(B) b\nA: We think. So the answer is (A).\n\n" \
    "Q: Second?\nA: We think. Mr. B. So the answer is (B).\n\n"                               \
    "Q: Third?\nA: We think.\nSo the answer is (C)."
#define CANARY "No training. canary GUID 0\n-----\n"

static void write_task(const char *task, const char *prompt, const char *questions)
{
    char name[128];
    snprintf(name, sizeof name, "bbh/cot-prompts/%s.txt", task);
    scratch_text(name, prompt);
    snprintf(name, sizeof name, "bbh/bbh/%s.json", task);
    scratch_text(name, questions);
}

static void write_data(void)
{
    for (int i = 0; i < TASKS; i++)
        write_task(tasks[i], i % 2 ? EXAMPLES : CANARY EXAMPLES "\n",
                   "{\"canary\": \"x\", \"examples\": [{\"input\": \"Which?\", \"target\": \"(B)\"}, "
                   "{\"input\": 5}, {\"input\": \"Again?\", \"target\": \"yes\"}]}");
}

static void ask(size_t question, const char *answer, double published, double harness, double lemur,
                double chat)
{
    bench_hears(question, answer);
    bench_says("exact_match", published);
    bench_says("exact_match,get-answer", harness);
    bench_says("exact_match,lemur", lemur);
    bench_says("exact_match,lemur-chat", chat);
}

static void prompts_end_with_the_examples_first_sentence(void **state)
{
    (void)state;
    write_data();
    bench_open(&bbh_benchmark, scratch, eval_settings());
    assert_int_equal(bench.questions.all.n, 2 * TASKS);
    assert_int_equal(bench.questions.bad, TASKS);
    assert_string_equal(bench.questions.all.at[3].id, "causal_judgement/2");
    assert_string_equal(bench.questions.all.at[3].part, "causal_judgement");
    for (size_t i = 0; i < bench.questions.all.n; i += 2) { /* with a canary and without */
        ask(i, "Well. So the answer is (B).", 1, 1, 0, 1);
        assert_string_equal(str_c(&bench.prompt), EXAMPLES "\n\nQ: Which?\nA: We think.");
    }
    assert_string_equal(str_c(&bench.stops), "\n\nQ:|");
    assert_int_equal(bench.max_tokens, 1024);
    bench_close();
    bench_open(&bbh_benchmark, scratch, bench_shots(1));
    ask(1, "x", 0, 0, 0, 0);
    assert_string_equal(
        str_c(&bench.prompt),
        "Say which.\n\nQ: First?\nOptions:\n(A) a\n(B) b\nA: We think. So the answer is (A).\n\n"
        "Q: Again?\nA: We think.");
    bench_close();
    bench_open(&bbh_benchmark, scratch, bench_shots(0));
    ask(1, "x", 0, 0, 0, 0);
    assert_string_equal(str_c(&bench.prompt), "Say which.\n\nQ: Again?\nA: We think.");
    bench_close();
}

static void each_rule_has_its_own_mark(void **state)
{
    (void)state;
    write_data();
    bench_open(&bbh_benchmark, scratch, eval_settings());
    ask(0, "So the answer is (B)", 1, 0, 1, 0); /* no dot */
    assert_int_equal(bench.sample.kind, SAMPLE_FINE);
    ask(0, "So the answer is (A).", 0, 0, 0, 0);
    ask(0, "(B). Of course", 0, 0, 1, 0);
    assert_int_equal(bench.sample.kind, SAMPLE_UNREADABLE);
    ask(0, "(b)", 0, 0, 1, 1);
    ask(0, "the answer is (B).", 1, 1, 1, 0);
    ask(0, "", 0, 0, 0, 0);
    ask(1, "So the answer is Yes.", 0, 0, 0, 1);
    ask(1, "So the answer is yes.\n\nQ: more\nA: the answer is no.", 1, 1, 0, 1);
    bench.most = 10;
    ask(1, "So the answer is yes.", 0, 0, 0, 0);
    assert_int_equal(bench.sample.kind, SAMPLE_CONTEXT);
    bench_close();
}

static void data_that_is_missing_or_bad(void **state)
{
    (void)state;
    static const char good[] = "{\"examples\": [{\"input\": \"a\", \"target\": \"b\"}]}";
    write_data();
    bench_refuses(&bbh_benchmark, scratch, bench_shots(4), ST_ARG, "4 examples are asked for");
    write_task("navigate", "Head only.", good);
    bench_refuses(&bbh_benchmark, scratch, eval_settings(), ST_FORMAT, "navigate.txt: no example in it");
    write_task("navigate", "H\n\nQ: a\nA: One way. x\n\nQ: b\nA: Another. x", good);
    bench_refuses(&bbh_benchmark, scratch, eval_settings(), ST_FORMAT, "no common sentence");
    write_task("navigate", "H\n\nQ: a\nA: no dot\n\nQ: b\nA: no dot", good);
    bench_refuses(&bbh_benchmark, scratch, eval_settings(), ST_FORMAT, "no common sentence");
    write_task("navigate", "H\n\nQ: a", good);
    bench_refuses(&bbh_benchmark, scratch, bench_shots(0), ST_FORMAT, "no common sentence");
    write_task("navigate", CANARY EXAMPLES, "{\"examples\": [{\"input\": \"a\", \"tar");
    bench_refuses(&bbh_benchmark, scratch, eval_settings(), ST_FORMAT, "navigate.json");
    write_task("navigate", CANARY EXAMPLES, "{\"examples\": 5}");
    bench_refuses(&bbh_benchmark, scratch, eval_settings(), ST_FORMAT, "no list \"examples\"");
    write_task("navigate", CANARY EXAMPLES, "[]");
    bench_refuses(&bbh_benchmark, scratch, eval_settings(), ST_FORMAT, "no list \"examples\"");
    assert_int_equal(unlink(in_scratch("bbh/bbh/navigate.json")), 0);
    bench_refuses(&bbh_benchmark, scratch, eval_settings(), ST_IO, "navigate.json is not there");
    assert_int_equal(unlink(in_scratch("bbh/cot-prompts/navigate.txt")), 0);
    bench_refuses(&bbh_benchmark, scratch, eval_settings(), ST_IO, "navigate.txt is not there");
}

/* Published questions. ----------------------------------------------------------------------------------- */

static Span gold;

static void gold_answer(Str *answer, Span prompt)
{
    (void)prompt;
    str_addf(answer, "Some steps.\nMore of them. So the answer is %.*s.", (int)gold.n, gold.at);
}

static void longer_answer(Str *answer, Span prompt)
{
    (void)prompt;
    str_addf(answer, "Some steps. So the answer is %.*sx.", (int)gold.n, gold.at);
}

static void answer_without_phrase(Str *answer, Span prompt)
{
    (void)prompt;
    str_adds(answer, "I do not know");
}

static void direct_answer(Str *answer, Span prompt)
{
    (void)prompt;
    str_addf(answer, " %.*s.", (int)gold.n, gold.at);
}

static void every_published_question(void **state)
{
    (void)state;
    const char *data = data_with("bbh/bbh/snarks.json");
    if (!data)
        skip();
    bench_open(&bbh_benchmark, data, eval_settings());
    assert_int_equal(bench.questions.all.n, 6511);
    assert_int_equal(bench.questions.bad, 0);
    for (size_t i = 0; i < bench.questions.all.n; i++) {
        gold = doc_text(bench.questions.all.at[i].doc, "target");
        bench_ask(i, gold_answer);
        bench_says("exact_match", 1);
        bench_says("exact_match,get-answer", 1);
        bench_says("exact_match,lemur-chat", 1);
        bench_ask(i, longer_answer);
        bench_says("exact_match", 0);
        bench_says("exact_match,get-answer", 0);
        bench_says("exact_match,lemur-chat", 0);
        bench_ask(i, answer_without_phrase);
        assert_int_equal(bench.sample.kind, SAMPLE_UNREADABLE);
        bench_says("exact_match", 0);
        bench_says("exact_match,lemur", 0);
        bench_ask(i, direct_answer);
        bench_says("exact_match,lemur", 1);
        bench_says("exact_match", 0);
    }
    bench_close();
}

/* Recordings: the prompts are ours, and so are the accuracies. ------------------------------------------- */

static Span predicted;

static void prediction(Str *answer, Span prompt)
{
    (void)prompt;
    str_add(answer, predicted.at, predicted.n);
}

static size_t first_of(const char *task)
{
    for (size_t i = 0; i < bench.questions.all.n; i++)
        if (strcmp(bench.questions.all.at[i].part, task) == 0)
            return i;
    fail_msg("no task %s", task);
    return 0;
}

static json_t *read_json(const char *folder, const char *name, const char *end)
{
    json_t *value;
    char *path = mem_format("%s/bbh/replay/%s%s", folder, name, end);
    if (json_file_read(&value, path) != ST_OK)
        fail_msg("%s", error_text());
    mem_free(path);
    return value;
}

static void replay_task(const char *data, const char *name)
{
    json_t *recorded = read_json(data, name, ".json"),
           *published = read_json(data, name, "_eval_metrics.jsonl"), *one;
    char task[128];
    const char *end = strstr(name, "_few_shot");
    assert_non_null(end);
    snprintf(task, sizeof task, "%.*s", (int)(end - name), name);
    size_t first = first_of(task), i, n = json_array_size(json_object_get(recorded, "outputs"));
    double right = 0;
    json_array_foreach(json_object_get(recorded, "outputs"), i, one)
    {
        predicted = doc_text(one, "prediction");
        bench_ask(first + i, prediction);
        assert_string_equal(str_c(&bench.prompt), json_string_value(json_object_get(one, "input")));
        right += bench_metric("exact_match");
    }
    double ours = 100 * right / (double)n, theirs = json_real_value(json_object_get(published, "accuracy"));
    printf("%s: %zu prompts agree; accuracy %.1f, published %.1f\n", task, n, ours, theirs);
    assert_true(n > 100 && ours - theirs < 1e-9 && theirs - ours < 1e-9);
    json_decref(recorded);
    json_decref(published);
}

static void recorded_prompts_and_accuracies(void **state)
{
    (void)state;
    const char *data = data_with("bbh/replay");
    if (!data)
        skip();
    FolderList list;
    char *folder = path_join(data, "bbh/replay");
    int files = 0;
    assert_int_equal(folder_list(&list, folder), ST_OK);
    bench_open(&bbh_benchmark, data, eval_settings());
    for (size_t i = 0; i < list.n; i++)
        if (span_ends(span(list.at[i]), ".json")) {
            list.at[i][strlen(list.at[i]) - 5] = 0;
            replay_task(data, list.at[i]);
            files++;
        }
    assert_true(files > 0);
    bench_close();
    folder_list_drop(&list);
    mem_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prompts_end_with_the_examples_first_sentence),
        cmocka_unit_test(each_rule_has_its_own_mark),
        cmocka_unit_test(data_that_is_missing_or_bad),
        cmocka_unit_test(every_published_question),
        cmocka_unit_test(recorded_prompts_and_accuracies),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
