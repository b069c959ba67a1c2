#include "corpus/instruct_formats.h"

#include <stdarg.h>
#include <string.h>

json_t *instruct_formats_fail(FormatFailure *f, InstructReject reason, const char *fmt, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    f->reason = reason;
    str_clear(f->why);
    str_adds(f->why, text);
    return NULL;
}

void instruct_formats_say(json_t *messages, const char *role, const json_t *text)
{
    json_t *m = json_object();
    json_object_set_new(m, "role", json_string(role));
    json_object_set(m, "content", (json_t *)(uintptr_t)text);
    json_array_append_new(messages, m);
}

/* A key that must hold text. */
static const json_t *text_of(const json_t *record, const char *key, FormatFailure *f)
{
    const json_t *v = json_object_get(record, key);
    if (json_is_string(v))
        return v;
    return instruct_formats_fail(f, REJECT_BAD_MESSAGE, "\"%s\" is %s", key, v ? "no text" : "missing");
}

static json_t *wrap(json_t *messages)
{
    json_t *o = json_object();
    json_object_set_new(o, "messages", messages);
    return o;
}

static json_t *wrap_if(bool good, json_t *messages)
{
    if (good)
        return wrap(messages);
    json_decref(messages);
    return NULL;
}

/* A key that may be absent, null or empty, and else must hold text: *out is NULL where it says nothing. */
static bool maybe_text(const json_t **out, const json_t *record, const char *key, FormatFailure *f)
{
    const json_t *v = json_object_get(record, key);
    bool text = json_is_string(v), silent = !v || json_is_null(v);
    *out = text && json_string_length(v) > 0 ? v : NULL;
    if (!text && !silent)
        (void)instruct_formats_fail(f, REJECT_BAD_MESSAGE, "\"%s\" is no text", key);
    return text || silent;
}

static bool system_say(json_t *messages, const json_t *record, const char *key, FormatFailure *f)
{
    const json_t *text;
    if (!maybe_text(&text, record, key, f))
        return false;
    if (text)
        instruct_formats_say(messages, "system", text);
    return true;
}

/* Messages ----------------------------------------------------------------------------------------------- */

/* What chat.h's reader would refuse in general words is told apart here. */
static bool roles_known(const json_t *messages, FormatFailure *f)
{
    size_t i;
    json_t *m;
    json_array_foreach((json_t *)(uintptr_t)messages, i, m)
    {
        const char *role = json_string_value(json_object_get(m, "role"));
        ChatRole known;
        if (!role) {
            (void)instruct_formats_fail(f, REJECT_BAD_MESSAGE, "message %zu has no role", i + 1);
            return false;
        }
        if (conversation_role_named(&known, span(role)) != ST_OK) {
            (void)error_take();
            (void)instruct_formats_fail(f, REJECT_UNKNOWN_ROLE, "message %zu has the role \"%.40s\"", i + 1,
                                        role);
            return false;
        }
    }
    return true;
}

json_t *instruct_formats_messages(const json_t *record, FormatFailure *f)
{
    const json_t *messages = json_object_get(record, "messages");
    if (!json_is_array(messages))
        return instruct_formats_fail(f, REJECT_BAD_MESSAGE, "\"messages\" is no list");
    return roles_known(messages, f) ? json_incref((json_t *)(uintptr_t)record) : NULL;
}

/* Prompt and completion ---------------------------------------------------------------------------------- */

static bool part_add(json_t *messages, const json_t *record, const char *key, const char *role,
                     FormatFailure *f)
{
    const json_t *v = json_object_get(record, key);
    if (json_is_array(v))
        return json_array_extend(messages, (json_t *)(uintptr_t)v) == 0;
    const json_t *text = text_of(record, key, f);
    if (text)
        instruct_formats_say(messages, role, text);
    return text;
}

json_t *instruct_formats_completion(const json_t *record, FormatFailure *f)
{
    json_t *messages = json_array();
    if (system_say(messages, record, "system", f) && part_add(messages, record, "prompt", "user", f) &&
        part_add(messages, record, "completion", "assistant", f) && roles_known(messages, f)) {
        json_t *o = wrap(messages);
        if (json_object_get(record, "tools"))
            json_object_set(o, "tools", json_object_get(record, "tools"));
        return o;
    }
    json_decref(messages);
    return NULL;
}

/* Alpaca ------------------------------------------------------------------------------------------------- */

/* Instruction and input as one question, a blank line between them. */
static json_t *question(const json_t *instruction, const json_t *input)
{
    Str s = {0};
    str_add(&s, json_string_value(instruction), json_string_length(instruction));
    if (input) {
        str_adds(&s, s.n ? "\n\n" : "");
        str_add(&s, json_string_value(input), json_string_length(input));
    }
    json_t *text = json_stringn(str_c(&s), s.n);
    str_drop(&s);
    return text;
}

/* [[question, answer], ...] in front of the last: how LLaMA-Factory writes turns into this format. */
static bool history_say(json_t *messages, const json_t *history, FormatFailure *f)
{
    size_t i;
    json_t *pair;
    if (history && !json_is_null(history) && !json_is_array(history)) {
        (void)instruct_formats_fail(f, REJECT_BAD_MESSAGE, "\"history\" is no list");
        return false;
    }
    json_array_foreach((json_t *)(uintptr_t)history, i, pair)
    {
        instruct_formats_say(messages, "user", json_array_get(pair, 0));
        instruct_formats_say(messages, "assistant", json_array_get(pair, 1));
    }
    return true;
}

