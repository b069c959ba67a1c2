/* Source of the protocol: xingyaoww/mint-bench, mint/main.py (interactive_loop) and mint/envs/general_env.py
 * (step). */
#include "agent/episode.h"

#include "agent/python_text.h"
#include "base/clock.h"
#include "base/mem.h"

const char *const episode_end_names[] = {"", "max_tokens", "max_seconds", "context", "refused"};

typedef struct {
    Episode *e;
    const EpisodeSetup *setup;
    const EpisodeWorld *world;
    double start;
    int64_t tokens;
    ChatAnswer answer, comment;
    Action action;
    Str text;
    Str heard; /* by a scripted expert: the observations */
} Loop;

static double seconds_left(const Loop *l)
{
    return l->setup->max_seconds - (clock_now() - l->start);
}

/* Budgets of the episode bound the call as well. */
static ChatCall next_call(const Loop *l)
{
    ChatCall call = l->setup->call;
    call.messages = &l->e->messages;
    if (l->setup->max_tokens) {
        int64_t left = l->setup->max_tokens - l->tokens;
        call.max_tokens = call.max_tokens && call.max_tokens < left ? call.max_tokens : left;
    }
    if (l->setup->max_seconds > 0)
        call.deadline_s = seconds_left(l);
    return call;
}

static bool used_up(Loop *l)
{
    if (l->setup->max_tokens && l->tokens >= l->setup->max_tokens)
        l->e->end = EPISODE_TOKENS;
    else if (l->setup->max_seconds > 0 && seconds_left(l) <= 0)
        l->e->end = EPISODE_TIME;
    return l->e->end != EPISODE_BY_TURNS;
}

static Span without_end_spaces(Span text)
{
    Span inner = python_strip(text);
    return inner.n ? (Span){text.at, (size_t)(inner.at - text.at) + inner.n} : (Span){text.at, 0};
}

static Span without_front_spaces(Span text)
{
    Span inner = python_strip(text);
    return (Span){inner.at, text.n - (size_t)(inner.at - text.at)};
}

/* An answer that is empty leaves no message. */
static void keep_answer(Loop *l, Span text)
{
    if (!text.n)
        return;
    str_clear(&l->text);
    if (!span_starts(without_front_spaces(text), "Assistant:"))
        str_adds(&l->text, "Assistant:\n");
    str_add(&l->text, text.at, text.n);
    str_addc(&l->text, '\n');
    conversation_add(&l->e->messages, CHAT_ASSISTANT, str_span(&l->text))->mute = l->answer.mute;
}

/* A failed call that is an end of the episode, and not of the run. */
static Status end_by_failure(Loop *l, const ChatAnswer *a, Status st)
{
    if (a->finish == CHAT_FINISH_REFUSED) {
        l->e->end = EPISODE_REFUSED;
        str_adds(&l->e->refusal, error_text());
        return ST_OK;
    }
    if (a->finish == CHAT_FINISH_DEADLINE && l->setup->max_seconds > 0 && seconds_left(l) <= 0) {
        l->e->end = EPISODE_TIME;
        return ST_OK;
    }
    return st;
}

/* The model's turn; *goes is false where the episode ends with it. */
static Status complete(Loop *l, EpisodeStep *step, bool *goes)
{
    ChatCall call = next_call(l);
    Status st = chatmodel_ask(l->setup->model, &call, &l->answer);
    *step = (EpisodeStep){.model_seconds = l->answer.seconds,
                          .prompt_tokens = l->answer.prompt_tokens,
                          .completion_tokens = l->answer.completion_tokens,
                          .retries = l->answer.retries,
                          .finish = l->answer.finish};
    l->tokens += l->answer.completion_tokens;
    *goes = st == ST_OK;
    if (st == ST_OK)
        return ST_OK;
    if (l->answer.finish == CHAT_FINISH_CONTEXT) {
        l->e->end = EPISODE_CONTEXT;
        turns_fail(&l->e->turns);
        return ST_OK;
    }
    return end_by_failure(l, &l->answer, st);
}

/* What the world makes of the action; unreadable ones never reach it. */
static Status act(Loop *l, EpisodeOutcome *o)
{
    const Action *a = &l->action;
    if (a->unreadable) {
        str_adds(&o->observation, action_unreadable_message(l->setup->actions));
        return ST_OK;
    }
    return a->kind == ACTION_CODE ? l->world->act(l->world->self, str_span(&a->text), o)
                                  : l->world->propose(l->world->self, str_span(&a->text), o);
}

/* Within what is left of the episode, which ends where the expert takes longer, or refuses. */
static Status ask_expert(Loop *l, EpisodeStep *step, Span observation, Str *comment)
{
    Feedback f = *l->setup->feedback;
    Str pending = {0};
    if (l->setup->max_seconds > 0 && (f.seconds = seconds_left(l)) <= 0) {
        l->e->end = EPISODE_TIME;
        return ST_OK;
    }
    turns_answer(&pending, &l->e->turns, observation, (Span){0});
    Status st = feedback_ask(comment, &l->comment, &f, &l->e->messages, str_span(&pending));
    step->feedback_asked = true;
    step->feedback_seconds = l->comment.seconds;
    step->feedback_prompt_tokens = l->comment.prompt_tokens;
    step->feedback_completion_tokens = l->comment.completion_tokens;
    str_drop(&pending);
    return st == ST_OK ? ST_OK : end_by_failure(l, &l->comment, st);
}

