/* Tool calls in what an assistant wrote. */
#include <string.h>

#include "tokenizer/chat_templates.h"

/* The call that a JSON text is, or NULL; new reference. */
static json_t *read_call(Span text)
{
    json_t *given = json_loadb(text.at, text.n, JSON_REJECT_DUPLICATES, NULL);
    json_t *name = json_object_get(given, "name"), *arguments = json_object_get(given, "arguments");
    if (!arguments)
        arguments = json_object_get(given, "parameters");
    json_t *call = NULL;
    if (json_string_length(name) && json_is_object(arguments))
        call = json_pack("{s:O,s:O}", "name", name, "arguments", arguments);
    json_decref(given);
    return call;
}

static bool take(json_t **calls, Span text)
{
    json_t *call = read_call(text);
    if (!call)
        return false;
    *calls = *calls ? *calls : json_array();
    json_array_append_new(*calls, call);
    return true;
}

static const char *find(Span text, const char *what)
{
    return text.n ? memmem(text.at, text.n, what, strlen(what)) : NULL;
}

/* The line end in front of a call belongs to the template. */
static void take_tagged(Span text, Str *content, json_t **calls)
{
    static const char open[] = "<tool_call>", close[] = "</tool_call>";
    const char *at;
    while ((at = find(text, open)) != NULL) {
        Span before = {text.at, (size_t)(at - text.at)};
        Span inside = {at + sizeof open - 1, text.n - before.n - (sizeof open - 1)};
        const char *end = find(inside, close);
        size_t whole = end ? (size_t)(end - text.at) + sizeof close - 1 : 0;
        bool taken = end && take(calls, span_trim((Span){inside.at, (size_t)(end - inside.at)}));
        if (taken && span_ends(before, "\n"))
            before.n--;
        str_add(content, before.at, before.n);
        size_t past = taken ? whole : (size_t)(inside.at - text.at);
        if (!taken)
            str_adds(content, open);
        text = (Span){text.at + past, text.n - past};
    }
    str_add(content, text.at, text.n);
}

void chat_parse_answer(const ChatTemplate *tmpl, Span text, Str *content, json_t **tool_calls)
{
    *tool_calls = NULL;
    if (tmpl->style->calls == CALLS_TAGGED) {
        take_tagged(text, content, tool_calls);
        return;
    }
    if (tmpl->style->calls == CALLS_BARE) {
        Span words = span_trim(text);
        if (span_starts(words, "<|python_tag|>"))
            words = (Span){words.at + 14, words.n - 14};
        if (words.n && words.at[0] == '{' && take(tool_calls, words))
            return;
    }
    str_add(content, text.at, text.n);
}