json_t *instruct_formats_alpaca(const json_t *record, FormatFailure *f)
{
    const json_t *instruction = text_of(record, "instruction", f);
    const json_t *output = instruction ? text_of(record, "output", f) : NULL, *input;
    if (!output || !maybe_text(&input, record, "input", f))
        return NULL;
    json_t *messages = json_array(), *asked = question(instruction, input);
    bool good = system_say(messages, record, "system", f) &&
                history_say(messages, json_object_get(record, "history"), f);
    instruct_formats_say(messages, "user", asked);
    instruct_formats_say(messages, "assistant", output);
    json_decref(asked);
    return wrap_if(good, messages);
}

/* ShareGPT ----------------------------------------------------------------------------------------------- */

/* Names under which "from" is found in published sets; ours, or "call" for an assistant's call of a tool. */
static const struct {
    const char *from, *role;
} speakers[] = {
    {"human", "user"},          {"user", "user"},
    {"prompter", "user"},       {"gpt", "assistant"},
    {"assistant", "assistant"}, {"chatgpt", "assistant"},
    {"bing", "assistant"},      {"bard", "assistant"},
    {"model", "assistant"},     {"system", "system"},
    {"function_call", "call"},  {"tool_call", "call"},
    {"observation", "tool"},    {"tool", "tool"},
    {"function", "tool"},       {"function_response", "tool"},
    {"tool_response", "tool"},
};

static const char *speaker_role(const char *from)
{
    for (size_t i = 0; i < sizeof speakers / sizeof speakers[0]; i++)
        if (strcmp(speakers[i].from, from) == 0)
            return speakers[i].role;
    return NULL;
}

/* The list of calls in a text: one {"name", "arguments"} or an array of them. */
static json_t *calls_of(const json_t *text)
{
    json_t *value = json_loadb(json_string_value(text), json_string_length(text), 0, NULL);
    json_t *list =
        json_is_array(value) ? json_incref(value) : json_pack("[O?]", json_is_object(value) ? value : NULL);
    json_t *calls = json_array(), *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        json_t *name = json_object_get(one, "name"), *arguments = json_object_get(one, "arguments");
        if (!arguments)
            arguments = json_object_get(one, "parameters");
        if (json_is_string(name)) /* a call of a tool that takes nothing may leave them out */
            json_array_append_new(calls, json_pack("{s:s, s:{s:O, s:o}}", "type", "function", "function",
                                                   "name", name, "arguments",
                                                   arguments ? json_incref(arguments) : json_object()));
    }
    bool whole = json_array_size(calls) > 0 && json_array_size(calls) == json_array_size(list);
    json_decref(value);
    json_decref(list);
    if (whole)
        return calls;
    json_decref(calls);
    return NULL;
}

static bool turn_add(json_t *messages, const json_t *turn, size_t number, FormatFailure *f)
{
    const char *from = json_string_value(json_object_get(turn, "from"));
    const json_t *value = json_object_get(turn, "value"), *weight = json_object_get(turn, "weight");
    const char *role = from ? speaker_role(from) : NULL;
    if (!from || !json_is_string(value)) {
        (void)instruct_formats_fail(f, REJECT_BAD_MESSAGE, "turn %zu has no \"%s\"", number,
                                    from ? "value" : "from");
        return false;
    }
    if (!role) {
        (void)instruct_formats_fail(f, REJECT_UNKNOWN_ROLE, "turn %zu is from \"%.40s\"", number, from);
        return false;
    }
    if (strcmp(role, "call") != 0) {
        instruct_formats_say(messages, role, value);
    } else {
        json_t *calls = calls_of(value);
        if (!calls) {
            (void)instruct_formats_fail(
                f, REJECT_BAD_MESSAGE, "turn %zu is no call of a tool: {\"name\": ..., \"arguments\": {...}}",
                number);
            return false;
        }
        json_array_append_new(
            messages, json_pack("{s:s, s:s, s:o}", "role", "assistant", "content", "", "tool_calls", calls));
    }
    if (weight)
        json_object_set(json_array_get(messages, json_array_size(messages) - 1), "weight",
                        (json_t *)(uintptr_t)weight);
    return true;
}

json_t *instruct_formats_sharegpt(const json_t *record, FormatFailure *f)
{
    const json_t *turns = json_object_get(record, "conversations");
    if (!json_is_array(turns))
        return instruct_formats_fail(f, REJECT_BAD_MESSAGE, "\"conversations\" is no list");
    json_t *messages = json_array(), *object = wrap(messages), *turn;
    size_t i;
    json_t *tools = json_object_get(record, "tools");
    bool no_tools = json_is_string(tools) && json_string_length(tools) == 0;
    bool good = system_say(messages, record, "system", f);
    if (tools && !no_tools)
        json_object_set(object, "tools", tools);
    json_array_foreach((json_t *)(uintptr_t)turns, i, turn) good = good && turn_add(messages, turn, i + 1, f);
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

/* OpenOrca ----------------------------------------------------------------------------------------------- */

json_t *instruct_formats_orca(const json_t *record, FormatFailure *f)
{
    const json_t *asked = text_of(record, "question", f);
    const json_t *answer = asked ? text_of(record, "response", f) : NULL;
    if (!answer)
        return NULL;
    json_t *messages = json_array();
    bool good = system_say(messages, record, "system_prompt", f);
    instruct_formats_say(messages, "user", asked);
    instruct_formats_say(messages, "assistant", answer);
    return wrap_if(good, messages);
}
