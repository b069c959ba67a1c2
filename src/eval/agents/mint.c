#include "eval/agents/mint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/episode.h"
#include "agent/prompt.h"
#include "agent/python_text.h"
#include "base/file.h"
#include "base/mem.h"
#include "env/python.h"
#include "env/wikipedia.h"
#include "eval/mark.h"
#include "eval/program.h"
#include "eval/sample_line.h"

enum { ANSWER_TOKENS = 512, STEPS = 5, PROPOSALS = 2, PROMPT_BYTES = 1 << 20 };
static const char *const stops[] = {"\nObservation:", "\nExpert feedback:", "\nTask:", "\n---"};

/* Files are below the data folder; NULL: there is none. */
typedef struct {
    const char *name, *questions, *template, *tools, *examples;
    bool code; /* a program graded by tests */
} Kind;
#define TEMPLATE_FILE "mint/prompt/templates/template_with_tool.txt"
#define FEEDBACK_FILE "mint/prompt/templates/template_feedback_agent.txt"
#define TOOLS_FILE "mint/prompt/tools/reasoning.txt"
#define EXAMPLES_FOLDER "mint/prompt/in_context_examples/"
#define QUESTIONS_FILE(task) "mint/" task "/test_prompts.json"
#define REASONING_KIND(task) \
    {"mint_" task, QUESTIONS_FILE(task), TEMPLATE_FILE, TOOLS_FILE, EXAMPLES_FOLDER "reasoning", false}
#define CODE_KIND(task) {"mint_" task, QUESTIONS_FILE(task), TEMPLATE_FILE, NULL, EXAMPLES_FOLDER task, true}
static const Kind kinds[MINT_TASKS] = {
    [MINT_GSM8K] = REASONING_KIND("gsm8k"),       [MINT_MATH] = REASONING_KIND("math"),
    [MINT_THEOREMQA] = REASONING_KIND("theoremqa"), [MINT_HOTPOTQA] = REASONING_KIND("hotpotqa"),
    [MINT_MMLU] = REASONING_KIND("mmlu"),         [MINT_HUMANEVAL] = CODE_KIND("humaneval"),
    [MINT_MBPP] = CODE_KIND("mbpp"),
    [MINT_OWN] = {"tasks", "tasks/questions.json", "tasks/prompt.txt", NULL, NULL, false},
};

/* Shared by all questions of a task. */
typedef struct {
    MintTask task;
    Str template, tools, example, feedback_template;
} Mint;

/* Questions. --------------------------------------------------------------------------------------------- */

static Span text_at(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_string(v) ? (Span){json_string_value(v), json_string_length(v)} : (Span){0};
}

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

