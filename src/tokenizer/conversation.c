#include "tokenizer/conversation.h"

#include <math.h>
#include <string.h>

#include "base/json_file.h"

static const char *const role_names[CHAT_ROLES] = {"system", "user", "assistant", "tool"};

const char *conversation_role_name(ChatRole role)
{
    return role_names[role];
}

Status conversation_role_named(ChatRole *out, Span name)
{
    static const struct {
        const char *name;
        ChatRole role;
    } others[] = {{"developer", CHAT_SYSTEM}, {"function", CHAT_TOOL}, {"ipython", CHAT_TOOL}};
    for (int i = 0; i < CHAT_ROLES; i++)
        if (span_is(name, role_names[i])) {
            *out = (ChatRole)i;
            return ST_OK;
        }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (span_is(name, others[i].name)) {
            *out = others[i].role;
            return ST_OK;
        }
    return fail(ST_FORMAT, "role '%.*s' is none of system, user, assistant, tool",
                (int)(name.n < 40 ? name.n : 40), name.at);
}

/* Building ---------------------------------------------------------------------------------------------- */

Span conversation_keep(Conversation *c, Span text)
{
    return text.n ? (Span){arena_strn(&c->arena, text.at, text.n), text.n} : (Span){"", 0};
}

void conversation_keep_ids(Conversation *c, ChatMessage *m, const int32_t *ids, size_t n)
{
    int32_t *copy = n ? arena_alloc(&c->arena, n * sizeof *ids) : NULL;
    if (n)
        memcpy(copy, ids, n * sizeof *ids);
    m->ids = copy;
    m->ids_n = n;
}

ChatMessage *conversation_add(Conversation *c, ChatRole role, Span content)
{
    ChatMessage m = {
        .role = role, .content = conversation_keep(c, content), .name = {"", 0}, .tool_call_id = {"", 0}};
    array_push(&c->messages, m);
    return &c->messages.at[c->messages.n - 1];
}

void conversation_pop(Conversation *c)
{
    if (c->messages.n)
        json_decref(c->messages.at[--c->messages.n].tool_calls);
}

void conversation_clear(Conversation *c)
{
    while (c->messages.n)
        conversation_pop(c);
    json_decref(c->tools);
    c->tools = NULL;
    arena_clear(&c->arena);
}

void conversation_drop(Conversation *c)
{
    conversation_clear(c);
    array_drop(&c->messages);
    arena_drop(&c->arena);
}

void conversation_copy(Conversation *to, const Conversation *from)
{
    conversation_clear(to);
    to->tools = json_incref(from->tools);
    for (size_t i = 0; i < from->messages.n; i++) {
        const ChatMessage *m = &from->messages.at[i];
        ChatMessage *copy = conversation_add(to, m->role, m->content);
        copy->name = conversation_keep(to, m->name);
        copy->tool_call_id = conversation_keep(to, m->tool_call_id);
        copy->tool_calls = json_incref(m->tool_calls);
        copy->mute = m->mute;
        conversation_keep_ids(to, copy, m->ids, m->ids_n);
    }
}

/* From JSON --------------------------------------------------------------------------------------------- */

static Span json_span(const json_t *text)
{
    return (Span){json_string_value(text), json_string_length(text)};
}

/* *out stays where the key is absent or null. */
static Status read_text(Span *out, const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    if (v && !json_is_null(v) && !json_is_string(v))
        return fail(ST_FORMAT, "\"%s\" is no text", key);
    if (json_is_string(v))
        *out = json_span(v);
    return ST_OK;
}

static Status read_parts(Str *out, const json_t *parts)
{
    size_t i;
    json_t *part;
    json_array_foreach(parts, i, part)
    {
        Span text = {NULL, 0}, type = span("text");
        if (json_is_string(part)) {
            text = json_span(part);
        } else {
            TRY(read_text(&type, part, "type"));
            TRY(read_text(&text, part, "text"));
        }
        if (!span_is(type, "text") || !text.at)
            return fail(ST_FORMAT, "part %zu of its content is %.*s; only text is understood", i + 1,
                        (int)(type.n < 40 ? type.n : 40), span_is(type, "text") ? "no text" : type.at);
        str_add(out, text.at, text.n);
    }
    return ST_OK;
}

