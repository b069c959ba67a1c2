#include "infer/chatmodel.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

struct ChatModel {
    const ChatModelKind *kind;
    void *self;
    char *name;
};

const char *chatmodel_finish_name(ChatFinish f)
{
    static const char *const names[] = {"stop",     "length",    "filter",  "context",
                                        "deadline", "cancelled", "refused", "failed"};
    return names[f];
}

ChatCall chatmodel_call(const Conversation *messages)
{
    return (ChatCall){.messages = messages, .sampler = sampler_greedy()};
}

void chatmodel_answer_drop(ChatAnswer *a)
{
    str_drop(&a->text);
    *a = (ChatAnswer){0};
}

void chatmodel_open(ChatModel **out, const ChatModelKind *kind, void *self, const char *name)
{
    ChatModel *m = mem_new(ChatModel);
    *m = (ChatModel){.kind = kind, .self = self, .name = mem_str(name)};
    *out = m;
}

const char *chatmodel_name(const ChatModel *m)
{
    return m->name;
}

void chatmodel_close(ChatModel *m)
{
    if (!m)
        return;
    m->kind->close(m->self);
    mem_free(m->name);
    mem_free(m);
}

static Status check_messages(const Conversation *c)
{
    if (!c || c->messages.n == 0)
        return fail(ST_ARG, "there is no message to answer");
    if (c->tools && json_array_size(c->tools))
        return fail(ST_UNSUPPORTED, "tools are not put to a model here: describe them in a message");
    for (size_t i = 0; i < c->messages.n; i++)
        if (c->messages.at[i].tool_calls)
            return fail(ST_UNSUPPORTED, "message %zu has tool calls: write actions as text", i + 1);
    return ST_OK;
}

static Status check_call(const ChatCall *call)
{
    TRY(check_messages(call->messages));
    TRY(sampler_check(&call->sampler));
    if (call->max_tokens < 0)
        return fail(ST_ARG, "%lld tokens cannot be written", (long long)call->max_tokens);
    if (!(call->deadline_s >= 0) || !isfinite(call->deadline_s))
        return fail(ST_ARG, "a deadline of %g seconds cannot be kept", call->deadline_s);
    for (size_t i = 0; i < call->stops_n; i++)
        if (!call->stops[i][0])
            return fail(ST_ARG, "a stop string is empty: it would end every answer before it begins");
    return ST_OK;
}

/* Servers that know no stop strings write on, and a recording may have been made without them. */
static void cut_at_stops(const ChatCall *call, ChatAnswer *a)
{
    for (size_t i = 0; i < call->stops_n; i++) {
        size_t n = strlen(call->stops[i]);
        const char *at = a->text.n ? memmem(a->text.at, a->text.n, call->stops[i], n) : NULL;
        if (!at)
            continue;
        a->text.n = (size_t)(at - a->text.at);
        a->text.at[a->text.n] = 0;
        a->finish = CHAT_FINISH_STOP;
    }
}

/* Numbers that no call has come from a server or a script that tells tales; added up they would run over. */
static void drop_tales(ChatAnswer *a)
{
    const int64_t most = INT64_C(1) << 40;
    if (a->prompt_tokens < 0 || a->prompt_tokens > most || a->completion_tokens < 0 ||
        a->completion_tokens > most) {
        a->counted = false;
        a->prompt_tokens = a->completion_tokens = 0;
    }
    if (a->retries < 0 || a->retries > most)
        a->retries = 0;
    if (!isfinite(a->seconds))
        a->seconds = 0;
}

static void end_failed(Status st, ChatAnswer *a)
{
    str_clear(&a->text);
    if (a->finish < CHAT_FINISH_CONTEXT)
        a->finish = st == ST_CANCELLED ? CHAT_FINISH_CANCELLED : CHAT_FINISH_FAILED;
}

Status chatmodel_ask(ChatModel *m, const ChatCall *call, ChatAnswer *out)
{
    double from = clock_now();
    str_clear(&out->text);
    *out = (ChatAnswer){.text = out->text};
    Status st = check_call(call);
    if (st == ST_OK)
        st = m->kind->ask(m->self, call, out);
    drop_tales(out);
    if (out->seconds <= 0)
        out->seconds = clock_now() - from;
    if (st == ST_OK)
        cut_at_stops(call, out);
    else
        end_failed(st, out);
    return st;
}