static Status comment_on(Loop *l, EpisodeStep *step, Span observation, Str *comment)
{
    const Feedback *f = l->setup->feedback;
    if (!f->hints)
        return ask_expert(l, step, observation, comment);
    Span last = observation.at ? observation : span(TURNS_WRONG);
    str_add(&l->heard, last.at, last.n);
    hints_say(comment, f->hints, &l->e->messages, (HintsHeard){last, str_span(&l->heard)}, f->solution);
    str_addc(&l->heard, '\n');
    return ST_OK;
}

/* What the model is told; nothing once the episode is over. */
static Status answer(Loop *l, EpisodeStep *step, const EpisodeOutcome *o)
{
    if (l->e->turns.end != TURNS_OPEN)
        return ST_OK;
    Str comment = {0};
    Status st = ST_OK;
    Span observation = o->none ? (Span){0} : (Span){str_c(&o->observation), o->observation.n};
    if (l->setup->feedback)
        st = comment_on(l, step, observation, &comment);
    if (st == ST_OK) {
        str_clear(&l->text);
        turns_answer(&l->text, &l->e->turns, l->setup->withhold ? span(turns_withheld) : observation,
                     str_span(&comment));
        step->feedback = comment.n > 0;
        conversation_add(&l->e->messages, CHAT_USER, str_span(&l->text));
    }
    str_drop(&comment);
    return st;
}

static Status turn(Loop *l)
{
    EpisodeStep step;
    EpisodeOutcome outcome = {0};
    bool goes;
    TRY(complete(l, &step, &goes));
    if (!goes)
        return ST_OK;
    Span text = without_end_spaces(str_span(&l->answer.text));
    keep_answer(l, text);
    action_find(&l->action, l->setup->actions, text);
    double before = clock_now();
    Status st = act(l, &outcome);
    if (st == ST_OK) {
        turns_take(&l->e->turns, &l->action, outcome.result, outcome.solved);
        step.act_seconds = clock_now() - before;
        step.kind = l->action.kind;
        step.unreadable = l->action.unreadable;
        step.solved = outcome.solved;
        step.error = outcome.error;
        step.commands = outcome.commands;
        st = answer(l, &step, &outcome);
    }
    if (st == ST_OK)
        array_push(&l->e->steps, step);
    else
        json_decref(outcome.commands);
    str_drop(&outcome.observation);
    return st;
}

Status episode_run(Episode *e, const EpisodeSetup *setup, const EpisodeWorld *world, Span opening)
{
    Status st = ST_OK;
    *e = (Episode){0};
    Loop l = {.e = e, .setup = setup, .world = world, .start = clock_now()};
    turns_begin(&e->turns, setup->max_steps, setup->max_propose);
    if (setup->empty_system)
        conversation_add(&e->messages, CHAT_SYSTEM, span(""));
    conversation_add(&e->messages, CHAT_USER, opening);
    while (st == ST_OK && e->turns.end == TURNS_OPEN && !used_up(&l))
        st = turn(&l);
    e->seconds = clock_now() - l.start;
    chatmodel_answer_drop(&l.answer);
    chatmodel_answer_drop(&l.comment);
    action_drop(&l.action);
    str_drop(&l.text);
    str_drop(&l.heard);
    return st;
}

void episode_drop(Episode *e)
{
    conversation_drop(&e->messages);
    for (size_t i = 0; i < e->steps.n; i++)
        json_decref(e->steps.at[i].commands);
    array_drop(&e->steps);
    str_drop(&e->refusal);
    *e = (Episode){0};
}

static json_t *step_json(const EpisodeStep *s)
{
    json_t *o = json_pack("{s:s, s:b, s:s, s:f, s:f, s:I, s:I, s:I}", "action",
                          s->unreadable                ? "none"
                          : s->kind == ACTION_SOLUTION ? "solution"
                                                       : "code",
                          "error", s->error, "finish", chatmodel_finish_name(s->finish), "model_seconds",
                          s->model_seconds, "act_seconds", s->act_seconds, "prompt_tokens",
                          (json_int_t)s->prompt_tokens, "completion_tokens", (json_int_t)s->completion_tokens,
                          "retries", (json_int_t)s->retries);
    if (s->feedback)
        json_object_set_new(o, "feedback", json_true());
    if (s->feedback_asked) {
        json_object_set_new(o, "feedback_seconds", json_real(s->feedback_seconds));
        json_object_set_new(o, "feedback_prompt_tokens", json_integer(s->feedback_prompt_tokens));
        json_object_set_new(o, "feedback_completion_tokens", json_integer(s->feedback_completion_tokens));
    }
    if (s->commands)
        json_object_set(o, "commands", s->commands);
    return o;
}

json_t *episode_transcript(const Episode *e, const char *environment, const char *task)
{
    bool solved = e->turns.end == TURNS_SOLVED;
    json_t *line = conversation_to_json(&e->messages);
    json_object_set_new(line, "transcript", json_integer(1));
    json_object_set_new(line, "environment", json_string(environment));
    json_object_set_new(line, "task", json_string(task));
    json_object_set_new(line, "success", json_boolean(solved));
    json_object_set_new(line, "reward", json_real(solved));
    json_object_set_new(line, "end",
                        json_string(e->end == EPISODE_BY_TURNS || e->end == EPISODE_CONTEXT
                                        ? turns_end_names[e->turns.end]
                                        : episode_end_names[e->end]));
    json_object_set_new(line, "counts",
                        json_pack("{s:i, s:i, s:i}", "propose_solution", e->turns.proposed, "use_tool",
                                  e->turns.used_tool, "invalid_action", e->turns.unreadable));
    json_t *steps = json_array();
    for (size_t i = 0; i < e->steps.n; i++)
        json_array_append_new(steps, step_json(&e->steps.at[i]));
    json_object_set_new(line, "steps", steps);
    json_object_set_new(line, "seconds", json_real(e->seconds));
    return line;
}
