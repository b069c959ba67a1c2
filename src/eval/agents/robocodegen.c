#include "eval/agents/robocodegen.h"

#include <string.h>

#include "agent/prompt.h"
#include "agent/python_text.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "eval/sample_line.h"
#include "eval/static/code_answer.h"
#include "eval/static/code_task.h"

#define CHAT_FORM "robocodegen/chat.txt"

/* Of one question, and how deep functions may call for others that are not there. */
enum { ANSWER_TOKENS = 512, FUNCTIONS_MAX = 16, DEPTH_MAX = 4 };
static const char *const stops[] = {"# define function:", "# example:"};
static const char *const fences[] = {"python", "py", "python3", NULL};

/* Data. -------------------------------------------------------------------------------------------------- */

static bool take(Questions *q, int64_t number, json_t *object)
{
    (void)number;
    if (!doc_text(object, "f_name").n || !doc_text(object, "f_sig").n)
        return false;
    questions_add(q, doc_text(object, "f_name").at, json_string_value(json_object_get(object, "category")),
                  object);
    return true;
}

static void leave_out_unknown(Questions *q, Robot *robot)
{
    size_t kept = 0;
    for (size_t i = 0; i < q->all.n; i++) {
        Question *one = &q->all.at[i];
        if (robot_knows(robot, one->doc) == ST_OK) {
            q->all.at[kept++] = *one;
            continue;
        }
        log_warn("robocodegen: a problem is left out: %s", error_text());
        q->left_out++;
        mem_free(one->id);
        mem_free(one->part);
        json_decref(one->doc);
    }
    q->all.n = kept;
}

static Status keep_inputs_hash(const Questions *q, Robot *robot)
{
    json_t *problems = json_array();
    Str hash = {0};
    for (size_t i = 0; i < q->all.n; i++)
        json_array_append(problems, q->all.at[i].doc);
    Status st = robot_inputs_hash(robot, &hash, problems);
    json_object_set_new(q->facts, "inputs", json_string(str_c(&hash)));
    json_decref(problems);
    str_drop(&hash);
    return st;
}

static Status read_texts(RoboCodeGen *g, Questions *q, const char *data)
{
    bool there;
    TRY(code_form_read(&g->prompt, &there, q, data, ROBOT_PROMPT));
    if (!there)
        return fail(ST_IO,
                    "%s/" ROBOT_PROMPT " is not there; lemur eval --list robocodegen says where it comes "
                    "from",
                    data);
    return code_form_read(&g->form, &g->has_form, q, data, CHAT_FORM);
}

Status robocodegen_open(const EvalRun *run, Questions *out, void **state)
{
    RoboCodeGen *g = mem_new(RoboCodeGen);
    RobotSpec spec = {.stopped = run->stopped, .stopped_context = run->stopped_context};
    Status st;
    if (run->settings->program_seconds > 0)
        spec.seconds = run->settings->program_seconds;
    TRY_TO(undo, questions_read(out, run->data, ROBOT_PROBLEMS, take));
    TRY_TO(undo, read_texts(g, out, run->data));
    TRY_TO(undo, robot_open(&g->robot, &spec));
    leave_out_unknown(out, g->robot);
    if (!out->all.n)
        TRY_TO(undo, fail_in(ST_FORMAT, ROBOT_PROBLEMS));
    TRY_TO(undo, keep_inputs_hash(out, g->robot));
    *state = g;
    return ST_OK;
undo:
    robocodegen_close(g);
    return st;
}

void robocodegen_close(void *state)
{
    RoboCodeGen *g = state;
    if (!g)
        return;
    robot_close(g->robot);
    str_drop(&g->prompt);
    str_drop(&g->form);
    mem_free(g);
}

/* Asking and reading. ------------------------------------------------------------------------------------ */

