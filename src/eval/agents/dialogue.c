#include "eval/agents/dialogue.h"

#include <string.h>

#include "agent/hints.h"
#include "agent/turns.h"
#include "base/clock.h"

typedef struct {
    const EvalRun *run;
    const DialogueSetup *setup;
    const DialogueWorld *world;
    Sample *sample;
    Conversation all;    /* as the transcript has it */
    Conversation window; /* as the model is sent it  */
    DialogueTurn turn;
    Str text, hint;
    Str heard; /* by a scripted expert: the observations */
    json_t *steps;
    int64_t hinted; /* steps behind which stands a hint */
    double start, best;
    bool solved, failed, unreadable;
    const char *end;
} Play;

static void say(Play *p, ChatRole role, Span content)
{
    conversation_add(&p->all, role, content);
    conversation_add(&p->window, role, content);
}

/* The first two messages and the last ones; done when the user's is added, as in the original, so that two of
 * the user's may follow one another. */
static void narrow(Play *p)
{
    size_t n = p->window.messages.n, keep = (size_t)p->setup->window;
    if (keep == 0 || n <= keep + 2)
        return;
    Conversation less = {0};
    for (size_t i = 0; i < n; i++)
        if (i < 2 || i >= n - keep)
            conversation_add(&less, p->window.messages.at[i].role, p->window.messages.at[i].content);
    conversation_copy(&p->window, &less);
    conversation_drop(&less);
}

static void open(Play *p)
{
    if (p->setup->system.n)
        say(p, CHAT_SYSTEM, p->setup->system);
    say(p, CHAT_USER, p->setup->opening);
}

/* Rewards are of the outcome, too. */
static void withhold(DialogueTurn *t)
{
    str_adds(&t->observation, turns_withheld);
    str_adds(&t->reward, "not shown");
}

/* Behind what the world said, in MINT's words. */
static void add_hint(Play *p)
{
    str_clear(&p->hint);
    if (!p->run->models.hints)
        return;
    str_add(&p->heard, p->turn.observation.at, p->turn.observation.n);
    str_addc(&p->heard, '\n');
    hints_say(&p->hint, p->run->models.hints, &p->all,
              (HintsHeard){str_span(&p->turn.observation), str_span(&p->heard)},
              (Span){json_string_value(p->sample->target), json_string_length(p->sample->target)});
    if (!p->hint.n)
        return;
    str_adds(&p->text, TURNS_EXPERT);
    str_add(&p->text, p->hint.at, p->hint.n);
    p->hinted++;
    json_object_set_new(json_array_get(p->steps, json_array_size(p->steps) - 1), "feedback", json_true());
}

static void tell(Play *p)
{
    DialogueTurn withheld = {0};
    const DialogueTurn *t = p->run->settings->no_observations ? &withheld : &p->turn;
    if (t == &withheld)
        withhold(&withheld);
    str_clear(&p->text);
    if (p->setup->tell)
        p->setup->tell(p->setup->tell_context, &p->text, t);
    else
        str_add(&p->text, t->observation.at, t->observation.n);
    str_drop(&withheld.observation);
    str_drop(&withheld.reward);
    add_hint(p);
    say(p, CHAT_USER, str_span(&p->text));
    narrow(p);
}

static bool used_up(Play *p)
{
    const EvalSettings *set = p->run->settings;
    if (set->episode_tokens > 0 && p->sample->completion_tokens >= set->episode_tokens)
        p->end = "max_tokens";
    else if (set->episode_seconds > 0 && clock_now() - p->start >= set->episode_seconds)
        p->end = "max_seconds";
    return p->end != NULL;
}

static void keep_step(Play *p, double model_seconds, double act_seconds, int64_t prompt, int64_t completion)
{
    json_t *o = json_pack("{s:s, s:b, s:f, s:f, s:f, s:I, s:I}", "action",
                          p->turn.understood ? "code" : "none", "error", p->turn.failed, "reward",
                          p->turn.score, "model_seconds", model_seconds, "act_seconds", act_seconds,
                          "prompt_tokens", (json_int_t)prompt, "completion_tokens", (json_int_t)completion);
    if (p->turn.commands)
        json_object_set(o, "commands", p->turn.commands);
    json_array_append_new(p->steps, o);
}

