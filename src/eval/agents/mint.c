#include "eval/agents/mint_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/episode.h"
#include "agent/prompt.h"
#include "agent/python_text.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "base/python_repr.h"
#include "env/python.h"
#include "env/wikipedia.h"
#include "eval/agents/household_tasks.h"
#include "eval/mark.h"
#include "eval/program.h"
#include "eval/sample_line.h"

enum { ANSWER_TOKENS = 512, STEPS = 5, PROPOSALS = 2 };
static const char *const stops[] = {"\nObservation:", "\nExpert feedback:", "\nTask:", "\n---"};

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

void mint_close(void *state)
{
    mint_data_drop(state);
}

Status mint_open(MintTask task, const EvalRun *run, Questions *out, void **state)
{
    Mint *m = mem_new(Mint);
    m->task = task;
    *state = m;
    json_t *facts = json_pack("{s:i, s:i}", "max_steps", steps_of(run), "max_propose", proposals_of(run));
    out->facts = facts;
    Status st = mint_data_questions(out, run, task);
    if (st == ST_OK)
        st = mint_data_prompts(m, run, facts);
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
    Span gold;  /* str(reference) */
    Span example;
    PythonTool search; /* of Wikipedia */
    const PythonTool *tools;
    size_t tools_n;
    Household *game; /* NULL, and so is play: none is played */
    HouseholdPlay *play;
    Python *python;
    Sample *sample;
    ProgramEnd ended; /* of the last program that was tested */
    double until;     /* of base/clock.h, the episode's end; 0: none */
} World;

/* A cell of the model's ends with its episode at the latest. */
static bool is_over(void *self)
{
    const World *w = self;
    return (w->until > 0 && clock_now() >= w->until) ||
           (w->run->stopped && w->run->stopped(w->run->stopped_context));
}

/* In a session of that spec, begun where there is none. */
static Status run_cell(const World *w, Python **python, const PythonSpec *spec, PythonCell *cell, Span code)
{
    TRY(python_ready(python, spec));
    TRY(python_run(*python, cell, code));
    if (!cell->stopped || !w->run->stopped || !w->run->stopped(w->run->stopped_context))
        return ST_OK;
    python_cell_drop(cell);
    return fail(ST_CANCELLED, "stopped");
}

static Status run_code(void *self, Span code, EpisodeOutcome *out)
{
    World *w = self;
    PythonCell cell;
    PythonSpec spec = {.tools = w->tools, .tools_n = w->tools_n, .stopped = is_over, .stopped_context = w};
    TRY(run_cell(w, &w->python, &spec, &cell, code));
    str_add(&out->observation, cell.text.at, cell.text.n);
    out->error = cell.end != PYTHON_DONE;
    out->solved = w->play && household_play_succeeded(w->play);
    out->commands = w->play ? household_play_take(w->play) : NULL;
    python_cell_drop(&cell);
    return ST_OK;
}

/* What a test raised is not shown: mint-bench says no more than that the answer is wrong. */
static Status test_program(World *w, Span solution, EpisodeOutcome *out)
{
    ProgramVerdict v = {0};
    Status st = program_test(&v, solution, w->gold, w->run->settings->program_seconds);
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
    Span gold = w->gold;
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
    Python *python = NULL;
    PythonCell cell;
    mark_theoremqa_expression(&expression, w->run->settings->rule, solution);
    json_t *text = json_stringn(str_c(&expression), expression.n);
    char *quoted = text ? json_dumps(text, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    Status st = ST_OK;
    *mark = MARK_WRONG;
    if (quoted) {
        str_addf(&code, decide_code, quoted);
        PythonSpec spec = {.stopped = w->run->stopped, .stopped_context = w->run->stopped_context};
        st = run_cell(w, &python, &spec, &cell, str_span(&code));
    }
    if (quoted && st == ST_OK) {
        if (cell.end == PYTHON_DONE)
            *mark = mark_theoremqa_value(w->run->settings->rule, str_span(&cell.text),
                                         json_object_get(w->doc, "reference"));
        python_cell_drop(&cell);
    }
    python_close(python);
    free(quoted);
    json_decref(text);
    str_drop(&expression);
    str_drop(&code);
    return st;
}

/* A mark that raises in mint-bench is wrong here without its traceback, whose paths are the original's.  In a
 * household a solution says nothing: what was done counts. */
static Status propose(void *self, Span solution, EpisodeOutcome *out)
{
    World *w = self;
    sample_read(w->sample, solution);
    out->none = true;
    if (w->play) {
        out->solved = household_play_succeeded(w->play);
        return ST_OK;
    }
    if (mint_kinds[w->mint->task].code)
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
                     .example = w->example,
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
    if (e->end == EPISODE_REFUSED)
        return SAMPLE_REFUSED;
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
    json_array_append_new(s->prompts, json_text(opening));
    for (size_t i = 0; i < e->messages.messages.n; i++) {
        const ChatMessage *m = &e->messages.messages.at[i];
        if (m->role == CHAT_ASSISTANT)
            json_array_append_new(s->answers, json_text(m->content));
    }
}

/* Who gave it, and how often. */
static void fill_feedback(Sample *s, const EvalRun *run, const Episode *e)
{
    int64_t n = 0;
    if (!run->models.feedback && !run->models.hints)
        return;
    for (size_t i = 0; i < e->steps.n; i++)
        n += e->steps.at[i].feedback;
    sample_feedback(s, run, n);
}

static void fill(Sample *s, const World *w, const Question *q, const Episode *e, Span opening)
{
    s->target = json_incref(json_object_get(q->doc, "reference"));
    s->kind = kind_of(e);
    if (s->kind == SAMPLE_REFUSED)
        sample_refuse(s, str_span(&e->refusal));
    fill_texts(s, e, opening);
    fill_metrics(s, e, steps_of(w->run));
    if (w->play) {
        sample_metric(s, "goal", household_play_state(w->play)->won);
        sample_metric(s, "commands", household_play_state(w->play)->steps);
    }
    for (size_t i = 0; i < e->steps.n; i++) {
        const EpisodeStep *step = &e->steps.at[i];
        s->calls++;
        s->retries += step->retries;
        s->prompt_tokens += step->prompt_tokens;
        s->completion_tokens += step->completion_tokens;
        s->model_seconds += step->model_seconds;
        s->feedback_calls += step->feedback_asked;
        s->feedback_prompt_tokens += step->feedback_prompt_tokens;
        s->feedback_completion_tokens += step->feedback_completion_tokens;
        s->feedback_seconds += step->feedback_seconds;
    }
    if (mint_kinds[w->mint->task].code && e->turns.proposed)
        json_object_set_new(s->more, "last_program", json_string(program_end_names[w->ended]));
    s->transcript = episode_transcript(e, mint_kinds[w->mint->task].name, q->id);
    fill_feedback(s, w->run, e);
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
                          .empty_system = set->empty_system,
                          .withhold = set->no_observations};
}

