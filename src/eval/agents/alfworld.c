/* Sources of the protocol: alfworld/alfworld, alfworld/agents/environment/alfred_tw_env.py (commands, 50
 * steps); ysymyth/ReAct, alfworld.ipynb ("> ", observations without the location, think:). */
#include "eval/agents/alfworld.h"

#include <string.h>

#include "agent/action.h"
#include "agent/prompt.h"
#include "agent/python_text.h"
#include "base/clock.h"
#include "base/file.h"
#include "env/household_tools.h"
#include "eval/agents/dialogue.h"
#include "eval/agents/household_tasks.h"
#include "eval/sample_line.h"

enum { ANSWER_TOKENS = 512, PROMPT_BYTES = 1 << 20 };

/* The paths are from the folder that make runs in. */
extern const char alfworld_commands_text[], alfworld_python_text[];
__asm__(".section .rodata\n"
        "alfworld_commands_text:\n.incbin \"src/eval/agents/alfworld_commands.txt\"\n.byte 0\n"
        "alfworld_python_text:\n.incbin \"src/eval/agents/alfworld_python.txt\"\n.byte 0\n"
        ".previous");

/* Shared by all questions. */
typedef struct {
    bool python;
    Str opening, retry; /* templates */
} Alfworld;

static int budget_of(const EvalRun *run)
{
    return run->settings->steps > 0 ? (int)run->settings->steps : HOUSEHOLD_STEPS;
}

static void close_alfworld(void *state)
{
    Alfworld *a = state;
    if (!a)
        return;
    str_drop(&a->opening);
    str_drop(&a->retry);
    mem_free(a);
}

static Status split_prompt(Alfworld *a, Span text, const char *name)
{
    static const char mark[] = "\n---\n";
    size_t at = python_find(text, span(mark), 0), behind = at + strlen(mark);
    if (behind > text.n)
        return fail(ST_FORMAT,
                    "%s: no line \"---\", behind which stands what an answer without an action is told",
                    name);
    str_add(&a->opening, text.at, at);
    Span retry = span_trim((Span){text.at + behind, text.n - behind});
    str_add(&a->retry, retry.at, retry.n);
    return ST_OK;
}

static Status read_prompt(Alfworld *a, const EvalRun *run, json_t *facts)
{
    const char *name = a->python ? ALFWORLD_PYTHON : ALFWORLD_COMMANDS;
    char *path = path_join(run->data, name), sum[65];
    Str text = {0};
    Status st = ST_OK;
    if (path_exists(path))
        st = file_read(&text, path, PROMPT_BYTES);
    else
        str_adds(&text, a->python ? alfworld_python_text : alfworld_commands_text);
    if (st == ST_OK) {
        text_hash(sum, str_span(&text));
        json_object_set_new(facts, name, json_string(sum));
        st = split_prompt(a, str_span(&text), path);
    }
    str_drop(&text);
    mem_free(path);
    return st;
}

static Status open_alfworld(bool python, const EvalRun *run, Questions *out, void **state)
{
    Status st;
    Alfworld *a = mem_new(Alfworld);
    a->python = python;
    out->facts = json_pack("{s:i}", "max_steps", budget_of(run));
    TRY_TO(undo, household_tasks_read(out, run));
    TRY_TO(undo, read_prompt(a, run, out->facts));
    *state = a;
    return ST_OK;
undo:
    close_alfworld(a);
    return st;
}

/* One game. ---------------------------------------------------------------------------------------------- */

typedef struct {
    const EvalRun *run;
    Household *game;
    HouseholdPlay *play;
    Python *python;
    Action action;
    Str retry, command;
    HouseholdCommands admissible;
    double until; /* of base/clock.h, the episode's end; 0: none */
} World;

static void tell_outcome(const World *w, DialogueTurn *out)
{
    const HouseholdState *s = household_play_state(w->play);
    out->score = s->won;
    out->used_up = s->done && !s->won;
    out->commands = household_play_take(w->play);
}