/* Arguments come as an object, or as the JSON text of one. */
/* Of a whole number beyond 64 bits the reader has only the nearest double: it would be learned as another
 * one. */
static bool is_exact(const json_t *value)
{
    const char *key;
    json_t *inner;
    size_t i;
    json_object_foreach((json_t *)(uintptr_t)value, key, inner) if (!is_exact(inner)) return false;
    json_array_foreach(value, i, inner) if (!is_exact(inner)) return false;
    return !json_is_real(value) || fabs(json_real_value(value)) < 0x1p63;
}

static Status read_arguments(json_t **out, const json_t *call)
{
    json_t *given = json_object_get(call, "arguments");
    if (!given)
        given = json_object_get(call, "parameters");
    if (!given || json_is_null(given) || (json_is_string(given) && span_trim(json_span(given)).n == 0)) {
        *out = json_object();
        return ST_OK;
    }
    if (json_is_object(given) && !is_exact(given))
        return fail(ST_FORMAT, "the arguments of a tool call have a number beyond 64 bits");
    if (json_is_object(given)) {
        *out = json_incref(given);
        return ST_OK;
    }
    json_t *read = json_is_string(given) ? json_loadb(json_string_value(given), json_string_length(given),
                                                      JSON_REJECT_DUPLICATES, NULL)
                                         : NULL;
    if (!json_is_object(read)) {
        json_decref(read);
        return fail(ST_FORMAT, "the arguments of a tool call are no JSON object");
    }
    *out = read;
    return ST_OK;
}

static Status read_call(json_t *calls, const json_t *given)
{
    const json_t *call = json_object_get(given, "function");
    if (!json_is_object(call))
        call = given;
    Span name = {NULL, 0}, id = {NULL, 0};
    json_t *arguments = NULL;
    TRY(read_text(&name, call, "name"));
    TRY(read_text(&id, given, "id"));
    if (!name.n)
        return fail(ST_FORMAT, "a tool call has no name");
    TRY(read_arguments(&arguments, call));
    json_t *one = json_pack("{s:s%,s:o}", "name", name.at, name.n, "arguments", arguments);
    if (one && id.n)
        json_object_set_new(one, "id", json_stringn(id.at, id.n));
    if (!one || json_array_append_new(calls, one) != 0)
        return fail(ST_FORMAT, "a tool call is no valid text");
    return ST_OK;
}

static Status read_calls(ChatMessage *m, const json_t *given)
{
    const json_t *calls = json_object_get(given, "tool_calls"),
                 *old = json_object_get(given, "function_call");
    json_t *one;
    size_t i;
    if (calls && !json_is_null(calls) && !json_is_array(calls))
        return fail(ST_FORMAT, "\"tool_calls\" is no array");
    if (json_array_size(calls) == 0 && !json_is_object(old))
        return ST_OK;
    if (m->role != CHAT_ASSISTANT)
        return fail(ST_FORMAT, "it calls tools, which only the assistant may");
    m->tool_calls = json_array();
    json_array_foreach(calls, i, one) TRY(read_call(m->tool_calls, one));
    if (json_array_size(m->tool_calls) == 0)
        TRY(read_call(m->tool_calls, old));
    return ST_OK;
}

/* "weight": 0 is OpenAI's way to leave a message out of the loss; "learn" and "train" are others'. */
static Status read_switches(ChatMessage *m, const json_t *given)
{
    static const char *const switches[] = {"learn", "train"};
    const json_t *weight = json_object_get(given, "weight");
    if (weight && !json_is_null(weight)) {
        double w = json_number_value(weight);
        if (!json_is_number(weight) || (w != 0.0 && w != 1.0))
            return fail(ST_FORMAT, "\"weight\" is neither 0 nor 1");
        m->mute = w == 0.0;
    }
    for (size_t i = 0; i < 2; i++) {
        const json_t *v = json_object_get(given, switches[i]);
        if (v && !json_is_boolean(v) && !json_is_null(v))
            return fail(ST_FORMAT, "\"%s\" is neither true nor false", switches[i]);
        m->mute |= json_is_false(v);
    }
    return ST_OK;
}

