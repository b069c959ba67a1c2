/* A ChatModel over our engine: the template makes ids of the messages, as in tuning. */
#include "base/check.h"
#include "base/mem.h"
#include "infer/chatmodel.h"
#include "infer/engine.h"

static const double LOOK_S = 0.05; /* between two looks at whether the call is still wanted */

typedef struct {
    Engine *engine;
    const Tokenizer *tokenizer;
    const ChatTemplate *tmpl;
    Ids ends;
    Array(const char *) stops; /* the template's */
} Local;

static Status read_events(Request *r, const ChatCall *call, Str *text)
{
    RequestEvent event = {0};
    bool cancelled = false;
    for (bool over = false; !over;) {
        if (!cancelled && call->stopped && call->stopped(call->stopped_context)) {
            cancelled = true;
            request_cancel(r);
        }
        if (!request_next(r, &event, LOOK_S))
            continue;
        str_add(text, event.text.at, event.text.n);
        if (call->say && event.text.n)
            call->say(call->say_context, event.text.at, event.text.n);
        over = event.kind == EVENT_END;
    }
    return cancelled ? fail(ST_CANCELLED, "stopped while the model was writing") : ST_OK;
}

static Status read_finish(const ChatCall *call, const RequestResult *r, ChatAnswer *out)
{
    switch (r->finish) {
    case FINISH_TOKEN:
    case FINISH_STRING:
    case FINISH_CONSTRAINT: out->finish = CHAT_FINISH_STOP; return ST_OK;
    case FINISH_LENGTH:
    case FINISH_CONTEXT: out->finish = CHAT_FINISH_LENGTH; return ST_OK;
    case FINISH_DEADLINE:
        out->finish = CHAT_FINISH_DEADLINE;
        return fail(ST_LIMIT, "the model was not done after %g s, having written %lld tokens",
                    call->deadline_s, (long long)r->tokens);
    case FINISH_CANCELLED: return fail(ST_CANCELLED, "the engine was closed while the model was writing");
    case FINISH_FAILED: break;
    }
    check(r->finish != FINISH_FAILED); /* its Status came before */
    return ST_OK;
}

static Status run(const Local *l, const ChatCall *call, const RequestSpec *spec, ChatAnswer *out)
{
    Request *r;
    RequestResult result;
    Status st = engine_submit(l->engine, spec, &r);
    if (st == ST_LIMIT)
        out->finish = CHAT_FINISH_CONTEXT; /* the cache is smaller than the context */
    TRY(st);
    Status cancelled = read_events(r, call, &out->text);
    st = request_result(r, &result);
    request_close(r);
    TRY(st);
    out->counted = true;
    out->prompt_tokens = result.prompt_tokens;
    out->completion_tokens = result.tokens;
    return cancelled == ST_OK ? read_finish(call, &result, out) : cancelled;
}

static Status check_room(const Local *l, const Ids *ids, ChatAnswer *out)
{
    int64_t context = engine_context(l->engine);
    if ((int64_t)ids->n < context)
        return ST_OK;
    out->finish = CHAT_FINISH_CONTEXT;
    out->counted = true;
    out->prompt_tokens = (int64_t)ids->n;
    return fail(ST_LIMIT,
                "the messages take %zu tokens and the context has %lld; give it more with --context", ids->n,
                (long long)context);
}

static Status ask_ids(const Local *l, const ChatCall *call, const Ids *ids, ChatAnswer *out)
{
    TRY(check_room(l, ids, out));
    Array(const char *) stops = {0};
    for (size_t i = 0; i < l->stops.n; i++)
        array_push(&stops, l->stops.at[i]);
    for (size_t i = 0; i < call->stops_n; i++)
        array_push(&stops, call->stops[i]);
    RequestSpec spec = request_spec(ids->at, (int64_t)ids->n);
    if (call->max_tokens)
        spec.max_tokens = call->max_tokens;
    spec.sampler = call->sampler;
    spec.stops = stops.at;
    spec.stops_n = stops.n;
    spec.ends = l->ends.at;
    spec.ends_n = l->ends.n;
    spec.deadline_s = call->deadline_s;
    Status st = run(l, call, &spec, out);
    array_drop(&stops);
    return st;
}

static Status local_ask(void *self, const ChatCall *call, ChatAnswer *out)
{
    const Local *l = self;
    Ids ids = {0};
    Status st = chat_render(l->tokenizer, l->tmpl, call->messages, CHAT_GENERATE, &ids, NULL);
    if (st == ST_OK)
        st = ask_ids(l, call, &ids, out);
    array_drop(&ids);
    return st;
}

static void local_close(void *self)
{
    Local *l = self;
    array_drop(&l->ends);
    array_drop(&l->stops);
    mem_free(l);
}

static const ChatModelKind local = {local_ask, local_close};

void chatmodel_local_open(ChatModel **out, const ChatLocalSetup *setup)
{
    Local *l = mem_new(Local);
    *l = (Local){.engine = setup->engine, .tokenizer = setup->tokenizer, .tmpl = setup->tmpl};
    chat_stop_ids(l->tokenizer, l->tmpl, &l->ends);
    for (size_t i = 0; i < setup->ends_n; i++)
        array_push(&l->ends, setup->ends[i]);
    for (const char *const *text = chat_stop_texts(l->tokenizer, l->tmpl); *text; text++)
        array_push(&l->stops, *text);
    chatmodel_open(out, &local, l, setup->name ? setup->name : "local");
}
