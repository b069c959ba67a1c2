#include "cli/chat_session.h"

#include <string.h>

#include "cli/chat_state.h"
#include "cli/show.h"

static const Field settings_fields[] = {
    F_INT(ChatSettings, max_tokens, 0, 0, 1e9, "of an answer, at most; 0: what the context has room for"),
    F_BOOL(ChatSettings, context_shift, 0, "where the context is full, let the oldest turns go"),
};
const FieldTable chat_settings_table = FIELD_TABLE(settings_fields);

void chat_note(const ChatSession *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    show_note(s->setup.notes, s->setup.out, fmt, args);
    va_end(args);
}

/* What the model sees ------------------------------------------------------------------------------------ */

bool chat_has_system(const ChatSession *s)
{
    return s->talk.messages.n && s->talk.messages.at[0].role == CHAT_SYSTEM;
}

/* The conversation without what was let go. */
static void take_view(const ChatSession *s, Conversation *view)
{
    size_t system = chat_has_system(s);
    conversation_copy(view, &s->talk);
    if (!s->let_go)
        return;
    for (size_t i = system; i + s->let_go < view->messages.n; i++) {
        ChatMessage kept = view->messages.at[i];
        view->messages.at[i] = view->messages.at[i + s->let_go];
        view->messages.at[i + s->let_go] = kept;
    }
    for (size_t i = 0; i < s->let_go; i++)
        conversation_pop(view);
}

static Status render(const ChatSession *s, int flags, Ids *ids)
{
    Conversation view = {0};
    take_view(s, &view);
    ids->n = 0;
    Status st = chat_render(s->setup.tokenizer, s->setup.tmpl, &view, flags, ids, NULL);
    conversation_drop(&view);
    return st;
}

Status chat_count(const ChatSession *s, int64_t *tokens)
{
    Ids ids = {0};
    *tokens = 0;
    Status st = s->talk.messages.n ? render(s, 0, &ids) : ST_OK;
    *tokens = (int64_t)ids.n;
    array_drop(&ids);
    return st;
}

/* Lets the oldest turn go: up to the next message of the user.  False: the last one is left. */
static bool let_turn_go(ChatSession *s)
{
    size_t system = chat_has_system(s);
    for (size_t i = system + s->let_go + 1; i < s->talk.messages.n; i++)
        if (s->talk.messages.at[i].role == CHAT_USER) {
            s->let_go = i - system;
            return true;
        }
    return false;
}

static Status context_full(const ChatSession *s, size_t tokens)
{
    bool shift = s->setup.settings.context_shift;
    return fail(
        ST_LIMIT,
        "the context is full: %sthe conversation takes %zu tokens, and at most %lld leave room for an "
        "answer.  /undo takes back a turn, /clear begins anew%s; --context N makes room at the start",
        shift ? "without its older turns " : "", tokens, (long long)s->setup.backend.context - 1,
        shift ? "" : ", /set context_shift true lets the oldest turns go");
}

/* Ids of the request; where the context is full, the oldest turns go or the request does. */
static Status fit(ChatSession *s, int flags, Ids *ids)
{
    int64_t context = s->setup.backend.context, room = 1;
    size_t before = s->let_go;
    TRY(render(s, flags, ids));
    if (s->setup.settings.context_shift && (int64_t)ids->n + room > context)
        room = context / 4;
    while ((int64_t)ids->n + room > context) {
        size_t tokens = ids->n;
        if (!s->setup.settings.context_shift || !let_turn_go(s)) {
            if ((int64_t)ids->n < context)
                break;
            return context_full(s, tokens);
        }
        TRY(render(s, flags, ids));
    }
    if (s->let_go > before)
        chat_note(s, "(the context is full: the model no longer sees the oldest %zu messages)", s->let_go);
    return ST_OK;
}

/* Answers ------------------------------------------------------------------------------------------------ */

static void show(const ChatSession *s, const char *text, size_t n)
{
    show_text(s->setup.out, (Span){text, n}, s->setup.guard);
    fflush(s->setup.out);
}

/* White space in front of an answer is kept with it and not shown. */
static void say(void *context, const char *text, size_t n)
{
    ChatSession *s = context;
    size_t skip = 0;
    if (span_trim(str_span(&s->answer)).n == 0)
        while (skip < n && strchr(" \t\r\n", text[skip]))
            skip++;
    str_add(&s->answer, text, n);
    show(s, text + skip, n - skip);
}

static void wrote(void *context, int32_t id)
{
    ChatSession *s = context;
    array_push(&s->written, id);
}

static bool stopped(void *context)
{
    const ChatSession *s = context;
    return s->setup.stopped && s->setup.stopped();
}

static void say_end(const ChatSession *s, const RequestResult *r)
{
    int64_t used = r->prompt_tokens + r->tokens, context = s->setup.backend.context;
    if (r->finish == FINISH_CANCELLED)
        chat_note(s, "(stopped; /continue goes on)");
    else if (r->finish == FINISH_CONTEXT || (r->finish == FINISH_LENGTH && used >= context))
        chat_note(s, "(the context of %lld tokens is full; %s)", (long long)context,
                  s->setup.settings.context_shift ? "the next message lets the oldest turns go"
                                                  : "/tokens, /undo, /clear, or /set context_shift true");
    else if (r->finish == FINISH_LENGTH)
        chat_note(s, "(cut after %lld tokens, as max_tokens says; /continue goes on)", (long long)r->tokens);
    else if (used > context - context / 10)
        chat_note(s, "(%lld of %lld tokens are left)", (long long)(context - used), (long long)context);
}

