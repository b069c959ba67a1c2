/* What every benchmark needs: its questions read, the model asked, a sample filled. */
#include "eval/benchmark.h"

#include <math.h>
#include <string.h>

#include "agent/hints.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "corpus/reader.h"
#include "eval/data_folder.h"

const char *const sample_kind_names[SAMPLE_KINDS] = {"",     "unreadable", "tool error",
                                                     "time", "budget",     "context", "refused"};

EvalSettings eval_settings(void)
{
    return (EvalSettings){.shots = -1, .samples = -1, .max_tokens = -1, .steps = -1, .proposals = -1,
                          .temperature = -1, .top_p = -1, .program_seconds = -1};
}

const Benchmark *benchmark_find(const char *name)
{
    for (size_t i = 0; benchmarks[i]; i++)
        if (strcmp(benchmarks[i]->name, name) == 0)
            return benchmarks[i];
    return NULL;
}

/* Questions. --------------------------------------------------------------------------------------------- */

void questions_add(Questions *q, const char *id, const char *part, json_t *doc)
{
    array_push(&q->all, ((Question){mem_str(id), part ? mem_str(part) : NULL, json_incref(doc)}));
}

void questions_lack(Questions *q, const char *what, const char *id)
{
    if (!q->lacking)
        q->lacking = json_object();
    json_t *ids = json_object_get(q->lacking, what);
    if (!ids) {
        ids = json_array();
        json_object_set_new(q->lacking, what, ids);
    }
    json_array_append_new(ids, json_string(id));
}

Span doc_text(const json_t *doc, const char *key)
{
    const json_t *s = json_object_get(doc, key);
    return json_is_string(s) ? (Span){json_string_value(s), json_string_length(s)} : (Span){0};
}

void questions_drop(Questions *q)
{
    for (size_t i = 0; i < q->all.n; i++) {
        mem_free(q->all.at[i].id);
        mem_free(q->all.at[i].part);
        json_decref(q->all.at[i].doc);
    }
    array_drop(&q->all);
    json_decref(q->facts);
    json_decref(q->lacking);
    *q = (Questions){0};
}

static void count_bad(Questions *q, const Document *d, const char *why)
{
    if (q->bad++ == 0)
        log_warn("%.*s is no question (%s); it is passed over, and so are others like it", (int)d->id.n,
                 d->id.at, why);
}

static void take_line(Questions *q, int64_t number, const Document *d,
                      bool (*take)(Questions *, int64_t, json_t *))
{
    if (d->reason != READ_GOOD) {
        count_bad(q, d, read_reason_names[d->reason]);
        return;
    }
    json_error_t error;
    json_t *object = json_loadb(d->text.at, d->text.n, 0, &error);
    if (!json_is_object(object))
        count_bad(q, d, object ? "not an object" : error.text);
    else if (!take(q, number, object))
        count_bad(q, d, "a key is missing, or of another type");
    json_decref(object);
}

static Status read_lines(Questions *q, const char *path, bool (*take)(Questions *, int64_t, json_t *))
{
    Reader *r;
    Document d;
    Status st;
    ReaderSpec spec = {.patterns = &path, .patterns_n = 1, .format = FORMAT_JSON};
    TRY(reader_open(&r, &spec));
    int64_t number = 0;
    while ((st = reader_next_raw(r, &d)) == ST_OK && d.id.at)
        if (d.reason != READ_EMPTY && d.reason != READ_UNREADABLE)
            take_line(q, number++, &d, take);
        else if (d.reason == READ_UNREADABLE)
            st = fail(ST_FORMAT, "%.*s: %.*s", (int)d.id.n, d.id.at, (int)d.why.n, d.why.at);
    reader_close(r);
    return st;
}

Status questions_read(Questions *q, const char *data, const char *file,
                      bool (*take)(Questions *q, int64_t number, json_t *object))
{
    char *path;
    size_t before = q->all.n;
    q->files++;
    TRY(data_find(&path, data, file));
    Status st = read_lines(q, path, take);
    if (st == ST_OK && q->all.n == before)
        st = fail(ST_FORMAT, "%s: no line of it is a question", path);
    mem_free(path);
    return st;
}

/* Samples. ----------------------------------------------------------------------------------------------- */

void sample_init(Sample *s)
{
    *s = (Sample){.prompts = json_array(), .answers = json_array(), .read = json_array(),
                  .metrics = json_object(), .more = json_object()};
}

