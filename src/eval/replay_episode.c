/* The checks of one episode.  Recorded are the model's answers, what its cells printed, and the expert's
 * words; all else is made anew by agent/turns, agent/prompt and eval/mark and compared. */
#include "eval/replay_episode.h"

#include <string.h>

#include "agent/prompt.h"
#include "agent/python_text.h"
#include "agent/turns.h"
#include "base/file.h"
#include "base/mem.h"
#include "env/household_task.h"
#include "env/household_tools.h"
#include "eval/wording.h"

void recording_drop(Recording *r)
{
    str_drop(&r->template);
    str_drop(&r->tools);
    str_drop(&r->example);
    mem_free(r->example_of);
    for (size_t i = 0; i < r->verdicts.n; i++)
        mem_free(r->verdicts.at[i].text);
    array_drop(&r->verdicts);
    array_drop(&r->ends);
}

static Span text_of(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_string(v) ? (Span){json_string_value(v), json_string_length(v)} : (Span){"", 0};
}

static bool equal(Span a, Span b)
{
    return a.n == b.n && memcmp(a.at, b.at, a.n) == 0;
}

bool replay_episode_is_whole(const json_t *episode)
{
    const json_t *state = json_object_get(episode, "state"), *history = json_object_get(state, "history"),
                 *message;
    size_t i;
    if (!json_is_array(history) || !json_array_size(history) ||
        !json_is_object(json_object_get(episode, "task")))
        return false;
    json_array_foreach(history, i, message)
    {
        if (!json_is_string(json_object_get(message, "content")) ||
            !json_is_string(json_object_get(message, "role")))
            return false;
    }
    return json_is_object(json_object_get(state, "agent_action_count"));
}

static void count(ReplayReport *report, const ReplaySpec *spec, const Recording *r, ReplayCheck check,
                  bool agrees, const char *what)
{
    if (replay_wants(spec, check))
        replay_count(report, check, agrees, r->path, r->line, what);
}

static Status read_text(Str *out, const ReplaySpec *spec, const char *path)
{
    char *whole = path_join(spec->data, path);
    str_clear(out);
    Status st = file_read(out, whole, 1 << 20);
    mem_free(whole);
    return st;
}

static char *example_path(const Recording *r, Span id)
{
    const char *variant = r->feedback ? "with_tool_and_feedback" : "with_tool";
    if (span_is(r->group, "decision_making"))
        return mem_format("mint/prompt/in_context_examples/alfworld/%s/%s.txt", household_tasks[household_task_of(id)].short_name,
                          variant);
    Span kind = span_is(r->group, "code_generation") ? r->task : r->group;
    return mem_format("mint/prompt/in_context_examples/%.*s/%s.txt", (int)kind.n, kind.at, variant);
}

static Status read_prompts(Recording *r, const ReplaySpec *spec, Span id)
{
    if (!r->template.n) {
        TRY(read_text(&r->template, spec, "mint/prompt/templates/template_with_tool.txt"));
        if (span_is(r->group, "decision_making"))
            TRY(read_text(&r->tools, spec, "mint/prompt/tools/alfworld.txt"));
        else if (span_is(r->group, "reasoning"))
            TRY(read_text(&r->tools, spec, "mint/prompt/tools/reasoning.txt"));
    }
    char *path = example_path(r, id);
    if (r->example_of && !strcmp(path, r->example_of)) {
        mem_free(path);
        return ST_OK;
    }
    mem_free(r->example_of);
    r->example_of = path;
    return read_text(&r->example, spec, path);
}

static Status make_opening(Str *out, const ReplaySpec *spec, Recording *r, const json_t *task, Span question)
{
    TRY(read_prompts(r, spec, text_of(task, "task_id")));
    MintOpening o = {.template = str_span(&r->template),
                     .tools = str_span(&r->tools),
                     .example = str_span(&r->example),
                     .task = question,
                     .max_steps = r->max_steps,
                     .max_propose = r->max_propose};
    return prompt_mint_opening(out, &o);
}

/* R1 of the recorded question, or R10 of the game's. */
static void check_opening(ReplayReport *report, const ReplaySpec *spec, Recording *r, ReplayCheck check,
                          const json_t *task, Span question, Span recorded)
{
    if (!replay_wants(spec, check))
        return;
    Str made = {0};
    if (spec->data && !r->no_prompts && make_opening(&made, spec, r, task, question) != ST_OK) {
        replay_trouble(report, "%s: no opening messages (%s): %s", r->path, replay_check_names[check],
                       error_text());
        r->no_prompts = true;
    }
    if (!spec->data || r->no_prompts)
        report->counts[check].undecided[REPLAY_NO_PROMPTS]++;
    else
        count(report, spec, r, check, equal(str_span(&made), recorded), "opening message");
    str_drop(&made);
}

