#include "eval/agents/mint_data.h"

#include <stdlib.h>
#include <string.h>

#include "agent/scripted_test.h"
#include "base/clock.h"
#include "base/data_test.h"
#include "base/scratch_test.h"
#include "env/needs_sandbox_test.h"
#include "env/sandbox.h"
#include "eval/program.h"

static void need_data(void)
{
    if (!data_with("mint/prompt"))
        skip();
}

typedef struct {
    Scripted script;
    EvalSettings settings;
    EvalRun run;
    Questions questions;
    void *state;
} Fixture;

static void open_task(Fixture *f, const Benchmark *b)
{
    *f = (Fixture){.settings = eval_settings()};
    f->script.fails = ST_PEER;
    f->run = (EvalRun){.data = data_folder(), .settings = &f->settings};
    f->run.models.chat = scripted_model(&f->script);
    assert_int_equal(b->open(&f->run, &f->questions, &f->state), ST_OK);
}

static void close_task(Fixture *f, const Benchmark *b)
{
    b->close(f->state);
    questions_drop(&f->questions);
    chatmodel_close(f->run.models.chat);
}

static double ask(Fixture *f, const Benchmark *b, const Question *q, const char *const *lines,
                  SampleKind *kind)
{
    Sample s;
    sample_init(&s);
    f->script.lines = lines;
    f->script.said = 0;
    assert_int_equal(b->ask(&f->run, f->state, q, &s), ST_OK);
    double value = json_number_value(json_object_get(s.metrics, "success"));
    assert_true(json_is_object(s.transcript));
    if (kind)
        *kind = s.kind;
    sample_drop(&s);
    return value;
}

static const char *text(const json_t *doc, const char *key)
{
    const char *s = json_string_value(json_object_get(doc, key));
    return s ? s : "";
}

/* The right solution in a proposal; the caller frees. */
static char *gold_of(MintTask task, const json_t *doc)
{
    if (task == MINT_HUMANEVAL)
        return mem_format("<solution>%s\n%s</solution>", text(doc, "prompt"),
                          text(doc, "canonical_solution"));
    if (task == MINT_MBPP)
        return mem_format("<solution>%s</solution>", text(doc, "code"));
    const json_t *gold = json_object_get(doc, "reference");
    if (json_is_string(gold))
        return mem_format("<solution>%s</solution>", json_string_value(gold));
    if (json_is_boolean(gold))
        return mem_format("<solution>%s</solution>", json_is_true(gold) ? "True" : "False");
    char *dumped = json_dumps(gold, JSON_ENCODE_ANY), *out = mem_format("<solution>%s</solution>", dumped);
    free(dumped);
    return out;
}

static const Benchmark *const tasks[] = {
    [MINT_GSM8K] = &mint_gsm8k,       [MINT_MATH] = &mint_math, [MINT_THEOREMQA] = &mint_theoremqa,
    [MINT_HOTPOTQA] = &mint_hotpotqa, [MINT_MMLU] = &mint_mmlu, [MINT_HUMANEVAL] = &mint_humaneval,
    [MINT_MBPP] = &mint_mbpp,
};

/* By today's marks, but for theoremqa's three options: mint-bench reads "a" as "(a)", and gold is "a". */
static void gold_scores_one_and_nonsense_none(void **state)
{
    (void)state;
    need_data();
    needs_sandbox();
    static const int64_t wants[] = {48, 100, 49, 43, 76, 45, 91};
    for (MintTask task = MINT_GSM8K; task <= MINT_MBPP; task++) {
        Fixture f;
        bool code = task >= MINT_HUMANEVAL;
        open_task(&f, tasks[task]);
        f.settings.rule = MARK_CURRENT;
        assert_int_equal(f.questions.all.n, wants[task]);
        for (size_t i = 0; i < f.questions.all.n; i += code ? 6 : 1) {
            const Question *q = &f.questions.all.at[i];
            char *gold = gold_of(task, q->doc);
            const char *const right[] = {gold, NULL};
            const char *const wrong[] = {"<solution>?!</solution>", "<solution>~</solution>", NULL};
            if (ask(&f, tasks[task], q, right, NULL) != 1)
                fail_msg("%s %s: the right solution is marked wrong", tasks[task]->name, q->id);
            if (ask(&f, tasks[task], q, wrong, NULL) != 0)
                fail_msg("%s %s: nonsense is marked right", tasks[task]->name, q->id);
            mem_free(gold);
        }
        close_task(&f, tasks[task]);
    }
}