/* Ids are numbers; of theoremqa they are names. */
static bool take_question(Questions *q, int64_t number, json_t *object)
{
    (void)number;
    const json_t *id = json_object_get(object, "id");
    if (!text_at(object, "prompt").at || !json_object_get(object, "reference"))
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

static Status read_example(Str *out, const EvalRun *run, json_t *facts, const Kind *k)
{
    char *file = mem_format("%s/%s.txt", k->examples,
                            run->models.feedback ? "with_tool_and_feedback" : "with_tool");
    Status st = read_prompt(out, run, facts, file);
    mem_free(file);
    return st;
}

static Status read_prompts(Mint *m, const EvalRun *run, json_t *facts)
{
    const Kind *k = &kinds[m->task];
    TRY(read_prompt(&m->template, run, facts, k->template));
    if (k->examples)
        TRY(read_example(&m->example, run, facts, k));
    if (k->tools)
        TRY(read_prompt(&m->tools, run, facts, k->tools));
    if (run->models.feedback)
        TRY(read_prompt(&m->feedback_template, run, facts, FEEDBACK_FILE));
    return ST_OK;
}

static void mint_close(void *state)
{
    Mint *m = state;
    if (!m)
        return;
    Str *const texts[] = {&m->template, &m->tools, &m->example, &m->feedback_template};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        str_drop(texts[i]);
    mem_free(m);
}

static int steps_of(const EvalRun *run)
{
    return run->settings->steps > 0 ? (int)run->settings->steps : STEPS;
}

/* mint-bench allows one proposal where there is one step. */
static int proposals_of(const EvalRun *run)
{
    if (run->settings->proposals > 0)
        return (int)run->settings->proposals;
    return steps_of(run) == 1 ? 1 : PROPOSALS;
}

static Status open_task(MintTask task, const EvalRun *run, Questions *out, void **state)
{
    Mint *m = mem_new(Mint);
    m->task = task;
    *state = m;
    json_t *facts = json_pack("{s:i, s:i}", "max_steps", steps_of(run), "max_propose", proposals_of(run));
    out->facts = facts;
    const char *file = kinds[task].questions; /* published as .json, and JSON Lines by content */
    char *lines = mem_format("%sl", file), *whole = path_join(run->data, lines);
    Status st = questions_read(out, run->data, path_exists(whole) ? lines : file, take_question);
    mem_free(whole);
    mem_free(lines);
    if (st == ST_OK)
        st = read_prompts(m, run, facts);
    if (st != ST_OK) {
        mint_close(m);
        *state = NULL;
    }
    return st;
}

/* The world of one episode: a Python session, begun by the first code, and a mark. ----------------------- */

typedef struct {
    const EvalRun *run;
    const Mint *mint;
    const json_t *doc;
    Span shown; /* the question as the model has it */
    PythonTool tools[1];
    size_t tools_n;
    Python *python;
    Sample *sample;
    ProgramEnd ended; /* of the last program that was tested */
} World;

static Status run_code(void *self, Span code, EpisodeOutcome *out)
{
    World *w = self;
    PythonCell cell;
    if (!w->python) {
        PythonSpec spec = {.tools = w->tools, .tools_n = w->tools_n};
        TRY(python_start(&w->python, &spec));
    } else if (!python_alive(w->python)) {
        TRY(python_restart(w->python));
    }
    TRY(python_run(w->python, &cell, code));
    add(&out->observation, str_span(&cell.text));
    out->error = cell.end != PYTHON_DONE;
    python_cell_drop(&cell);
    return ST_OK;
}

/* What a test raised is not shown: mint-bench says no more than that the answer is wrong. */
static Status test_program(World *w, Span solution, EpisodeOutcome *out)
{
    ProgramVerdict v = {0};
    Status st = program_test(&v, solution, text_at(w->doc, "reference"));
    if (st == ST_OK) {
        out->solved = v.end == PROGRAM_PASSED;
        out->error = v.end != PROGRAM_PASSED && v.end != PROGRAM_WRONG;
        w->ended = v.end;
    }
    program_verdict_drop(&v);
    return st;
}

static Mark mark_answer(const World *w, Span solution)
{
    Span gold = text_at(w->doc, "reference");
    MarkRule rule = w->run->settings->rule;
    switch (w->mint->task) {
    case MINT_THEOREMQA: return mark_theoremqa(rule, solution, json_object_get(w->doc, "reference"));
    case MINT_MMLU: return mark_choice(solution, w->shown, gold);
    case MINT_OWN: return mark_exact(solution, gold);
    default: return mark_reasoning(rule, solution, gold);
    }
}

/* What only a Python can tell (theoremqa, an answer that calls functions), a Python tells: the names that
 * mint-bench's eval has, then its conversions.  What does not evaluate is wrong. */
static const char decide_code[] = "import re, ast\n"
                                  "try:\n"
                                  "    import numpy as np\n"
                                  "    from sympy import Rational\n"
                                  "except ImportError:\n"
                                  "    pass\n"
                                  "v = eval(%s)\n"
                                  "v = v.tolist() if hasattr(v, 'tolist') else v\n"
                                  "v = list(v) if isinstance(v, (set, tuple)) else v\n"
                                  "v = v.real if isinstance(v, complex) else v\n"
                                  "v = float(v) if type(v).__module__.startswith('sympy') else v\n"
                                  "print(repr(v))\n";

static Status decide(const World *w, Span solution, Mark *mark)
{
    Str expression = {0}, code = {0};
    Python *python;
    PythonCell cell;
    const PythonSpec plain = {0};
    mark_theoremqa_expression(&expression, w->run->settings->rule, solution);
    json_t *text = json_stringn(str_c(&expression), expression.n);
    char *quoted = text ? json_dumps(text, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    Status st = ST_OK;
    *mark = MARK_WRONG;
    if (quoted) {
        str_addf(&code, decide_code, quoted);
        st = python_start(&python, &plain);
    }
    if (quoted && st == ST_OK) {
        st = python_run(python, &cell, str_span(&code));
        if (st == ST_OK && cell.end == PYTHON_DONE)
            *mark = mark_theoremqa_value(w->run->settings->rule, str_span(&cell.text),
                                         json_object_get(w->doc, "reference"));
        if (st == ST_OK)
            python_cell_drop(&cell);
        python_close(python);
    }
    free(quoted);
    json_decref(text);
    str_drop(&expression);
    str_drop(&code);
    return st;
}

/* A mark that raises in mint-bench is wrong here without its traceback, whose paths are the original's. */
static Status propose(void *self, Span solution, EpisodeOutcome *out)
{
    World *w = self;
    sample_read(w->sample, solution);
    out->none = true;
    if (kinds[w->mint->task].code)
        return test_program(w, solution, out);
    Mark mark = mark_answer(w, solution);
    if (mark == MARK_UNDECIDED)
        TRY(decide(w, solution, &mark));
    out->solved = mark == MARK_RIGHT;
    return ST_OK;
}

/* One question. ------------------------------------------------------------------------------------------ */

static Status make_opening(Str *out, const World *w)
{
    MintOpening o = {.template = str_span(&w->mint->template),
                     .tools = str_span(&w->mint->tools),
                     .example = str_span(&w->mint->example),
                     .task = w->shown,
                     .max_steps = steps_of(w->run),
                     .max_propose = proposals_of(w->run)};
    return prompt_mint_opening(out, &o);
}

static SampleKind kind_of(const Episode *e)
{
    const EpisodeStep *last = e->steps.n ? &e->steps.at[e->steps.n - 1] : NULL;
    if (e->turns.end == TURNS_SOLVED)
        return SAMPLE_FINE;
    if (e->end == EPISODE_CONTEXT)
        return SAMPLE_CONTEXT;
    if (e->end == EPISODE_TIME)
        return SAMPLE_TIME;
    if (e->end == EPISODE_TOKENS)
        return SAMPLE_BUDGET;
    if (last && last->unreadable)
        return SAMPLE_UNREADABLE;
    if (last && last->error)
        return SAMPLE_TOOL_ERROR;
    return e->turns.proposed ? SAMPLE_FINE : SAMPLE_BUDGET;
}

/* success@i: solved by the i-th step at the latest. */
static void fill_metrics(Sample *s, const Episode *e, int max_steps)
{
    bool solved = e->turns.end == TURNS_SOLVED;
    char name[32];
    sample_metric(s, "success", solved);
    for (int i = 1; i <= max_steps; i++) {
        snprintf(name, sizeof name, "success@%d", i);
        sample_metric(s, name, solved && (int)e->steps.n <= i);
    }
    sample_metric(s, "steps", (double)e->steps.n);
}

static void fill_texts(Sample *s, const Episode *e, Span opening)
{
    Str valid = {0};
    str_add_valid(&valid, opening.at, opening.n);
    json_array_append_new(s->prompts, json_stringn(str_c(&valid), valid.n));
    for (size_t i = 0; i < e->messages.messages.n; i++) {
        const ChatMessage *m = &e->messages.messages.at[i];
        if (m->role != CHAT_ASSISTANT)
            continue;
        str_clear(&valid);
        str_add_valid(&valid, m->content.at, m->content.n);
        json_array_append_new(s->answers, json_stringn(str_c(&valid), valid.n));
    }
    str_drop(&valid);
}

static void fill(Sample *s, const World *w, const Question *q, const Episode *e, Span opening)
{
    s->target = json_incref(json_object_get(q->doc, "reference"));
    s->kind = kind_of(e);
    fill_texts(s, e, opening);
    fill_metrics(s, e, steps_of(w->run));
    for (size_t i = 0; i < e->steps.n; i++) {
        const EpisodeStep *step = &e->steps.at[i];
        s->calls++;
        s->retries += step->retries;
        s->prompt_tokens += step->prompt_tokens;
        s->completion_tokens += step->completion_tokens;
        s->model_seconds += step->model_seconds;
    }
    if (kinds[w->mint->task].code && e->turns.proposed)
        json_object_set_new(s->more, "last_program", json_string(program_end_names[w->ended]));
    s->transcript = episode_transcript(e, kinds[w->mint->task].name, q->id);
}

static EpisodeSetup setup_of(const EvalRun *run)
{
    const EvalSettings *set = run->settings;
    ChatCall call = chatmodel_call(NULL);
    call.max_tokens = set->max_tokens > 0 ? set->max_tokens : ANSWER_TOKENS;
    if (set->temperature >= 0)
        call.sampler.temperature = (float)set->temperature;
    if (set->top_p >= 0)
        call.sampler.top_p = (float)set->top_p;
    call.sampler.seed = (uint64_t)set->seed;
    call.stops = stops;
    call.stops_n = sizeof stops / sizeof *stops;
    call.stopped = run->stopped;
    call.stopped_context = run->stopped_context;
    return (EpisodeSetup){.model = run->models.chat,
                          .call = call,
                          .actions = set->actions,
                          .max_steps = steps_of(run),
                          .max_propose = proposals_of(run),
                          .max_tokens = set->episode_tokens,
                          .max_seconds = set->episode_seconds,
                          .empty_system = set->empty_system};
}

static Status play(Episode *e, World *w, Span opening, Span gold)
{
    const EvalRun *run = w->run;
    EpisodeSetup setup = setup_of(run);
    EpisodeWorld world = {w, run_code, propose};
    Feedback feedback = {.model = run->models.feedback,
                         .template = str_span(&w->mint->feedback_template),
                         .example = str_span(&w->mint->example),
                         .tools = str_span(&w->mint->tools),
                         .solution = run->settings->feedback_gold ? gold : (Span){0},
                         .form = run->settings->feedback_binary ? FEEDBACK_BINARY : FEEDBACK_TEXT,
                         .stopped = run->stopped,
                         .stopped_context = run->stopped_context};
    if (run->models.feedback)
        setup.feedback = &feedback;
    return episode_run(e, &setup, &world, opening);
}

/* str(reference), near enough for a reader: lists are JSON's. */
static void add_gold(Str *out, const json_t *gold)
{
    if (json_is_string(gold)) {
        str_add(out, json_string_value(gold), json_string_length(gold));
    } else if (json_is_boolean(gold)) {
        str_adds(out, json_is_true(gold) ? "True" : "False");
    } else {
        char *text = json_dumps(gold, JSON_ENCODE_ANY);
        str_adds(out, text ? text : "");
        free(text);
    }
}

static Status mint_ask(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    const Mint *m = state;
    Str shown = {0}, opening = {0}, gold = {0};
    Episode e = {0};
    mint_question(&shown, m->task, text_at(q->doc, "prompt"));
    World w = {.run = run, .mint = m, .doc = q->doc, .shown = str_span(&shown), .sample = out};
    if (run->wikipedia && !kinds[m->task].code)
        w.tools[w.tools_n++] = wikipedia_tool(run->wikipedia);
    add_gold(&gold, json_object_get(q->doc, "reference"));
    Status st = make_opening(&opening, &w);
    if (st == ST_OK)
        st = play(&e, &w, str_span(&opening), str_span(&gold));
    python_close(w.python);
    if (st == ST_OK)
        fill(out, &w, q, &e, str_span(&opening));
    episode_drop(&e);
    str_drop(&shown);
    str_drop(&opening);
    str_drop(&gold);
    return st;
}

/* The tasks. --------------------------------------------------------------------------------------------- */

#define MINT_BENCH "https://raw.githubusercontent.com/xingyaoww/mint-bench/3f7f12c10bf763be1e6dbdeb42feb57624121f61/"
#define PROMPT(path, at, sum) {"mint/prompt/" path, MINT_BENCH at path, sum}
#define EXAMPLES(kind, plain, commented)                                                \
    PROMPT("in_context_examples/" kind "/with_tool.txt", "mint/tasks/", plain),         \
        PROMPT("in_context_examples/" kind "/with_tool_and_feedback.txt", "mint/tasks/", commented)
#define TEMPLATES                                                                                       \
    PROMPT("templates/template_with_tool.txt", "mint/",                                                 \
           "af2b3747af174f28f0773d41d82f922b929356c857cc6f097b287b0c9d3a267e"),                         \
        PROMPT("templates/template_feedback_agent.txt", "mint/",                                        \
               "080f92ff98f07206590124100af0c6f8c93c927997e8b0d10b3b1c40df768c6a")
#define REASONING                                                                                       \
    TEMPLATES,                                                                                          \
        EXAMPLES("reasoning", "998b74764f19230f88ee413d272f48de0eef036915af99e8bc9a962fceef2229",       \
                 "c74804f61b17fcb1d7619f232da216bfcc0d6d08579d6344144e84d8dcd39913"),                   \
    {                                                                                                   \
        "mint/prompt/tools/reasoning.txt", NULL, NULL                                                   \
    }
#define HUMANEVAL                                                                                       \
    TEMPLATES, EXAMPLES("humaneval", "9544297020279c692f4211c323ee76d4702d1cc3b61345dde8736adce6990414", \
                        "82332932601c24c59f2e0c40e1fdc59f120ac1173ea6fffa77a45002f739578d")
#define MBPP                                                                                            \
    TEMPLATES, EXAMPLES("mbpp", "0ff1c1c54c1c815b3c217736d5ef62cca4c194dcfb2f8678f271ba9e52e7a98b",     \
                        "164d1152b21df3c244ed438b4a4273e66d06b0f1c1ae1e827e3ace3fa0a39fe0")

static const char *const programs[] = {"python3", NULL};

/* A task's questions, then its prompt texts.  The descriptions of tools are made by mint-bench's
 * mint/tools/__init__.py from its sources and lie nowhere as a file; recorded openings hold them. */
#define MINT_TASK(task, TASK_, skill, says, sum, ...)                                                        \
    static const DataFile task##_files[] = {                                                            \
        {"mint/" #task "/test_prompts.json", MINT_BENCH "data/processed/" #task "/test_prompts.json", sum}, \
        __VA_ARGS__,                                                                                    \
        {0}};                                                                                          \
    static Status open_##task(const EvalRun *run, Questions *out, void **state)                         \
    {                                                                                                   \
        return open_task(TASK_, run, out, state);                                                       \
    }                                                                                                   \
    const Benchmark mint_##task = {                                                                     \
        .name = "mint_" #task,                                                                          \
        .groups = "mint " skill,                                                                        \
        .about = says,                                                                                  \
        .source = "MINT, arXiv:2309.10691; xingyaoww/mint-bench, Apache-2.0",                           \
        .metric = "success",                                                                            \
        .version = 1,                                                                                   \
        .shots = 1,                                                                                     \
        .needs = NEEDS_SANDBOX,                                                                         \
        .programs = programs,                                                                           \
        .files = task##_files,                                                                          \
        .open = open_##task,                                                                            \
        .ask = mint_ask,                                                                                \
        .close = mint_close,                                                                            \
    }

MINT_TASK(gsm8k, MINT_GSM8K, "mint_reasoning", "grade-school word problems, by Python",
     "cb64217de242508aa95ececfffde657c507d244ae434bfed80b9663a331e3006", REASONING);
MINT_TASK(math, MINT_MATH, "mint_reasoning", "competition mathematics, by Python",
     "48a8c50efe9a206ca2cc634192545ed132596846fcd07631d5de2f4c6b54642d", REASONING);
MINT_TASK(theoremqa, MINT_THEOREMQA, "mint_reasoning", "questions that need a theorem, by Python",
     "0a66cce3ccfbb3645fb26c5c37951c7043284f9c82c04121a2bd0102abe12779", REASONING);
MINT_TASK(hotpotqa, MINT_HOTPOTQA, "mint_reasoning", "questions over two articles, by Wikipedia and Python",
     "3d85c77e4c8c25c8c8f7415fb29067be0d13b5a784ab45b6a89900f04e693282", REASONING);
MINT_TASK(mmlu, MINT_MMLU, "mint_reasoning", "multiple choice, by Wikipedia and Python",
     "77bd8aa372ddabb587392d7c9c7d275b75ac32d31fdbc836f1faa4d66d4300c3", REASONING);
MINT_TASK(humaneval, MINT_HUMANEVAL, "mint_code", "complete a function, tests decide",
     "4928a066639367b11c18d903816d6c5705073694c974892371fe9d30f5b6a75d", HUMANEVAL);
MINT_TASK(mbpp, MINT_MBPP, "mint_code", "write a function, tests decide",
     "5aa7dd825467a624b400f4a18c95f23211019bb9da76c9041288b44b315538b6", MBPP);

static const DataFile own_files[] = {{"tasks/questions.jsonl", NULL, NULL}, {"tasks/prompt.txt", NULL, NULL}, {0}};
static Status open_own(const EvalRun *run, Questions *out, void **state)
{
    return open_task(MINT_OWN, run, out, state);
}
const Benchmark own_tasks = {
    .name = "tasks",
    .groups = "",
    .about = "tasks of your own by MINT's protocol: a Python session, and the exact answer",
    .source = "write tasks/questions.jsonl, a line {\"id\", \"prompt\", \"reference\"} each, and tasks/prompt.txt,\n"
              "the opening with the holes {task_prompt}, {max_total_steps}, {max_propose_solution}",
    .metric = "success",
    .version = 1,
    .needs = NEEDS_SANDBOX,
    .programs = programs,
    .files = own_files,
    .open = open_own,
    .ask = mint_ask,
    .close = mint_close,
};