/* What the model wrote: without the "Assistant:\n" and the "\n" that the log puts around it. */
static Span answer_of(Span content)
{
    Span prefix = span("Assistant:\n");
    if (span_starts(content, prefix.at))
        content = (Span){content.at + prefix.n, content.n - prefix.n};
    if (span_ends(content, "\n"))
        content.n--;
    return content;
}

/* Finds what a recorded message says between its first line and the lines of what is left, and what the
 * expert adds after them.  False where it cannot have been made so. */
static bool take_apart(Span content, const Turns *t, Span *observation, Span *feedback)
{
    Span head = span("Observation:\n"), mark = span("\nExpert feedback:\n");
    Str left = {0};
    turns_left_lines(&left, t);
    bool found = false;
    for (size_t i = head.n; span_starts(content, head.at) && !found; i++) {
        i = python_find(content, str_span(&left), i);
        if (i > content.n)
            break;
        Span rest = {content.at + i + left.n, content.n - i - left.n};
        bool expert = span_starts(rest, mark.at) && span_ends(rest, "\n");
        if (i == 0 || content.at[i - 1] != '\n' || (rest.n && !expert))
            continue;
        found = true;
        *observation = (Span){content.at + head.n, i > head.n ? i - 1 - head.n : 0};
        *feedback = expert ? (Span){rest.at + mark.n, rest.n - mark.n - 1} : (Span){"", 0};
    }
    str_drop(&left);
    return found;
}

/* One message of the environment, made anew from what only the recording can know. */
static bool answer_agrees(const ReplaySpec *spec, const Turns *t, const Action *a, Span recorded)
{
    Span observation, feedback;
    if (!take_apart(recorded, t, &observation, &feedback))
        return false;
    if (a->unreadable)
        observation = span(action_unreadable_message(spec->actions));
    else if (a->kind == ACTION_SOLUTION && !span_starts(observation, "Traceback "))
        observation = (Span){NULL, 0};
    Str made = {0};
    turns_answer(&made, t, observation, feedback);
    bool agrees = equal(str_span(&made), recorded);
    str_drop(&made);
    return agrees;
}

/* Both versions' marks of a proposal.  False: a task of which we have none. */
static bool verdict_on(Verdict *v, const ReplaySpec *spec, const Recording *r, const json_t *task,
                       Span answer)
{
    const json_t *gold = json_object_get(task, "reference");
    Span text = text_of(task, "reference");
    bool theoremqa = span_is(r->task, "theoremqa");
    *v = (Verdict){.check = REPLAY_R3, .why = REPLAY_PYTHON};
    if (!theoremqa && !json_is_string(gold)) {
        v->why = REPLAY_BROKEN;
        v->marks[MARK_LEGACY] = v->marks[MARK_CURRENT] = MARK_UNDECIDED;
        v->check = span_is(r->group, "code_generation") ? REPLAY_R5 : REPLAY_R3;
        return !span_is(r->group, "decision_making");
    }
    if (span_is(r->group, "code_generation")) {
        bool run = r->programs && replay_wants(spec, REPLAY_R5);
        v->check = REPLAY_R5;
        v->why = r->programs ? REPLAY_NOT_RUN : REPLAY_NO_SANDBOX;
        v->marks[0] = v->marks[1] = run ? r->programs->test(r->programs->arg, answer, text) : MARK_UNDECIDED;
        return true;
    }
    for (int rule = MARK_LEGACY; rule <= MARK_CURRENT; rule++) {
        if (theoremqa)
            v->marks[rule] = mark_theoremqa((MarkRule)rule, answer, gold);
        else if (span_is(r->task, "mmlu"))
            v->marks[rule] = mark_choice(answer, text_of(task, "prompt"), text);
        else
            v->marks[rule] = mark_reasoning((MarkRule)rule, answer, text);
    }
    if (theoremqa)
        v->check = json_is_string(gold) ? REPLAY_R4_OPTION : REPLAY_R4;
    return !span_is(r->group, "decision_making");
}

/* IPython's two forms: an error of syntax has no rule, every other one has a traceback. */
static bool shows_error(Span observation)
{
    return python_in(span("Traceback (most recent call last)"), observation) ||
           python_in(span("Cell In["), observation);
}

static Span last_line(Span text)
{
    return python_after_last(text, "\n");
}