static void tell_retry(const World *w, Span answer, DialogueTurn *out)
{
    str_add(&out->action, answer.at, answer.n);
    str_add(&out->observation, w->retry.at, w->retry.n);
}

/* Commands. */

static Span line_at(Span text, size_t at)
{
    const char *end = memchr(text.at + at, '\n', text.n - at);
    return (Span){text.at + at, end ? (size_t)(end - text.at) - at : text.n - at};
}

Span alfworld_command(Span answer)
{
    answer = span_trim(answer);
    for (size_t at = 0; at < answer.n;) {
        Span line = line_at(answer, at), inner = span_trim(line);
        if (span_starts(inner, ">"))
            return span_trim((Span){inner.at + 1, inner.n - 1});
        if (line.n == answer.n)
            return inner;
        at += line.n + 1;
    }
    return (Span){0};
}

/* What can be done now, where the user wants it told. */
static void add_admissible(World *w, Str *out)
{
    if (!w->run->settings->admissible)
        return;
    household_admissible(w->game, household_play_state(w->play), &w->admissible);
    str_adds(out, "\nCommands that do something here:");
    for (size_t i = 0; i < w->admissible.n; i++)
        str_addf(out, "%s %s", i ? "," : "", w->admissible.at[i]);
}

/* What a model wrote behind its command did not happen, and is not kept.  "think:" is answered as ReAct's
 * notebook does. */
static Status act_command(void *self, Span answer, DialogueTurn *out)
{
    World *w = self;
    Span command = alfworld_command(answer);
    out->understood = command.n > 0;
    if (!out->understood) {
        tell_retry(w, answer, out);
        return ST_OK;
    }
    str_clear(&w->command);
    str_add(&w->command, command.at, command.n);
    TRY(household_play_step(w->play, str_c(&w->command)));
    Span said = span_starts(command, "think:") ? span("OK.") : household_heard(household_play_state(w->play));
    str_add(&out->action, answer.at, (size_t)(command.at + command.n - answer.at));
    str_add(&out->observation, said.at, said.n);
    add_admissible(w, &out->observation);
    tell_outcome(w, out);
    return ST_OK;
}

/* Code. */

/* A cell ends with its episode at the latest. */
static bool is_over(void *self)
{
    const World *w = self;
    return (w->until > 0 && clock_now() >= w->until) ||
           (w->run->stopped && w->run->stopped(w->run->stopped_context));
}

static Status act_code(void *self, Span answer, DialogueTurn *out)
{
    World *w = self;
    PythonCell cell;
    PythonSpec spec = {.tools = household_play_tools(w->play),
                       .tools_n = HOUSEHOLD_TOOLS,
                       .stopped = is_over,
                       .stopped_context = w};
    action_find(&w->action, w->run->settings->actions, answer);
    out->understood = w->action.kind == ACTION_CODE && !w->action.unreadable;
    if (!out->understood) {
        tell_retry(w, answer, out);
        return ST_OK;
    }
    TRY(python_ready(&w->python, &spec));
    TRY(python_run(w->python, &cell, str_span(&w->action.text)));
    if (cell.stopped && w->run->stopped && w->run->stopped(w->run->stopped_context)) {
        python_cell_drop(&cell);
        return fail(ST_CANCELLED, "stopped");
    }
    str_add(&out->action, answer.at, answer.n);
    str_add(&out->observation, cell.text.at, cell.text.n);
    out->failed = cell.end != PYTHON_DONE;
    python_cell_drop(&cell);
    tell_outcome(w, out);
    return ST_OK;
}