/* The recorded opening, from the data files alone. */
static void openings_are_the_recorded_ones(void **state)
{
    (void)state;
    need_data();
    static const char *const places[] = {"reasoning/gsm8k",     "reasoning/math", "reasoning/theoremqa",
                                         "reasoning/hotpotqa",  "reasoning/mmlu", "code_generation/humaneval",
                                         "code_generation/mbpp"};
    static const char *const quits[] = {"<solution>?!</solution>", "<solution>~</solution>", NULL};
    for (MintTask task = MINT_GSM8K; task <= MINT_MBPP; task++) {
        Fixture f;
        int64_t compared = 0;
        char *path = mem_format("%s/mint/replay/lemur-70b-chat-v1/F=None/max5_p2+tool+cd/%s/results.jsonl",
                                data_folder(), places[task]);
        Str lines = {0};
        open_task(&f, tasks[task]);
        assert_int_equal(file_read(&lines, path, 0), ST_OK);
        char *rest = NULL, *line = strtok_r(lines.at, "\n", &rest);
        for (; line; line = strtok_r(NULL, "\n", &rest)) {
            json_t *episode = json_loads(line, 0, NULL);
            const json_t *history = json_object_get(json_object_get(episode, "state"), "history");
            char *id = mem_format("%lld", (long long)json_integer_value(
                                              json_object_get(json_object_get(episode, "task"), "task_id")));
            for (size_t i = 0; i < f.questions.all.n; i++) {
                if (strcmp(f.questions.all.at[i].id, id) != 0)
                    continue;
                if (task < MINT_HUMANEVAL || compared == 0) { /* programs take their time */
                    ask(&f, tasks[task], &f.questions.all.at[i], quits, NULL);
                    Span sent = f.script.asked.messages.at[0].content;
                    const char *recorded = text(json_array_get(history, 0), "content");
                    assert_int_equal(sent.n, strlen(recorded));
                    assert_memory_equal(sent.at, recorded, sent.n);
                    compared++;
                }
            }
            mem_free(id);
            json_decref(episode);
        }
        assert_true(compared >= (task < MINT_HUMANEVAL ? 20 : 1));
        str_drop(&lines);
        mem_free(path);
        close_task(&f, tasks[task]);
    }
}

/* The tools' description, out of a source laid out as mint-bench's is. */
static void descriptions_come_from_sources_too(void **state)
{
    (void)state;
    scratch_text("mint/prompt/templates/template_with_tool.txt", "{tool_desc}");
    scratch_text("mint/prompt/in_context_examples/reasoning/with_tool.txt", "");
    scratch_text(MINT_TOOLSET_FILE, "def f(tools):\n    output = \"Tools here:\\n\"\n");
    scratch_text(MINT_WIKIPEDIA_FILE, "WIKIPEDIA_DESCRIPTION = \"\"\"It knows.\nAsk.\n\"\"\"\n"
                                      "    signature = f\"{name}(query: str) -> str\"\n");
    EvalSettings settings = eval_settings();
    EvalRun run = {.data = scratch, .settings = &settings};
    Mint *m = mem_new(Mint);
    m->task = MINT_GSM8K;
    json_t *facts = json_object();
    assert_int_equal(mint_data_prompts(m, &run, facts), ST_OK);
    assert_string_equal(str_c(&m->tools),
                        "Tools here:\n[1] wikipedia_search(query: str) -> str\nIt knows.\nAsk.\n");
    assert_int_equal(json_object_size(facts), 3);
    str_clear(&m->tools);
    scratch_text(MINT_TOOLSET_FILE, "else");
    str_clear(&m->template), str_clear(&m->examples[0]);
    assert_int_equal(mint_data_prompts(m, &run, facts), ST_FORMAT);
    json_decref(facts);
    mint_data_drop(m);
}