Status robocodegen_prompt(Str *out, const EvalRun *run, const RoboCodeGen *g, Span signature)
{
    Str query = {0};
    Status st = ST_OK;
    robot_query(&query, str_span(&g->prompt), signature);
    PromptHole hole = {"prompt", str_span(&query)};
    if (g->has_form && !run->models.plain)
        st = prompt_fill(out, str_span(&g->form), &hole, 1);
    else
        str_add(out, query.at, query.n);
    str_drop(&query);
    return st == ST_OK ? ST_OK : fail_in(st, CHAT_FORM);
}

AskText robocodegen_how(const EvalRun *run)
{
    AskText how = {.max_tokens = ANSWER_TOKENS};
    if (run->models.plain) {
        how.stops = stops;
        how.stops_n = sizeof stops / sizeof *stops;
    }
    return how;
}

/* A line of the prompt that says "import": what it brings is there already, and the word is not allowed. */
static bool repeats_import(Span line, Span prompt)
{
    Span of_prompt;
    if (!python_in(span("import"), line))
        return false;
    for (size_t at = 0; code_line(prompt, &at, &of_prompt);)
        if (of_prompt.n == line.n && memcmp(of_prompt.at, line.at, line.n) == 0)
            return true;
    return false;
}

void robocodegen_source(Str *out, const EvalRun *run, const RoboCodeGen *g, Span answer)
{
    Span line;
    if (run->models.plain) {
        Span text = span_trim(code_cut(answer, stops, sizeof stops / sizeof *stops));
        str_add(out, text.at, text.n);
        return;
    }
    Str left = {0};
    code_block(code_fences_left(&left, answer), fences, &answer);
    answer = span_trim(answer);
    for (size_t at = 0; code_line(answer, &at, &line);) {
        if (repeats_import(span_trim(line), str_span(&g->prompt)))
            continue;
        str_add(out, line.at, line.n);
        str_addc(out, '\n');
    }
    str_drop(&left);
}

void robocodegen_mark(Sample *out, const RobotVerdict *v)
{
    static const SampleKind kinds[ROBOT_ENDS] = {[ROBOT_RAISED] = SAMPLE_TOOL_ERROR,
                                                 [ROBOT_SYNTAX] = SAMPLE_TOOL_ERROR,
                                                 [ROBOT_REFUSED] = SAMPLE_TOOL_ERROR,
                                                 [ROBOT_NOTHING] = SAMPLE_UNREADABLE,
                                                 [ROBOT_LATE] = SAMPLE_TIME};
    sample_metric(out, "pass", v->end == ROBOT_PASSED);
    sample_metric(out, "inputs", v->inputs ? (double)v->passed / v->inputs : 0);
    json_object_set_new(out->more, "verdict", json_string(robot_end_names[v->end]));
    json_object_set_new(out->more, "says", json_text(str_span(&v->says)));
    if (out->kind == SAMPLE_FINE)
        out->kind = kinds[v->end];
}

/* One answer, and the functions that it calls for. ------------------------------------------------------- */

typedef struct {
    char *name;
    Str source;
} Written;

typedef struct {
    const EvalRun *run;
    const RoboCodeGen *g;
    const Question *q;
    Sample *sample;
    bool hierarchical;
    int asked;
    Array(Written) helpers; /* in the order in which they can be defined */
} Generation;

/* Its functions point into `gen`, which is not to be added to meanwhile; the caller frees try->helpers. */
static RobotFunction *try_of(RobotTry *try, const Generation *gen, const char *name, Span source)
{
    RobotFunction *functions = mem_array(RobotFunction, gen->helpers.n + 1);
    for (size_t i = 0; i < gen->helpers.n; i++)
        functions[i] = (RobotFunction){gen->helpers.at[i].name, str_span(&gen->helpers.at[i].source)};
    *try = (RobotTry){.problem = gen->q->doc,
                      .defines = name,
                      .source = source,
                      .helpers = functions,
                      .helpers_n = gen->helpers.n};
    return functions;
}

static bool is_written(const Generation *gen, const char *name)
{
    for (size_t i = 0; i < gen->helpers.n; i++)
        if (strcmp(gen->helpers.at[i].name, name) == 0)
            return true;
    return false;
}