void sample_drop(Sample *s)
{
    json_t *const owned[] = {s->target, s->prompts, s->answers, s->read, s->metrics, s->more, s->transcript};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        json_decref(owned[i]);
    *s = (Sample){0};
}

void sample_metric(Sample *s, const char *name, double value)
{
    json_object_set_new(s->metrics, name, json_real(value));
}

void sample_read(Sample *s, Span text)
{
    json_array_append_new(s->read, json_text(text));
}

void sample_refuse(Sample *s, Span why)
{
    s->kind = SAMPLE_REFUSED;
    json_object_set_new(s->more, "refused", json_text(why));
}

const char *sample_end(const Sample *s)
{
    return s->kind == SAMPLE_TIME ? "max_seconds" : s->kind == SAMPLE_REFUSED ? "refused" : "context";
}

void sample_feedback(Sample *s, const EvalRun *run, int64_t steps)
{
    const char *who = run->models.hints ? hints_name(run->models.hints) : chatmodel_name(run->models.feedback);
    json_object_set_new(s->transcript, "feedback", json_text(span(who)));
    sample_metric(s, "feedback", (double)steps);
}

/* The model. --------------------------------------------------------------------------------------------- */

void ask_within_episode(AskText *how, const EvalRun *run, const Sample *s, double start)
{
    const EvalSettings *set = run->settings;
    if (set->episode_tokens > 0)
        how->at_most = set->episode_tokens - s->completion_tokens;
    if (set->episode_seconds > 0)
        how->seconds = fmax(set->episode_seconds - (clock_now() - start), 0.001);
}

static ChatCall call_of(const EvalRun *run, const Conversation *messages, const AskText *how)
{
    const EvalSettings *set = run->settings;
    ChatCall call = chatmodel_call(messages);
    call.sampler.temperature = (float)(set->temperature >= 0 ? set->temperature : how->temperature);
    if (set->top_p >= 0)
        call.sampler.top_p = (float)set->top_p;
    else if (how->top_p > 0)
        call.sampler.top_p = (float)how->top_p;
    call.sampler.seed = (uint64_t)(set->seed + how->nth);
    call.max_tokens = set->max_tokens > 0 ? set->max_tokens : how->max_tokens;
    if (how->at_most > 0 && (!call.max_tokens || call.max_tokens > how->at_most))
        call.max_tokens = how->at_most;
    call.deadline_s = how->seconds;
    call.stops = how->stops;
    call.stops_n = how->stops_n;
    call.stopped = run->stopped;
    call.stopped_context = run->stopped_context;
    return call;
}

static void count_call(Sample *s, const ChatAnswer *a)
{
    s->calls++;
    s->retries += a->retries;
    s->model_seconds += a->seconds;
    s->prompt_tokens += a->prompt_tokens;
    s->completion_tokens += a->completion_tokens;
}

Status ask_messages(const EvalRun *run, Sample *s, const Conversation *messages, const AskText *how, Str *text)
{
    ChatAnswer answer = {0};
    ChatCall call = call_of(run, messages, how);
    double began = clock_now();
    str_clear(text);
    Status st = chatmodel_ask(run->models.chat, &call, &answer);
    count_call(s, &answer);
    if (st == ST_OK) {
        str_add(text, answer.text.at, answer.text.n);
        s->mute = answer.mute;
    } else if (answer.finish == CHAT_FINISH_CONTEXT) {
        s->kind = SAMPLE_CONTEXT;
        st = ST_OK;
    } else if (answer.finish == CHAT_FINISH_REFUSED) {
        sample_refuse(s, span(error_text()));
        st = ST_OK;
    } else if (answer.finish == CHAT_FINISH_DEADLINE && how->seconds > 0 && clock_now() - began >= how->seconds) {
        s->kind = SAMPLE_TIME;
        st = ST_OK;
    }
    if (st == ST_OK) {
        json_t *asked = conversation_to_json(messages);
        json_array_append(s->prompts, json_object_get(asked, "messages"));
        json_decref(asked);
        json_array_append_new(s->answers, json_text(str_span(text)));
    }
    chatmodel_answer_drop(&answer);
    return st;
}

Status ask_text(const EvalRun *run, Sample *s, Span prompt, const AskText *how, Str *text)
{
    Conversation c = {0};
    conversation_add(&c, CHAT_USER, prompt);
    Status st = ask_messages(run, s, &c, how, text);
    conversation_drop(&c);
    return st;
}