static Status household_tools(Str *out, const char *source)
{
    EvalSettings settings = eval_settings();
    EvalRun run = {.data = scratch, .settings = &settings};
    Mint *m = mem_new(Mint);
    m->task = MINT_ALFWORLD;
    json_t *facts = json_object();
    scratch_text(MINT_HOUSEHOLD_FILE, source);
    Status st = mint_data_prompts(m, &run, facts);
    str_clear(out);
    str_add(out, m->tools.at, m->tools.n);
    json_decref(facts);
    mint_data_drop(m);
    return st;
}

/* Those of the household's functions stand in a class each. */
static void household_functions_are_described_from_their_classes(void **state)
{
    (void)state;
    static const char source[] =
        "class Base:\n    name = \"\"\nDESCRIPTION_TEMPLATE = \"\"\"{desc}\nFor example: {example}\n\"\"\"\n"
        "class Give(Base):\n    name = \"give\"\n    signature = T.format(\n        name=name, args=\"what: "
        "str\"\n"
        "    )\n    description = D.format(\n        desc=\"Give a thing.\",\n        example='give(\"mug "
        "1\")',\n    )\n"
        "class Wait(Base):\n    name = \"wait\"\n    signature = T.format(name=name, args=\"\")\n"
        "    description = D.format(desc=\"Wait.\", example=\"wait()\")\n";
    Str said = {0};
    scratch_text("mint/prompt/templates/template_with_tool.txt", "{tool_desc}");
    scratch_text(MINT_TOOLSET_FILE, "def f(tools):\n    output = \"Tools here:\\n\"\n");
    for (int i = 0; i < HOUSEHOLD_TASKS; i++) {
        char *file =
            mem_format("mint/prompt/in_context_examples/alfworld/%s/with_tool.txt", household_tasks[i].short_name);
        scratch_text(file, "");
        mem_free(file);
    }
    assert_int_equal(household_tools(&said, source), ST_OK);
    assert_string_equal(str_c(&said), "Tools here:\n[1] give(what: str) -> str\nGive a thing.\n"
                                      "For example: give(\"mug 1\")\n\n"
                                      "[2] wait() -> str\nWait.\nFor example: wait()\n");
    for (size_t n = 0; n + 1 < sizeof source; n++) { /* whole classes, or refused */
        char *cut = mem_strn(source, n);
        Status st = household_tools(&said, cut);
        assert_true(st == ST_OK || st == ST_FORMAT);
        assert_true(st != ST_OK || strstr(str_c(&said), "For example: give(\"mug 1\")\n"));
        mem_free(cut);
    }
    str_drop(&said);
}

static void kinds_of_failure_are_told_apart(void **state)
{
    (void)state;
    need_data();
    needs_sandbox();
    Fixture f;
    SampleKind kind;
    open_task(&f, &mint_gsm8k);
    f.settings.steps = 2;
    const Question *q = &f.questions.all.at[0];
    static const char *const raises[] = {"<execute>1/0</execute>", "<execute>1/0</execute>", NULL};
    static const char *const babbles[] = {"hm", "well", NULL};
    static const char *const works[] = {"<execute>1</execute>", "<execute>2</execute>", NULL};
    ask(&f, &mint_gsm8k, q, raises, &kind);
    assert_int_equal(kind, SAMPLE_TOOL_ERROR);
    ask(&f, &mint_gsm8k, q, babbles, &kind);
    assert_int_equal(kind, SAMPLE_UNREADABLE);
    ask(&f, &mint_gsm8k, q, works, &kind);
    assert_int_equal(kind, SAMPLE_BUDGET);
    close_task(&f, &mint_gsm8k);
}