/* A cell that raised, recorded and here. */
static void check_error(ReplayReport *report, const ReplaySpec *spec, const Recording *r, CellResult result,
                        Span ours, Span observation)
{
    Span recorded = last_line(observation), line = last_line(ours);
    Wording w = result == CELL_RAISED ? wording_compare(recorded, line) : WORDING_DIFFERENT;
    Str what = {0};
    if (w == WORDING_DIFFERENT)
        str_addf(&what, "here \"%.*s\", recorded \"%.*s\"", (int)line.n, line.at, (int)recorded.n,
                 recorded.at);
    count(report, spec, r, REPLAY_R7, w != WORDING_DIFFERENT, str_c(&what));
    report->counts[REPLAY_R7].reworded += w == WORDING_REWORDED && replay_wants(spec, REPLAY_R7);
    report->counts[REPLAY_R7].whole += equal(ours, observation) && replay_wants(spec, REPLAY_R7);
    str_drop(&what);
}

/* Runs one cell in the episode's interpreter; false: from here on, what the interpreter holds is not what the
 * recorded one held. */
static bool check_cell(ReplayReport *report, const ReplaySpec *spec, const Recording *r, const Action *a,
                       Span observation)
{
    bool error = shows_error(observation), cut = span_ends(observation, "[Output Truncated]");
    ReplayCheck check = error ? REPLAY_R7 : REPLAY_R6;
    if (python_in(span("TimeoutError: Timed out after"), observation)) {
        report->counts[check].undecided[REPLAY_TIME_LIMIT]++; /* half a minute each, then a half-done state */
        return false;
    }
    Str out = {0};
    ReplayWhy why = REPLAY_NOT_RUN;
    CellResult result = r->programs->cell(r->programs->arg, &out, &why, str_span(&a->text));
    if (result == CELL_UNABLE)
        report->counts[check].undecided[why]++;
    else if (!error)
        count(report, spec, r, check, result == CELL_PRINTED && equal(str_span(&out), observation),
              str_c(&out));
    else if (cut)
        report->counts[check].undecided[REPLAY_CUT]++;
    else
        check_error(report, spec, r, result, str_span(&out), observation);
    str_drop(&out);
    return result != CELL_UNABLE;
}

/* How the episode's cells stand. */
typedef enum { CELLS_NONE, CELLS_NO_SANDBOX, CELLS_FRESH, CELLS_RUN, CELLS_LOST } Cells;

/* Cells of decision_making act in a world. */
static Cells cells_begin(const ReplaySpec *spec, const Recording *r)
{
    bool wanted = replay_wants(spec, REPLAY_R6) || replay_wants(spec, REPLAY_R7);
    if (!wanted || span_is(r->group, "decision_making"))
        return CELLS_NONE;
    return r->programs ? CELLS_FRESH : CELLS_NO_SANDBOX;
}

static Cells cells_take(ReplayReport *report, const ReplaySpec *spec, const Recording *r, Cells cells,
                        const Action *a, Span observation)
{
    ReplayCount *counts = &report->counts[shows_error(observation) ? REPLAY_R7 : REPLAY_R6];
    if (cells == CELLS_NO_SANDBOX)
        counts->undecided[REPLAY_NO_SANDBOX]++;
    if (cells == CELLS_LOST)
        counts->undecided[REPLAY_AFTER]++;
    if (cells == CELLS_FRESH)
        r->programs->begin(r->programs->arg);
    if (cells == CELLS_FRESH || cells == CELLS_RUN)
        return check_cell(report, spec, r, a, observation) ? CELLS_RUN : CELLS_LOST;
    return cells;
}

static void add_verdict(const ReplaySpec *spec, Recording *r, const json_t *task, const Action *a,
                        bool recorded)
{
    enum { SHOWN = 200 };
    Verdict v;
    Span answer = str_span(&a->text);
    if (a->unreadable || !verdict_on(&v, spec, r, task, answer))
        return;
    v.recorded = recorded;
    v.line = r->line;
    char *shown = mem_strn(answer.at, answer.n < SHOWN ? answer.n : SHOWN);
    v.text = mem_format("marked otherwise than recorded (%s): %s", recorded ? "right" : "wrong", shown);
    mem_free(shown);
    array_push(&r->verdicts, v);
}

/* --- household games: R10 to R12 ----------------------------------------------------------------------- */

static bool wants_world(const ReplaySpec *spec, const Recording *r)
{
    return span_is(r->group, "decision_making") &&
           (replay_wants(spec, REPLAY_R10) || replay_wants(spec, REPLAY_R11) ||
            replay_wants(spec, REPLAY_R12));
}

