#include "eval/static/humaneval.h"

#include <string.h>

#include "agent/prompt.h"
#include "base/mem.h"
#include "eval/static/code_answer.h"
#include "eval/static/code_task.h"

static const char *const stops[] = {"\nclass", "\ndef", "\n#", "\nif", "\nprint"};
enum { STOPS = sizeof stops / sizeof stops[0] };
static const char *const fences[] = {"python", "py", "python3", NULL};

typedef struct {
    Str form; /* humaneval/prompt.txt */
    bool has_form;
} HumanEval;

static const char *text_of(const Question *q, const char *key)
{
    return json_string_value(json_object_get(q->doc, key));
}

static bool take(Questions *q, int64_t number, json_t *object)
{
    static const char *const keys[] = {"task_id", "prompt", "entry_point", "canonical_solution", "test"};
    (void)number;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (!json_is_string(json_object_get(object, keys[i])))
            return false;
    questions_add(q, json_string_value(json_object_get(object, "task_id")), NULL, object);
    return true;
}

static void close_state(void *state)
{
    HumanEval *h = state;
    if (h)
        str_drop(&h->form);
    mem_free(h);
}

static Status open_state(const EvalRun *run, Questions *out, void **state)
{
    HumanEval *h = mem_new(HumanEval);
    Status st = code_questions_read(out, run->data, "humaneval/HumanEval.jsonl", take);
    if (st == ST_OK)
        st = code_form_read(&h->form, &h->has_form, out, run->data, "humaneval/prompt.txt");
    if (st != ST_OK) {
        close_state(h);
        return st;
    }
    *state = h;
    return ST_OK;
}

static Status mark(const EvalRun *run, void *state, const Question *q, Span answer, CodeMark *out)
{
    (void)state;
    bool plain = run->models.plain;
    Span block = answer;
    Str all = {0}, left = {0};
    if (!plain)
        code_block(code_fences_left(&left, answer), fences, &block);
    CodeRule rule = code_python_module(&out->program, span(text_of(q, "prompt")), text_of(q, "entry_point"),
                                       block, plain, stops, STOPS);
    out->rule = code_rule_names[rule];
    str_drop(&left);
    str_addf(&all, "%s\n%s\ncheck(%s)", str_c(&out->program), text_of(q, "test"), text_of(q, "entry_point"));
    Status st = code_run_python(
        out,
        &(ProgramSpec){.text = str_span(&all),
                       .seconds = run->settings->program_seconds > 0 ? run->settings->program_seconds : 0});
    str_drop(&all);
    return st;
}

static Status ask(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    HumanEval *h = state;
    Conversation c = {0};
    Str prompt = {0};
    PromptHole hole = {"prompt", span(text_of(q, "prompt"))};
    Status st = ST_OK;
    if (h->has_form)
        st = prompt_fill(&prompt, str_span(&h->form), &hole, 1);
    else
        str_adds(&prompt, text_of(q, "prompt"));
    if (st == ST_OK) {
        CodeTask task = {.mark = mark, .state = h, .how = {.max_tokens = 512}, .sampled = 0.2};
        if (run->models.plain) {
            task.how.stops = stops;
            task.how.stops_n = STOPS;
        }
        out->target = json_string(text_of(q, "canonical_solution"));
        conversation_add(&c, CHAT_USER, str_span(&prompt));
        st = code_task_ask(run, out, q, &c, &task);
    } else {
        st = fail_in(st, "humaneval/prompt.txt");
    }
    conversation_drop(&c);
    str_drop(&prompt);
    return st;
}

const Benchmark humaneval = {
    .name = "humaneval",
    .groups = "static code",
    .about = "164 Python functions to be written from head and docstring; pass@k by the tests",
    .source = "Chen et al. 2021, arXiv:2107.03374; github.com/openai/human-eval, MIT",
    .metric = "pass@1",
    .version = 2,
    .needs = NEEDS_SANDBOX,
    .takes = TAKES_SAMPLES,
    .programs = (const char *const[]){"python3", NULL},
    .files = (const DataFile[]){{"humaneval/HumanEval.jsonl.gz",
                                 "https://raw.githubusercontent.com/openai/human-eval/"
                                 "463c980b59e818ace59f6f9803cd92c749ceae61/data/"
                                 "HumanEval.jsonl.gz",
                                 "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef"},
                                {0}},
    .open = open_state,
    .ask = ask,
    .close = close_state,
};
