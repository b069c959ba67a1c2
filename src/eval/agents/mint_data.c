/* Sources: xingyaoww/mint-bench, mint/tasks/reasoning.py and codegen.py (questions), mint/tools/__init__.py,
 * wikipedia_search.py and alfworld.py. */
#include "eval/agents/mint_data.h"

#include <stdio.h>
#include <string.h>

#include "agent/python_text.h"
#include "base/file.h"
#include "base/mem.h"
#include "eval/agents/household_tasks.h"
#include "eval/sample_line.h"

enum { PROMPT_BYTES = 1 << 20 };

#define TEMPLATE_FILE "mint/prompt/templates/template_with_tool.txt"
#define FEEDBACK_FILE "mint/prompt/templates/template_feedback_agent.txt"
#define TOOLS_FOLDER "mint/prompt/tools/"
#define EXAMPLES_FOLDER "mint/prompt/in_context_examples/"
#define QUESTIONS_FILE(task) "mint/" task "/test_prompts.json"
#define REASONING_KIND(task)                                                            \
    {                                                                                   \
        "mint_" task, QUESTIONS_FILE(task), TEMPLATE_FILE, EXAMPLES_FOLDER "reasoning", \
            TOOLS_FOLDER "reasoning.txt", false                                         \
    }
#define CODE_KIND(task)                                                                     \
    {                                                                                       \
        "mint_" task, QUESTIONS_FILE(task), TEMPLATE_FILE, EXAMPLES_FOLDER task, NULL, true \
    }
const MintKind mint_kinds[MINT_TASKS] = {
    [MINT_GSM8K] = REASONING_KIND("gsm8k"),
    [MINT_MATH] = REASONING_KIND("math"),
    [MINT_THEOREMQA] = REASONING_KIND("theoremqa"),
    [MINT_HOTPOTQA] = REASONING_KIND("hotpotqa"),
    [MINT_MMLU] = REASONING_KIND("mmlu"),
    [MINT_HUMANEVAL] = CODE_KIND("humaneval"),
    [MINT_MBPP] = CODE_KIND("mbpp"),
    [MINT_ALFWORLD] = {"mint_alfworld", NULL, TEMPLATE_FILE, EXAMPLES_FOLDER "alfworld",
                       TOOLS_FOLDER "alfworld.txt", false},
    [MINT_OWN] = {"tasks", "tasks/questions.json", "tasks/prompt.txt", NULL, NULL, false},
};

static void add(Str *out, Span text)
{
    str_add(out, text.at, text.n);
}

static void add_without(Str *out, Span text, Span what)
{
    for (size_t at; (at = python_find(text, what, 0)) <= text.n;) {
        add(out, (Span){text.at, at});
        text = (Span){text.at + at + what.n, text.n - at - what.n};
    }
    add(out, text);
}

void mint_question(Str *out, MintTask task, Span prompt)
{
    Str bare = {0};
    switch (task) {
    case MINT_THEOREMQA:
        str_adds(out, "Answer the following question with a number, a list of numbers or True or False. ");
        add(out, python_strip(prompt));
        break;
    case MINT_HUMANEVAL:
        str_adds(out, "Complete the following code:\n\n");
        add(out, prompt);
        break;
    case MINT_MBPP:
        add_without(&bare, prompt, span("\"\"\""));
        add(out, python_strip(str_span(&bare)));
        break;
    case MINT_MMLU:
    case MINT_OWN: add(out, prompt); break;
    default: add(out, python_strip(prompt));
    }
    str_drop(&bare);
}

/* Ids are numbers; of theoremqa they are names, and references may be lists. */
static bool take_theorem(Questions *q, int64_t number, json_t *object)
{
    (void)number;
    const json_t *id = json_object_get(object, "id");
    if (!doc_text(object, "prompt").at || !json_object_get(object, "reference"))
        return false;
    if (json_is_string(id)) {
        questions_add(q, json_string_value(id), NULL, object);
    } else if (json_is_integer(id)) {
        char name[32];
        snprintf(name, sizeof name, "%lld", (long long)json_integer_value(id));
        questions_add(q, name, NULL, object);
    } else {
        return false;
    }
    return true;
}

static bool take_question(Questions *q, int64_t number, json_t *object)
{
    const json_t *gold = json_object_get(object, "reference");
    bool one = json_is_string(gold) || json_is_number(gold) || json_is_boolean(gold);
    return one && take_theorem(q, number, object);
}

Status mint_data_questions(Questions *out, const EvalRun *run, MintTask task)
{
    if (task == MINT_ALFWORLD)
        return household_tasks_read(out, run);
    const char *file = mint_kinds[task].questions; /* published as .json, and JSON Lines by content */
    char *lines = mem_format("%sl", file), *whole = path_join(run->data, lines);
    Status st = questions_read(out, run->data, path_exists(whole) ? lines : file,
                               task == MINT_THEOREMQA ? take_theorem : take_question);
    mem_free(whole);
    mem_free(lines);
    return st;
}

/* Prompt texts. ------------------------------------------------------------------------------------------ */

static Status read_prompt(Str *out, const EvalRun *run, json_t *facts, const char *file)
{
    char *path = path_join(run->data, file), sum[65];
    Status st = file_read(out, path, PROMPT_BYTES);
    if (st == ST_OK) {
        text_hash(sum, str_span(out));
        json_object_set_new(facts, file, json_string(sum));
    } else {
        st = fail_in(st, "a prompt text is missing (lemur eval --list says where it comes from)");
    }
    mem_free(path);
    return st;
}