static Status read_content(Conversation *c, ChatMessage *m, const json_t *given)
{
    const json_t *content = json_object_get(given, "content");
    if (json_is_array(content)) {
        Str text = {0};
        Status st = read_parts(&text, content);
        m->content = conversation_keep(c, str_span(&text));
        str_drop(&text);
        return st;
    }
    if (json_is_string(content))
        m->content = conversation_keep(c, json_span(content));
    else if (content && !json_is_null(content))
        return fail(ST_FORMAT, "its content is no text");
    else if (!m->tool_calls)
        return fail(ST_FORMAT, "it has no content");
    return ST_OK;
}

static Status read_message(Conversation *c, const json_t *given)
{
    if (!json_is_object(given))
        return fail(ST_FORMAT, "it is no object with \"role\" and \"content\"");
    Span role = {NULL, 0}, name = {"", 0}, call = {"", 0};
    TRY(read_text(&role, given, "role"));
    if (!role.at)
        return fail(ST_FORMAT, "it has no role");
    ChatRole known;
    TRY(conversation_role_named(&known, role));
    ChatMessage *m = conversation_add(c, known, span(""));
    TRY(read_calls(m, given));
    TRY(read_content(c, m, given));
    TRY(read_text(&name, given, "name"));
    TRY(read_text(&call, given, "tool_call_id"));
    m->name = conversation_keep(c, name);
    m->tool_call_id = conversation_keep(c, call);
    return read_switches(m, given);
}

/* Some sets carry the tools as text. */
static Status read_tools(json_t **out, json_t *given)
{
    json_t *tools = json_is_string(given) ? json_loadb(json_string_value(given), json_string_length(given),
                                                       JSON_REJECT_DUPLICATES, NULL)
                                          : json_incref(given);
    if (!json_is_array(tools)) {
        json_decref(tools);
        return fail(ST_FORMAT, "\"tools\" is no array of functions");
    }
    *out = tools;
    return ST_OK;
}

Status conversation_from_json(Conversation *c, const json_t *value)
{
    const json_t *messages = json_is_array(value) ? value : json_object_get(value, "messages");
    json_t *given = json_object_get(value, "tools"), *tools = NULL, *one;
    size_t before = c->messages.n, i;
    if (!json_is_array(messages))
        return fail(ST_FORMAT, "there is no array \"messages\"");
    if (given && !json_is_null(given))
        TRY(read_tools(&tools, given));
    json_array_foreach(messages, i, one)
    {
        Status st = read_message(c, one);
        if (st == ST_OK)
            continue;
        while (c->messages.n > before)
            conversation_pop(c);
        json_decref(tools);
        return fail_in(st, "message %zu", i + 1);
    }
    if (tools && json_array_size(tools)) {
        json_decref(c->tools);
        c->tools = tools;
    } else {
        json_decref(tools);
    }
    return ST_OK;
}

/* To JSON ----------------------------------------------------------------------------------------------- */

static json_t *calls_to_json(const json_t *calls)
{
    json_t *out = json_array(), *one;
    size_t i;
    json_array_foreach(calls, i, one)
    {
        json_t *call = json_object(), *function = json_object();
        if (json_object_get(one, "id"))
            json_object_set(call, "id", json_object_get(one, "id"));
        json_object_set_new(call, "type", json_string("function"));
        json_object_set(function, "name", json_object_get(one, "name"));
        json_object_set(function, "arguments", json_object_get(one, "arguments"));
        json_object_set_new(call, "function", function);
        json_array_append_new(out, call);
    }
    return out;
}

json_t *conversation_to_json(const Conversation *c)
{
    json_t *object = json_object(), *messages = json_array();
    for (size_t i = 0; i < c->messages.n; i++) {
        const ChatMessage *m = &c->messages.at[i];
        json_t *one = json_object();
        json_object_set_new(one, "role", json_string(role_names[m->role]));
        json_object_set_new(one, "content", json_text(m->content));
        if (m->name.n)
            json_object_set_new(one, "name", json_text(m->name));
        if (m->tool_call_id.n)
            json_object_set_new(one, "tool_call_id", json_text(m->tool_call_id));
        if (m->tool_calls)
            json_object_set_new(one, "tool_calls", calls_to_json(m->tool_calls));
        if (m->mute)
            json_object_set_new(one, "weight", json_integer(0));
        json_array_append_new(messages, one);
    }
    json_object_set_new(object, "messages", messages);
    if (c->tools)
        json_object_set(object, "tools", c->tools);
    return object;
}