static Status fill_prompt(Str *out, const World *w, const Str *template)
{
    bool tags = w->run->settings->actions == ACTION_TAGS;
    Span room = household_room(w->game), task = household_task(w->game);
    Str house = {0}, steps = {0};
    str_add(&house, room.at, room.n);
    str_addc(&house, '\n');
    str_add(&house, task.at, task.n);
    str_addf(&steps, "%d", budget_of(w->run));
    const PromptHole holes[] = {{"task", str_span(&house)},
                                {"steps", str_span(&steps)},
                                {"begin", span(tags ? "<execute>" : "```python")},
                                {"end", span(tags ? "</execute>" : "```")}};
    Status st = prompt_fill(out, str_span(template), holes, sizeof holes / sizeof *holes);
    str_drop(&house);
    str_drop(&steps);
    return st;
}

static Status play_game(Sample *out, const Alfworld *a, World *w, const char *id)
{
    Str opening = {0};
    Status st = fill_prompt(&opening, w, &a->opening);
    if (st == ST_OK)
        st = fill_prompt(&w->retry, w, &a->retry);
    if (st == ST_OK && !a->python)
        add_admissible(w, &opening);
    if (st == ST_OK) {
        DialogueSetup setup = {.environment = a->python ? "alfworld_python" : "alfworld",
                               .opening = str_span(&opening),
                               .turns = budget_of(w->run),
                               .how = {.max_tokens = ANSWER_TOKENS}};
        DialogueWorld world = {w, a->python ? act_code : act_command};
        st = dialogue_play(out, w->run, id, &setup, &world);
    }
    str_drop(&opening);
    return st;
}

static Status ask_alfworld(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    const Alfworld *a = state;
    double seconds = run->settings->episode_seconds;
    World w = {.run = run, .until = seconds > 0 ? clock_now() + seconds : 0};
    TRY(household_task_open(&w.game, run, q));
    w.play = household_play_new();
    household_play_begin(w.play, w.game);
    household_play_limit(w.play, budget_of(run));
    out->target = json_incref(json_object_get(q->doc, "reference"));
    Status st = play_game(out, a, &w, q->id);
    if (st == ST_OK) {
        sample_metric(out, "goal", household_play_state(w.play)->won);
        sample_metric(out, "commands", household_play_state(w.play)->steps);
    }
    python_close(w.python);
    household_play_free(w.play);
    household_close(w.game);
    action_drop(&w.action);
    array_drop(&w.admissible);
    str_drop(&w.retry);
    str_drop(&w.command);
    return st;
}

/* The benchmarks. ---------------------------------------------------------------------------------------- */

static Status open_commands(const EvalRun *run, Questions *out, void **state)
{
    return open_alfworld(false, run, out, state);
}

static Status open_python(const EvalRun *run, Questions *out, void **state)
{
    return open_alfworld(true, run, out, state);
}

static const char *const programs[] = {"python3", NULL};
static const DataFile files[] = {HOUSEHOLD_LIST_FILE,
#define GAME(name, game, list) \
    HOUSEHOLD_GAME_FILE(name, "game.tw-pddl", game), HOUSEHOLD_GAME_FILE(name, "gt_traj.txt", list),
#include "eval/agents/alfworld_games.def"
#undef GAME
                                 {0}};
#define SOURCE "ALFWorld, arXiv:2010.03768, MIT; games as in xingyaoww/mint-bench, Apache-2.0"

const Benchmark alfworld = {
    .name = "alfworld",
    .groups = "household",
    .about = "ALFWorld: find, clean, heat, cool and put things in a household, by commands",
    .source = SOURCE,
    .metric = "success",
    .version = 1,
    .shots = 1,
    .files = files,
    .open = open_commands,
    .ask = ask_alfworld,
    .close = close_alfworld,
};

const Benchmark alfworld_python = {
    .name = "alfworld_python",
    .groups = "household",
    .about = "the same games, budgets and marks as alfworld, by Python",
    .source = SOURCE,
    .metric = "success",
    .version = 1,
    .shots = 1,
    .needs = NEEDS_SANDBOX,
    .programs = programs,
    .files = files,
    .open = open_python,
    .ask = ask_alfworld,
    .close = close_alfworld,
};
