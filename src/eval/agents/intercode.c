#include "eval/agents/intercode.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json_file.h"
#include "eval/sample_line.h"

enum { ANSWER_TOKENS = 512, TEMPLATES_BYTES = 1 << 20 };
static const double temperature = 0.01;
static const char *const stops[] = {"<|im_start|>", "<|im_end|>", "Observation:", "Task:", "Output:"};

/* Texts. --------------------------------------------------------------------------------------------------
 */

static Status read_texts(InterCodeTexts *out, const json_t *all, const char *name, const char *path)
{
    const struct {
        const char *key;
        Str *to;
    } texts[] = {{"init", &out->init},
                 {"query", &out->query},
                 {"observation", &out->observation},
                 {"empty_observation", &out->empty_observation},
                 {"retry", &out->retry}};
    const json_t *template = json_object_get(all, name);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const json_t *text = json_object_get(template, texts[i].key);
        if (!json_is_string(text))
            return fail(ST_FORMAT, "%s: template \"%s\" has no text \"%s\"", path, name, texts[i].key);
        str_add(texts[i].to, json_string_value(text), json_string_length(text));
    }
    return ST_OK;
}

Status intercode_texts_read(InterCodeTexts *out, const char *data, const char *name, json_t *facts)
{
    char *path = path_join(data, INTERCODE_TEMPLATES), sum[65];
    json_t *all = NULL;
    Str bytes = {0};
    Status st = file_read(&bytes, path, TEMPLATES_BYTES);
    if (st == ST_OK)
        st = json_file_read(&all, path);
    if (st == ST_OK)
        st = read_texts(out, all, name, path);
    else
        st = fail_in(st, "a prompt text is missing (lemur eval --list says where it comes from)");
    if (st == ST_OK) {
        text_hash(sum, str_span(&bytes));
        json_object_set_new(facts, INTERCODE_TEMPLATES, json_string(sum));
    }
    json_decref(all);
    str_drop(&bytes);
    mem_free(path);
    return st;
}

void intercode_texts_drop(InterCodeTexts *t)
{
    Str *const texts[] = {&t->init, &t->query, &t->observation, &t->empty_observation, &t->retry};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        str_drop(texts[i]);
}

Span intercode_cut(Span text, size_t n)
{
    size_t at = 0;
    uint32_t codepoint;
    for (; n > 0 && at < text.n; n--) {
        int length = utf8_decode(&codepoint, text.at + at, text.n - at);
        at += length ? (size_t)length : 1;
    }
    return (Span){text.at, at < text.n ? at : text.n};
}

typedef struct {
    const char *hole;
    Span with;
} Fill;

/* Fills the holes of a template; what is filled in is not looked at again. */
static void add_filled(Str *out, Span text, const Fill *fills, size_t n)
{
    for (size_t at = 0; at < text.n;) {
        const Fill *here = NULL;
        for (size_t i = 0; i < n && text.at[at] == '{'; i++)
            if (span_starts((Span){text.at + at, text.n - at}, fills[i].hole))
                here = &fills[i];
        if (here)
            str_add(out, here->with.at, here->with.n);
        else
            str_addc(out, text.at[at]);
        at += here ? strlen(here->hole) : 1;
    }
}

/* An episode. ---------------------------------------------------------------------------------------------
 */

int intercode_turns(const EvalRun *run)
{
    return run->settings->steps > 0 ? (int)run->settings->steps : INTERCODE_TURNS;
}

typedef struct {
    const EvalRun *run;
    const InterCodeSetup *setup;
    const InterCodeWorld *world;
    Sample *sample;
    Conversation all;    /* as the transcript has it */
    Conversation window; /* as the model is sent it  */
    InterCodeTurn turn;
    Str text;
    json_t *steps;
    double start, best;
    bool solved, gave_up, failed, unreadable;
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
    if (n <= keep + 2)
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
    const InterCodeTexts *t = p->setup->texts;
    const Fill fill = {"{query}", p->setup->query};
    say(p, CHAT_SYSTEM, p->setup->system);
    str_add(&p->text, t->init.at, t->init.n);
    str_adds(&p->text, p->setup->line_between ? "\n" : "");
    add_filled(&p->text, str_span(&t->query), &fill, 1);
    say(p, CHAT_USER, str_span(&p->text));
}

static void tell(Play *p)
{
    const InterCodeTexts *t = p->setup->texts;
    const Fill fills[] = {{"{query}", p->setup->query},
                          {"{observation}", str_span(&p->turn.observation)},
                          {"{reward}", str_span(&p->turn.reward)}};
    const Str *form = p->turn.observation.n ? &t->observation : &t->empty_observation;
    str_clear(&p->text);
    add_filled(&p->text, str_span(form), fills, sizeof fills / sizeof *fills);
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
    json_array_append_new(p->steps, json_pack("{s:s, s:b, s:f, s:f, s:f, s:I, s:I}", "action",
                                              p->turn.understood ? "code" : "none", "error", p->turn.failed,
                                              "reward", p->turn.score, "model_seconds", model_seconds,
                                              "act_seconds", act_seconds, "prompt_tokens", (json_int_t)prompt,
                                              "completion_tokens", (json_int_t)completion));
}

static Status turn(Play *p)
{
    const AskText how = {.max_tokens = ANSWER_TOKENS,
                         .temperature = temperature,
                         .stops = stops,
                         .stops_n = sizeof stops / sizeof *stops};
    const Sample before = *p->sample;
    InterCodeTurn *t = &p->turn;
    TRY(ask_messages(p->run, p->sample, &p->window, &how, &p->text));
    if (p->sample->kind == SAMPLE_CONTEXT) {
        p->end = "context";
        return ST_OK;
    }
    str_clear(&t->action);
    str_clear(&t->observation);
    str_clear(&t->reward);
    t->score = 0;
    t->understood = t->failed = t->ends = false;
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
    if (p->solved || t->ends)
        p->end = p->solved ? "task_success" : "gave_up";
    return ST_OK;
}

static SampleKind kind_of(const Play *p)
{
    if (p->solved)
        return SAMPLE_FINE;
    if (p->sample->kind == SAMPLE_CONTEXT)
        return SAMPLE_CONTEXT;
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
}

Status intercode_play(Sample *out, const EvalRun *run, const char *task, const InterCodeSetup *setup,
                      const InterCodeWorld *world)
{
    Play p = {.run = run, .setup = setup, .world = world, .sample = out, .steps = json_array()};
    Status st = ST_OK;
    p.start = clock_now();
    open(&p);
    for (int i = 0; st == ST_OK && !p.end && !used_up(&p); i++) {
        if (i == intercode_turns(run)) {
            p.end = "max_steps";
            break;
        }
        if (i > 0)
            tell(&p);
        st = turn(&p);
    }
    if (st == ST_OK)
        fill_sample(&p, task);
    Str *const texts[] = {&p.text, &p.turn.action, &p.turn.observation, &p.turn.reward};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        str_drop(texts[i]);
    conversation_drop(&p.all);
    conversation_drop(&p.window);
    json_decref(p.steps);
    return st;
}