static Status play(Episode *e, World *w, Span opening)
{
    const EvalRun *run = w->run;
    EpisodeSetup setup = setup_of(run);
    EpisodeWorld world = {w, run_code, propose};
    Feedback feedback = {.model = run->models.feedback,
                         .hints = run->models.hints,
                         .template = str_span(&w->mint->feedback_template),
                         .example = w->example,
                         .tools = str_span(&w->mint->tools),
                         .solution = run->settings->feedback_gold || run->models.hints ? w->gold : (Span){0},
                         .form = run->settings->feedback_binary ? FEEDBACK_BINARY : FEEDBACK_TEXT,
                         .stopped = run->stopped,
                         .stopped_context = run->stopped_context};
    if (feedback.model || feedback.hints)
        setup.feedback = &feedback;
    w->until = setup.max_seconds > 0 ? clock_now() + setup.max_seconds : 0;
    return episode_run(e, &setup, &world, opening);
}

/* str(reference). */
static void add_gold(Str *out, const json_t *gold)
{
    if (json_is_string(gold))
        str_add(out, json_string_value(gold), json_string_length(gold));
    else if (json_is_boolean(gold))
        str_adds(out, json_is_true(gold) ? "True" : "False");
    else if (json_is_real(gold))
        python_repr_real(out, json_real_value(gold));
    else if (json_is_integer(gold))
        str_addf(out, "%lld", (long long)json_integer_value(gold));
    else if (json_is_array(gold)) /* theoremqa's: of numbers */
        str_addc(out, '[');
    for (size_t i = 0; i < json_array_size(gold); i++) {
        str_adds(out, i ? ", " : "");
        add_gold(out, json_array_get(gold, i));
    }
    str_adds(out, json_is_array(gold) ? "]" : "");
}

/* What the model is shown of the question, and the functions that its cells have. */
static Status begin(World *w, const Question *q, Str *shown)
{
    if (w->mint->task == MINT_ALFWORLD) {
        TRY(household_task_open(&w->game, w->run, q));
        w->play = household_play_new();
        household_play_begin(w->play, w->game);
        household_question(shown, w->game);
        w->tools = household_play_tools(w->play);
        w->tools_n = HOUSEHOLD_TOOLS;
    } else {
        mint_question(shown, w->mint->task, doc_text(q->doc, "prompt"));
        if (w->run->wikipedia && !mint_kinds[w->mint->task].code) {
            w->search = wikipedia_tool(w->run->wikipedia);
            w->tools = &w->search;
            w->tools_n = 1;
        }
    }
    w->shown = str_span(shown);
    return ST_OK;
}

Status mint_ask(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    const Mint *m = state;
    Str shown = {0}, opening = {0}, gold = {0};
    Episode e = {0};
    World w = {.run = run, .mint = m, .doc = q->doc, .example = mint_example(m, q), .sample = out};
    add_gold(&gold, json_object_get(q->doc, "reference"));
    w.gold = (Span){str_c(&gold), gold.n};
    Status st = begin(&w, q, &shown);
    if (st == ST_OK)
        st = make_opening(&opening, &w);
    if (st == ST_OK)
        st = play(&e, &w, str_span(&opening));
    python_close(w.python);
    if (st == ST_OK)
        fill(out, &w, q, &e, str_span(&opening));
    episode_drop(&e);
    household_play_free(w.play);
    household_close(w.game);
    str_drop(&shown);
    str_drop(&opening);
    str_drop(&gold);
    return st;
}