/* An id is "<folder>/<trial>", of names and no more. */
static Household *open_game(ReplayReport *report, const ReplaySpec *spec, const Recording *r, Span id)
{
    Household *game = NULL;
    if (!spec->data || !id.n || id.at[0] == '/' || python_in(span(".."), id) || memchr(id.at, 0, id.n))
        return NULL;
    char *path = mem_format("%s/mint/alfworld/games/%.*s/game.tw-pddl", spec->data, (int)id.n, id.at);
    if (path_exists(path) && household_open(&game, path) != ST_OK)
        replay_trouble(report, "%s:%lld: the game cannot be played: %s", r->path, (long long)r->line,
                       error_text());
    mem_free(path);
    return game;
}

/* How an episode's game goes. */
typedef struct {
    bool playing;   /* what the game holds is what the recorded one held */
    bool succeeded; /* by the cells so far                               */
    bool early;     /* and the recorded episode went on                  */
    ReplayWhy why;  /* it is not playing                                 */
} World;

static World world_begin(const Recording *r, const Household *game)
{
    if (!game)
        return (World){.why = REPLAY_NO_GAME};
    if (!r->programs)
        return (World){.why = REPLAY_NO_SANDBOX};
    return (World){.playing = r->programs->begin_world(r->programs->arg, game), .why = REPLAY_NOT_RUN};
}

/* What the cell printed, against the recorded text. */
static bool world_agrees(CellResult result, Span ours, Span observation)
{
    if (shows_error(observation))
        return result == CELL_RAISED && wording_compare(last_line(observation), last_line(ours));
    return result == CELL_PRINTED && equal(ours, observation);
}

/* Plays one cell; reply NULL: the last, whose observation is not recorded. */
static void world_take(ReplayReport *report, const ReplaySpec *spec, const Recording *r, World *w,
                       const Turns *t, const Action *a, const json_t *reply)
{
    Span observation = {NULL, 0}, feedback;
    ReplayCount *counts = &report->counts[REPLAY_R11];
    bool compare = reply && replay_wants(spec, REPLAY_R11) &&
                   take_apart(text_of(reply, "content"), t, &observation, &feedback);
    if (!w->playing) {
        counts->undecided[w->why] += compare;
        return;
    }
    if (observation.at && python_in(span("TimeoutError: Timed out after"), observation)) {
        counts->undecided[REPLAY_TIME_LIMIT]++;
        *w = (World){.why = REPLAY_AFTER};
        return;
    }
    Str out = {0};
    ReplayWhy why;
    CellResult result = r->programs->act(r->programs->arg, &out, &why, str_span(&a->text), &w->succeeded);
    w->early = w->early || (w->succeeded && reply);
    if (result == CELL_UNABLE) {
        counts->undecided[why] += compare;
        *w = (World){.why = why};
    } else if (compare && shows_error(observation) && span_ends(observation, "[Output Truncated]")) {
        counts->undecided[REPLAY_CUT]++;
    } else if (compare) {
        count(report, spec, r, REPLAY_R11, world_agrees(result, str_span(&out), observation), str_c(&out));
    }
    str_drop(&out);
}

/* As a verdict, so that the table has it.  An episode that ran on after a success is wrong whatever it says.
 */
static void world_end(const ReplaySpec *spec, Recording *r, const World *w, bool recorded)
{
    if (!wants_world(spec, r) || !replay_wants(spec, REPLAY_R12))
        return;
    Verdict v = {.check = REPLAY_R12, .recorded = recorded, .line = r->line, .why = w->why};
    bool ours = w->early ? !recorded : w->succeeded;
    v.marks[MARK_LEGACY] = v.marks[MARK_CURRENT] = !w->playing ? MARK_UNDECIDED
                                                   : ours      ? MARK_RIGHT
                                                               : MARK_WRONG;
    v.text = mem_format("%s, recorded %s",
                        w->early ? "succeeds before its end"
                        : ours   ? "succeeds"
                                 : "fails",
                        recorded ? "success" : "failure");
    array_push(&r->verdicts, v);
}

static json_int_t count_of(const json_t *state, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(state, "agent_action_count"), key));
}