/* Of the household there is one for each type of task. */
static Status read_examples(Mint *m, const EvalRun *run, json_t *facts)
{
    bool types = m->task == MINT_ALFWORLD;
    Status st = ST_OK;
    for (int i = 0; i < (types ? HOUSEHOLD_TASKS : 1) && st == ST_OK; i++) {
        char *file = mem_format("%s%s%s/%s.txt", mint_kinds[m->task].examples, types ? "/" : "",
                                types ? household_tasks[i].short_name : "",
                                run->models.feedback || run->models.hints ? "with_tool_and_feedback" : "with_tool");
        st = read_prompt(&m->examples[i], run, facts, file);
        mem_free(file);
    }
    return st;
}

Span mint_example(const Mint *m, const Question *q)
{
    return str_span(&m->examples[m->task == MINT_ALFWORLD ? household_task_of(span(q->id)) : 0]);
}

/* What stands between two marks at or behind *at, which goes on behind it; .at NULL: no such marks. */
static Span find_between(Span text, size_t *at, const char *begin, const char *end)
{
    size_t from = python_find(text, span(begin), *at) + strlen(begin);
    size_t to = from <= text.n ? python_find(text, span(end), from) : text.n + 1;
    if (to > text.n)
        return (Span){0};
    *at = to + strlen(end);
    return (Span){text.at + from, to - from};
}

static Status other_version(const char *path, const char *mark)
{
    return fail(ST_FORMAT, "%s has no text between '%s' and its end: another version than is known", path,
                mark);
}

/* What stands between two marks in a file; ST_FORMAT: it has them not. */
static Status read_between(Str *out, const EvalRun *run, const char *file, const char *begin, const char *end)
{
    char *path = path_join(run->data, file);
    Str text = {0};
    size_t at = 0;
    Status st = file_read(&text, path, PROMPT_BYTES);
    if (st == ST_OK) {
        Span found = find_between(str_span(&text), &at, begin, end);
        if (found.at)
            add(out, found);
        else
            st = other_version(path, begin);
    }
    str_drop(&text);
    mem_free(path);
    return st;
}

/* The classes of tools one after the other: their names, and what their templates are filled with. */
static Status add_household_tools(Str *out, Span source, const char *path)
{
    size_t at = python_find(source, span("DESCRIPTION_TEMPLATE = "), 0);
    int n = 0;
    for (Span name; (name = find_between(source, &at, "    name = \"", "\"")).at;) {
        Span arguments = find_between(source, &at, "args=\"", "\"");
        Span says = find_between(source, &at, "desc=\"", "\"");
        size_t quote = python_find(source, span("example="), at) + strlen("example=");
        char mark[] = {quote < source.n ? source.at[quote] : '"', 0};
        Span example = find_between(source, &at, mark, mark);
        if (!arguments.at || !says.at || !example.at)
            return other_version(path, "args=\", desc=\", example=\"");
        str_addf(out, "%s[%d] ", n ? "\n" : "", n + 1);
        n++;
        add(out, name);
        str_addc(out, '(');
        add(out, arguments);
        str_adds(out, ") -> str\n");
        add(out, says);
        str_adds(out, "\nFor example: ");
        add(out, example);
        str_addc(out, '\n');
    }
    return n ? ST_OK : other_version(path, "name = \"");
}

static Status derive_household_tools(Str *out, const EvalRun *run)
{
    char *path = path_join(run->data, MINT_HOUSEHOLD_FILE);
    Str source = {0};
    Status st = file_read(&source, path, PROMPT_BYTES);
    if (st == ST_OK)
        st = add_household_tools(out, str_span(&source), path);
    str_drop(&source);
    mem_free(path);
    return st;
}

/* mint-bench writes the descriptions of its tools out of its sources (get_toolset_description): so does this,
 * where the text itself is not in the data folder. */
static Status derive_tools(Str *out, const EvalRun *run, MintTask task)
{
    TRY(read_between(out, run, MINT_TOOLSET_FILE, "output = \"", "\\n\""));
    str_addc(out, '\n');
    if (task == MINT_ALFWORLD)
        return derive_household_tools(out, run);
    str_adds(out, "[1] wikipedia_search");
    TRY(read_between(out, run, MINT_WIKIPEDIA_FILE, "signature = f\"{name}", "\""));
    str_addc(out, '\n');
    return read_between(out, run, MINT_WIKIPEDIA_FILE, "WIKIPEDIA_DESCRIPTION = \"\"\"", "\"\"\"");
}

static Status read_tools(Mint *m, const EvalRun *run, json_t *facts)
{
    const char *file = mint_kinds[m->task].tools;
    char *path = path_join(run->data, file), *source = path_join(run->data, MINT_TOOLSET_FILE), sum[65];
    Status st;
    if (path_exists(path) || !path_exists(source)) {
        st = read_prompt(&m->tools, run, facts, file);
    } else {
        st = derive_tools(&m->tools, run, m->task);
        text_hash(sum, str_span(&m->tools));
        json_object_set_new(facts, file, json_string(sum));
    }
    mem_free(path);
    mem_free(source);
    return st;
}

Status mint_data_prompts(Mint *m, const EvalRun *run, json_t *facts)
{
    const MintKind *k = &mint_kinds[m->task];
    TRY(read_prompt(&m->template, run, facts, k->template));
    if (k->examples)
        TRY(read_examples(m, run, facts));
    if (k->tools)
        TRY(read_tools(m, run, facts));
    if (run->models.feedback)
        TRY(read_prompt(&m->feedback_template, run, facts, FEEDBACK_FILE));
    return ST_OK;
}

void mint_data_drop(Mint *m)
{
    if (!m)
        return;
    Str *const texts[] = {&m->template, &m->tools, &m->feedback_template};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        str_drop(texts[i]);
    for (int i = 0; i < HOUSEHOLD_TASKS; i++)
        str_drop(&m->examples[i]);
    mem_free(m);
}