static Status ask_backend(ChatSession *s, const Ids *ids, RequestResult *result)
{
    const ChatSessionSetup *setup = &s->setup;
    int64_t room = setup->backend.context - (int64_t)ids->n, wanted = setup->settings.max_tokens;
    ChatAsk ask = {
        .prompt = ids->at,
        .prompt_n = (int64_t)ids->n,
        .max_tokens = wanted > 0 && wanted < room ? wanted : room,
        .sampler = sampling_settings(&setup->sampling),
        .ends = s->ends.at,
        .ends_n = s->ends.n,
        .stops = s->stops.at,
        .stops_n = s->stops.n,
        .say = say,
        .wrote = wrote,
        .stopped = stopped,
        .context = s,
    };
    ask.sampler.seed += (uint64_t)s->asked++;
    return setup->backend.answer(setup->backend.self, &ask, result);
}

/* What was written becomes, or goes on with, the last message.  Where the model itself came to an end, its
 * ids are kept: what the next turn renders is then what the cache holds, also where the text has other ids.
 */
static void keep_answer(ChatSession *s, bool go_on, Finish finish)
{
    if (go_on) {
        Str whole = {0};
        Span before = s->talk.messages.at[s->talk.messages.n - 1].content;
        str_add(&whole, before.at, before.n);
        str_add(&whole, s->answer.at, s->answer.n);
        conversation_pop(&s->talk);
        conversation_add(&s->talk, CHAT_ASSISTANT, str_span(&whole));
        str_drop(&whole);
        return;
    }
    ChatMessage *m = conversation_add(&s->talk, CHAT_ASSISTANT, str_span(&s->answer));
    if (finish == FINISH_TOKEN)
        conversation_keep_ids(&s->talk, m, s->written.at, s->written.n);
}

Status chat_ask(ChatSession *s, bool go_on)
{
    Ids ids = {0};
    RequestResult result = {0};
    size_t let_go = s->let_go;
    str_clear(&s->answer);
    s->written.n = 0;
    Status st = fit(s, go_on ? CHAT_CONTINUE : CHAT_GENERATE, &ids);
    if (st == ST_OK)
        st = ask_backend(s, &ids, &result);
    array_drop(&ids);
    if (s->answer.n && s->answer.at[s->answer.n - 1] != '\n')
        fputc('\n', s->setup.out);
    fflush(s->setup.out);
    if (st == ST_OK) {
        s->last = result;
        s->has_last = true;
        if (result.finish == FINISH_CANCELLED && s->answer.n == 0)
            st = fail(ST_CANCELLED, "stopped before a word was said");
    }
    if (st != ST_OK) {
        s->let_go = let_go; /* the message is taken back: the turns that went for it are seen again */
        return st;
    }
    keep_answer(s, go_on, result.finish);
    say_end(s, &result);
    return ST_OK;
}

/* Lines -------------------------------------------------------------------------------------------------- */

static Status take_message(ChatSession *s, Span text)
{
    conversation_add(&s->talk, CHAT_USER, text);
    Status st = chat_ask(s, false);
    if (st != ST_OK) {
        conversation_pop(&s->talk);
        chat_note(s, st == ST_CANCELLED ? "(%s; the message is taken back)" : "%s", error_text());
    }
    return st;
}

bool chat_session_survives(Status st)
{
    return st == ST_OK || st == ST_ARG || st == ST_LIMIT || st == ST_IO || st == ST_FORMAT ||
           st == ST_CANCELLED;
}

Status chat_session_take(ChatSession *s, Span line, bool *over)
{
    *over = false;
    if (span_trim(line).n == 0)
        return ST_OK;
    if (line.at[0] != '/' || span_starts(line, "//"))
        return take_message(s, line.at[0] == '/' ? (Span){line.at + 1, line.n - 1} : line);
    Status st = chat_command(s, span_trim(line), over);
    if (st == ST_CANCELLED)
        chat_note(s, "(%s; all is as it was)", error_text());
    else if (st != ST_OK)
        chat_note(s, "%s", error_text());
    return st;
}

const Conversation *chat_session_conversation(const ChatSession *s)
{
    return &s->talk;
}

/* Opening ------------------------------------------------------------------------------------------------ */

static void collect_stops(ChatSession *s)
{
    const ChatSessionSetup *setup = &s->setup;
    chat_stop_ids(setup->tokenizer, setup->tmpl, &s->ends);
    for (size_t i = 0; i < setup->ends_n; i++)
        array_push(&s->ends, setup->ends[i]);
    for (const char *const *text = chat_stop_texts(setup->tokenizer, setup->tmpl); *text; text++)
        array_push(&s->stops, *text);
    for (size_t i = 0; i < setup->stops_n; i++)
        array_push(&s->stops, setup->stops[i]);
}

/* A template that cannot say what a chat needs is found out before the first message. */
static Status try_template(ChatSession *s)
{
    Ids ids = {0};
    conversation_add(&s->talk, CHAT_USER, span("?"));
    Status st = render(s, CHAT_GENERATE, &ids);
    conversation_pop(&s->talk);
    array_drop(&ids);
    return st;
}

Status chat_session_open(ChatSession **out, const ChatSessionSetup *setup)
{
    ChatSession *s = mem_new(ChatSession);
    s->setup = *setup;
    if (setup->system)
        conversation_add(&s->talk, CHAT_SYSTEM, span(setup->system));
    collect_stops(s);
    Status st = try_template(s);
    if (st != ST_OK) {
        chat_session_close(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

void chat_session_close(ChatSession *s)
{
    if (!s)
        return;
    conversation_drop(&s->talk);
    array_drop(&s->ends);
    array_drop(&s->stops);
    str_drop(&s->answer);
    array_drop(&s->written);
    mem_free(s->file);
    mem_free(s);
}