/* --program-seconds is of what grades a program. */
static void programs_have_the_time_that_is_given(void **state)
{
    (void)state;
    need_data();
    needs_sandbox();
    Fixture f;
    open_task(&f, &mint_mbpp);
    f.settings.program_seconds = 0.5;
    json_t *doc = json_pack("{s:i, s:s, s:s}", "id", 1, "prompt", "?", "reference", "import time; time.sleep(2)");
    Question q = {(char[]){"x"}, NULL, doc};
    static const char *const any[] = {"<solution>1</solution>", "<solution>2</solution>", NULL};
    assert_true(ask(&f, &mint_mbpp, &q, any, NULL) == 0);
    json_decref(doc);
    close_task(&f, &mint_mbpp);
}

/* theoremqa's answers may be Python that calls functions. */
static void python_decides_what_only_it_can(void **state)
{
    (void)state;
    need_data();
    needs_sandbox();
    Fixture f;
    open_task(&f, &mint_theoremqa);
    json_t *doc = json_pack("{s:i, s:s, s:f}", "id", 1, "prompt", "?", "reference", 3.0);
    Question q = {(char[]){"x"}, NULL, doc};
    static const char *const calls[] = {"<solution>abs(-3.0)</solution>", NULL};
    static const char *const wrong[] = {"<solution>abs(-4.0)</solution>", "<solution>abs(</solution>", NULL};
    assert_true(ask(&f, &mint_theoremqa, &q, calls, NULL) == 1);
    assert_true(ask(&f, &mint_theoremqa, &q, wrong, NULL) == 0);
    json_decref(doc);
    close_task(&f, &mint_theoremqa);
}

static bool after_a_while(void *context)
{
    return clock_now() > *(double *)context;
}

/* Neither by a cell nor by what decides a solution: the question is asked again when the run goes on. */
static void a_stop_ends_what_python_does(void **state)
{
    (void)state;
    need_data();
    needs_sandbox();
    static const char *const lines[] = {"<execute>import time; time.sleep(20)</execute>",
                                        "<solution>__import__('time').sleep(20)</solution>"};
    Fixture f;
    open_task(&f, &mint_theoremqa);
    for (int i = 0; i < 2; i++) {
        Sample s;
        double start = clock_now(), when = start + 0.5;
        f.run.stopped = after_a_while;
        f.run.stopped_context = &when;
        f.script.lines = (const char *const[]){lines[i], NULL};
        f.script.said = 0;
        sample_init(&s);
        assert_int_equal(mint_theoremqa.ask(&f.run, f.state, &f.questions.all.at[0], &s), ST_CANCELLED);
        assert_true(clock_now() - start < 10);
        sample_drop(&s);
    }
    close_task(&f, &mint_theoremqa);
}

/* JSON's numbers and truth are what str() makes of them; a list is no single answer. */
static void own_references_may_be_numbers(void **state)
{
    (void)state;
    scratch_text("tasks/prompt.txt", "{max_total_steps} {max_propose_solution}\n---\n{task_prompt}\n");
    scratch_text("tasks/questions.jsonl", "{\"id\": 1, \"prompt\": \"?\", \"reference\": 42}\n"
                                          "{\"id\": 2, \"prompt\": \"?\", \"reference\": 0.1}\n"
                                          "{\"id\": 3, \"prompt\": \"?\", \"reference\": true}\n"
                                          "{\"id\": 4, \"prompt\": \"?\", \"reference\": [1]}\n");
    Fixture f = {.settings = eval_settings()};
    f.script.fails = ST_PEER;
    f.run = (EvalRun){.data = scratch, .settings = &f.settings};
    f.run.models.chat = scripted_model(&f.script);
    assert_int_equal(own_tasks.open(&f.run, &f.questions, &f.state), ST_OK);
    assert_int_equal(f.questions.all.n, 3);
    assert_int_equal(f.questions.bad, 1);
    static const char *const right[] = {"<solution>42.0</solution>", "<solution>0.1</solution>",
                                        "<solution>true</solution>"};
    static const char *const wrong[] = {"<solution>41</solution>", "<solution></solution>", NULL};
    for (size_t i = 0; i < f.questions.all.n; i++) {
        const Question *q = &f.questions.all.at[i];
        assert_true(ask(&f, &own_tasks, q, (const char *const[]){right[i], NULL}, NULL) == 1);
        assert_true(ask(&f, &own_tasks, q, wrong, NULL) == 0);
    }
    close_task(&f, &own_tasks);
}