static bool end_agrees(const Turns *t, const json_t *state)
{
    const json_t *latest = json_object_get(state, "latest_output"),
                 *history = json_object_get(state, "history");
    Span said = {NULL, 0};
    for (size_t i = json_array_size(history); i-- > 0 && !said.at;)
        if (span_is(text_of(json_array_get(history, i), "role"), "user"))
            said = text_of(json_array_get(history, i), "content");
    return t->proposed == count_of(state, "propose_solution") &&
           t->used_tool == count_of(state, "use_tool") &&
           t->unreadable == count_of(state, "invalid_action") &&
           span_is(text_of(state, "terminate_reason"), turns_end_names[t->end]) &&
           json_is_true(json_object_get(state, "finished")) && t->end != TURNS_OPEN &&
           json_is_true(json_object_get(state, "success")) == (t->end == TURNS_SOLVED) && said.at &&
           equal(said, text_of(latest, "content"));
}

/* A tool call that failed outside the interpreter costs nothing: the lines of what is left then tell so. */
static void take_turn(Turns *t, const Action *a, const json_t *reply, bool solved)
{
    Turns before = *t;
    Span o, f, said = reply ? text_of(reply, "content") : (Span){"", 0};
    turns_take(t, a, TURN_DONE, solved);
    if (!reply || a->kind != ACTION_CODE || a->unreadable || take_apart(said, t, &o, &f))
        return;
    if (take_apart(said, &before, &o, &f) && span_starts(o, "Traceback ")) {
        *t = before;
        turns_take(t, a, TURN_FAILED, solved);
    }
}

static void check_turns(ReplayReport *report, const ReplaySpec *spec, Recording *r, const json_t *task,
                        const json_t *state, const Household *game)
{
    const json_t *history = json_object_get(state, "history");
    bool success = json_is_true(json_object_get(state, "success"));
    size_t n = json_array_size(history);
    Turns t;
    Action a = {0};
    turns_begin(&t, r->max_steps, r->max_propose);
    Cells cells = cells_begin(spec, r);
    bool acts = wants_world(spec, r);
    World world = acts ? world_begin(r, game) : (World){0};
    for (size_t i = 1; i < n; i += 2) {
        const json_t *reply = json_array_get(history, i + 1);
        action_find(&a, spec->actions, answer_of(text_of(json_array_get(history, i), "content")));
        bool solved = success && !reply;
        if (t.end != TURNS_OPEN)
            count(report, spec, r, REPLAY_R2, false, "the episode goes on after its end");
        take_turn(&t, &a, reply, solved);
        if (a.kind == ACTION_SOLUTION)
            add_verdict(spec, r, task, &a, solved);
        Span observation, feedback;
        if (cells && reply && a.kind == ACTION_CODE && !a.unreadable &&
            take_apart(text_of(reply, "content"), &t, &observation, &feedback))
            cells = cells_take(report, spec, r, cells, &a, observation);
        if (acts && a.kind == ACTION_CODE && !a.unreadable)
            world_take(report, spec, r, &world, &t, &a, reply);
        if (reply)
            count(report, spec, r, REPLAY_R2, answer_agrees(spec, &t, &a, text_of(reply, "content")),
                  "a message of the environment");
    }
    if (t.end == TURNS_OPEN && json_is_string(json_object_get(state, "error")))
        turns_fail(&t);
    world_end(spec, r, &world, success);
    count(report, spec, r, REPLAY_R2, end_agrees(&t, state), "counters or the end");
    action_drop(&a);
}

void replay_episode(ReplayReport *report, const ReplaySpec *spec, Recording *r, const json_t *episode)
{
    const json_t *state = json_object_get(episode, "state"), *task = json_object_get(episode, "task");
    const json_t *opening = json_array_get(json_object_get(state, "history"), 0);
    report->episodes++;
    report->solved += json_is_true(json_object_get(state, "success"));
    Span said = text_of(opening, "content");
    check_opening(report, spec, r, REPLAY_R1, task, text_of(task, "prompt"), said);
    bool acts = wants_world(spec, r);
    Household *game = acts ? open_game(report, spec, r, text_of(task, "task_id")) : NULL;
    Str question = {0};
    if (game)
        household_question(&question, game);
    if (game)
        check_opening(report, spec, r, REPLAY_R10, task, str_span(&question), said);
    else if (acts && replay_wants(spec, REPLAY_R10))
        report->counts[REPLAY_R10].undecided[REPLAY_NO_GAME]++;
    str_drop(&question);
    check_turns(report, spec, r, task, state, game);
    household_close(game);
    bool code = span_is(r->group, "code_generation"), world = span_is(r->group, "decision_making");
    EpisodeEnd end = {.verdicts_end = r->verdicts.n,
                      .unmarked = (world && !replay_wants(spec, REPLAY_R12)) ||
                                  (code && !(r->programs && replay_wants(spec, REPLAY_R5)))};
    array_push(&r->ends, end);
}