static Status turn(Play *p)
{
    const Sample before = *p->sample;
    DialogueTurn *t = &p->turn;
    AskText how = p->setup->how;
    ask_within_episode(&how, p->run, p->sample, p->start);
    TRY(ask_messages(p->run, p->sample, &p->window, &how, &p->text));
    if (p->setup->window == 0 && json_array_size(p->steps) > 0)
        json_array_remove(p->sample->prompts, json_array_size(p->sample->prompts) - 1);
    if (p->sample->kind != SAMPLE_FINE) {
        p->end = sample_end(p->sample);
        return ST_OK;
    }
    str_clear(&t->action);
    str_clear(&t->observation);
    str_clear(&t->reward);
    t->score = 0;
    t->understood = t->failed = t->ends = t->used_up = false;
    json_decref(t->commands);
    t->commands = NULL;
    double began = clock_now();
    TRY(p->world->act(p->world->self, span_trim(str_span(&p->text)), t));
    keep_step(p, p->sample->model_seconds - before.model_seconds, clock_now() - began,
              p->sample->prompt_tokens - before.prompt_tokens,
              p->sample->completion_tokens - before.completion_tokens);
    sample_read(p->sample, str_span(&t->action));
    say(p, CHAT_ASSISTANT, str_span(&t->action));
    p->all.messages.at[p->all.messages.n - 1].mute = p->sample->mute;
    p->best = t->score > p->best || json_array_size(p->steps) == 1 ? t->score : p->best;
    p->solved = t->score == 1;
    p->unreadable = !t->understood;
    p->failed = t->failed;
    if (p->solved || t->ends || t->used_up)
        p->end = p->solved ? "task_success" : t->ends ? "gave_up" : "max_steps";
    return ST_OK;
}

static SampleKind kind_of(const Play *p)
{
    if (p->solved)
        return SAMPLE_FINE;
    if (p->sample->kind == SAMPLE_CONTEXT || p->sample->kind == SAMPLE_REFUSED)
        return p->sample->kind;
    if (strcmp(p->end, "max_seconds") == 0)
        return SAMPLE_TIME;
    if (p->unreadable)
        return SAMPLE_UNREADABLE;
    return p->failed ? SAMPLE_TOOL_ERROR : SAMPLE_BUDGET;
}

static void fill_sample(Play *p, const char *task)
{
    Sample *s = p->sample;
    sample_metric(s, "success", p->solved);
    sample_metric(s, "reward", p->best);
    sample_metric(s, "steps", (double)json_array_size(p->steps));
    s->kind = kind_of(p);
    s->transcript = conversation_to_json(&p->all);
    json_object_set_new(s->transcript, "transcript", json_integer(1));
    json_object_set_new(s->transcript, "environment", json_string(p->setup->environment));
    json_object_set_new(s->transcript, "task", json_string(task));
    json_object_set_new(s->transcript, "success", json_boolean(p->solved));
    json_object_set_new(s->transcript, "reward", json_real(p->best));
    json_object_set_new(s->transcript, "end", json_string(p->end));
    json_object_set(s->transcript, "steps", p->steps);
    json_object_set_new(s->transcript, "seconds", json_real(clock_now() - p->start));
    if (p->run->models.hints)
        sample_feedback(s, p->run, p->hinted);
}

Status dialogue_play(Sample *out, const EvalRun *run, const char *task, const DialogueSetup *setup,
                     const DialogueWorld *world)
{
    Play p = {.run = run, .setup = setup, .world = world, .sample = out, .steps = json_array()};
    Status st = ST_OK;
    p.start = clock_now();
    open(&p);
    for (int i = 0; st == ST_OK && !p.end && !used_up(&p); i++) {
        if (i == setup->turns) {
            p.end = "max_steps";
            break;
        }
        if (i > 0)
            tell(&p);
        st = turn(&p);
    }
    if (st == ST_OK)
        fill_sample(&p, task);
    Str *const texts[] = {&p.text, &p.hint, &p.heard, &p.turn.action, &p.turn.observation, &p.turn.reward};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        str_drop(texts[i]);
    json_decref(p.turn.commands);
    conversation_drop(&p.all);
    conversation_drop(&p.window);
    json_decref(p.steps);
    return st;
}