/* --episode-seconds ends a cell of the model's as well. */
static void a_cell_ends_with_its_episode(void **state)
{
    (void)state;
    needs_sandbox();
    scratch_text("tasks/prompt.txt", "{max_total_steps} {max_propose_solution}\n---\n{task_prompt}\n");
    scratch_text("tasks/questions.jsonl", "{\"id\": 1, \"prompt\": \"?\", \"reference\": 42}\n");
    Fixture f = {.settings = eval_settings()};
    f.run = (EvalRun){.data = scratch, .settings = &f.settings};
    f.run.models.chat = scripted_model(&f.script);
    f.settings.episode_seconds = 1;
    assert_int_equal(own_tasks.open(&f.run, &f.questions, &f.state), ST_OK);
    static const char *const sleeps[] = {"<execute>import time; time.sleep(25)</execute>", NULL};
    SampleKind kind;
    double began = clock_now();
    assert_true(ask(&f, &own_tasks, &f.questions.all.at[0], sleeps, &kind) == 0);
    assert_int_equal(kind, SAMPLE_TIME);
    assert_true(clock_now() - began < 20);
    close_task(&f, &own_tasks);
}

/* mint-bench's prompt of feedback with the solution in it: "%s" % reference. */
static void feedback_is_told_the_solution_as_python_writes_it(void **state)
{
    (void)state;
    need_data();
    Fixture f;
    Scripted comments = {.lines = (const char *const[]){"Hm.", NULL}, .fails = ST_PEER};
    open_task(&f, &mint_theoremqa);
    f.settings.feedback_gold = true;
    f.run.models.feedback = scripted_model(&comments);
    mint_theoremqa.close(f.state);
    questions_drop(&f.questions);
    assert_int_equal(mint_theoremqa.open(&f.run, &f.questions, &f.state), ST_OK);
    json_t *doc = json_pack("{s:i, s:s, s:[f, i, f]}", "id", 1, "prompt", "?", "reference", 1.12, 3, 1.0);
    Question q = {(char[]){"x"}, NULL, doc};
    static const char *const wrong[] = {"<solution>7</solution>", "<solution>8</solution>", NULL};
    Sample s;
    sample_init(&s);
    f.script.lines = wrong;
    assert_int_equal(mint_theoremqa.ask(&f.run, f.state, &q, &s), ST_OK);
    assert_true(s.feedback_calls == 1 && s.feedback_prompt_tokens == 100 && s.feedback_completion_tokens == 10);
    assert_true(s.calls == 2 && s.completion_tokens == 20 && s.feedback_seconds > 0);
    sample_drop(&s);
    assert_non_null(strstr(comments.asked.messages.at[0].content.at, "the assistant): [1.12, 3, 1.0]\n"));
    json_decref(doc);
    chatmodel_close(f.run.models.feedback);
    close_task(&f, &mint_theoremqa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gold_scores_one_and_nonsense_none),
        cmocka_unit_test(openings_are_the_recorded_ones),
        cmocka_unit_test(descriptions_come_from_sources_too),
        cmocka_unit_test(household_functions_are_described_from_their_classes),
        cmocka_unit_test(kinds_of_failure_are_told_apart),
        cmocka_unit_test(programs_have_the_time_that_is_given),
        cmocka_unit_test(python_decides_what_only_it_can),
        cmocka_unit_test(a_stop_ends_what_python_does),
        cmocka_unit_test(own_references_may_be_numbers),
        cmocka_unit_test(a_cell_ends_with_its_episode),
        cmocka_unit_test(feedback_is_told_the_solution_as_python_writes_it),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