static Status generate(Generation *gen, Str *source, const char *name, Span signature, int depth);

static Status generate_one_called(Generation *gen, const json_t *call, int depth)
{
    const char *name = json_string_value(json_array_get(call, 0)),
               *signature = json_string_value(json_array_get(call, 1));
    if (!name || !signature || is_written(gen, name))
        return ST_OK;
    Written w = {.name = mem_str(name)};
    Status st = generate(gen, &w.source, name, span(signature), depth + 1);
    if (st == ST_OK) {
        array_push(&gen->helpers, w);
        return ST_OK;
    }
    mem_free(w.name);
    str_drop(&w.source);
    return st;
}

/* What the source calls and nobody has written is asked for in its turn, by the call as signature. */
static Status generate_called(Generation *gen, Span source, const char *name, int depth)
{
    RobotTry try;
    json_t *calls = NULL;
    RobotFunction *functions = try_of(&try, gen, name, source);
    Status st = robot_calls(gen->g->robot, &calls, &try);
    mem_free(functions);
    for (size_t i = 0; st == ST_OK && i < json_array_size(calls) && gen->asked < FUNCTIONS_MAX; i++)
        st = generate_one_called(gen, json_array_get(calls, i), depth);
    json_decref(calls);
    return st;
}

static Status generate(Generation *gen, Str *source, const char *name, Span signature, int depth)
{
    Str prompt = {0}, answer = {0};
    AskText how = robocodegen_how(gen->run);
    gen->asked++;
    Status st = robocodegen_prompt(&prompt, gen->run, gen->g, signature);
    if (st == ST_OK)
        st = ask_text(gen->run, gen->sample, str_span(&prompt), &how, &answer);
    if (st == ST_OK) {
        robocodegen_source(source, gen->run, gen->g, str_span(&answer));
        sample_read(gen->sample, str_span(source));
        if (gen->hierarchical && depth < DEPTH_MAX)
            st = generate_called(gen, str_span(source), name, depth);
    }
    str_drop(&prompt);
    str_drop(&answer);
    return st;
}

static Status ask_once(const EvalRun *run, void *state, const Question *q, Sample *out, bool hierarchical)
{
    Generation gen = {.run = run, .g = state, .q = q, .sample = out, .hierarchical = hierarchical};
    RobotVerdict v = {0};
    RobotTry try;
    Str source = {0};
    Status st = generate(&gen, &source, q->id, doc_text(q->doc, "f_sig"), 0);
    if (st == ST_OK) {
        RobotFunction *functions = try_of(&try, &gen, q->id, str_span(&source));
        st = robot_run(gen.g->robot, &v, &try);
        mem_free(functions);
    }
    if (st == ST_OK) {
        robocodegen_mark(out, &v);
        json_object_set_new(out->more, "functions", json_integer(gen.asked));
        out->target = json_incref(json_object_get(q->doc, "f_sig"));
    }
    for (size_t i = 0; i < gen.helpers.n; i++) {
        mem_free(gen.helpers.at[i].name);
        str_drop(&gen.helpers.at[i].source);
    }
    array_drop(&gen.helpers);
    robot_verdict_drop(&v);
    str_drop(&source);
    return st;
}

static Status ask_hierarchical(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    return ask_once(run, state, q, out, true);
}

static Status ask_flat(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    return ask_once(run, state, q, out, false);
}

const char *const robocodegen_programs[] = {"python3", NULL};
const DataFile robocodegen_files[] = {{ROBOT_PROBLEMS, NULL, NULL}, {ROBOT_PROMPT, NULL, NULL}, {0}};

const Benchmark robocodegen =
    ROBOCODEGEN("robocodegen",
                "37 functions of a robot's program, those they call written in their turn; by frozen inputs",
                robocodegen_open, ask_hierarchical);
const Benchmark robocodegen_flat =
    ROBOCODEGEN("robocodegen_flat", "the same 37 functions, each in one answer", robocodegen_open, ask_flat);
