#include "infer/chatmodel_wire.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Requests ----------------------------------------------------------------------------------------------- */

static void set_real(json_t *o, const char *key, double value, double plain)
{
    if (value < plain || value > plain)
        json_object_set_new(o, key, json_real(value));
}

static void set_sampler(json_t *o, const SamplerSettings *s)
{
    json_object_set_new(o, "temperature", json_real(s->temperature)); /* a server's default is another */
    if (s->temperature > 0)
        json_object_set_new(o, "seed", json_integer((json_int_t)(s->seed & INT64_MAX)));
    set_real(o, "top_p", s->top_p, 1);
    set_real(o, "min_p", s->min_p, 0);
    if (s->top_k)
        json_object_set_new(o, "top_k", json_integer(s->top_k));
    set_real(o, "repetition_penalty", s->repetition_penalty, 1);
    set_real(o, "frequency_penalty", s->frequency_penalty, 0);
    set_real(o, "presence_penalty", s->presence_penalty, 0);
}

/* As they are asked for: what is for training only does not go out. */
static json_t *messages_of(const Conversation *c)
{
    json_t *whole = conversation_to_json(c), *messages = json_incref(json_object_get(whole, "messages")),
           *one;
    size_t i;
    json_array_foreach(messages, i, one) json_object_del(one, "weight");
    json_decref(whole);
    return messages;
}

static json_t *stops_of(const ChatCall *call)
{
    json_t *stops = json_array();
    for (size_t i = 0; i < call->stops_n; i++)
        json_array_append_new(stops, json_string(call->stops[i]));
    return stops;
}

void chatmodel_wire_request(Str *out, const ChatCall *call, const char *model, const char *max_tokens_key)
{
    json_t *o = json_object();
    json_object_set_new(o, "model", json_string(model));
    json_object_set_new(o, "messages", messages_of(call->messages));
    if (call->max_tokens)
        json_object_set_new(o, max_tokens_key, json_integer(call->max_tokens));
    if (call->stops_n)
        json_object_set_new(o, "stop", stops_of(call));
    set_sampler(o, &call->sampler);
    char *text = json_dumps(o, JSON_COMPACT);
    str_adds(out, text);
    free(text);
    json_decref(o);
}

/* Errors ------------------------------------------------------------------------------------------------- */

/* Of valid UTF-8 without control characters: it goes to a terminal. */
static void one_line(Str *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t c = '?';
        int length = utf8_decode(&c, text + i, n - i);
        i += length ? (size_t)length : 1;
        if (c > 32 && (c < 127 || c >= 160))
            str_add_utf8(out, c);
        else if (out->n && out->at[out->n - 1] != ' ')
            str_addc(out, ' ');
    }
    while (out->n && out->at[out->n - 1] == ' ')
        out->at[--out->n] = 0;
}

static bool says(const json_t *value, const char *words)
{
    const char *text = json_string_value(value);
    return text && strcasestr(text, words);
}

/* OpenAI: {"error": {"message", "type", "code"}}; others: {"error": text}, {"message": text}, {"detail":
 * text}. */
static void read_error(WireReply *r, const json_t *root)
{
    const json_t *error = json_object_get(root, "error"), *o = json_is_object(error) ? error : root;
    const json_t *code = json_object_get(o, "code"), *type = json_object_get(o, "type");
    const json_t *words = json_object_get(o, "message");
    if (json_is_string(error))
        words = error;
    if (!words)
        words = json_object_get(o, "detail");
    if (json_is_string(words))
        one_line(&r->words, json_string_value(words), json_string_length(words));
    r->quota = says(code, "insufficient_quota") || says(type, "insufficient_quota");
    /* OpenAI's code; llama.cpp's type; vLLM's words */
    r->context = says(code, "context_length") || says(type, "exceed_context_size") ||
                 says(words, "maximum context length");
    if (r->status == 200)
        r->status = json_is_integer(code) ? (long)json_integer_value(code) : 500;
}

static Status read_failure(WireReply *r, const HttpReply *http, const json_t *root)
{
    if (json_is_object(root))
        read_error(r, root);
    if (r->words.n == 0)
        one_line(&r->words, str_c(&http->body), http->body.n);
    return fail(ST_PEER, "status %ld", r->status);
}

/* Answers ------------------------------------------------------------------------------------------------ */

static Status read_message(const json_t *message, ChatAnswer *out)
{
    const json_t *content = json_object_get(message, "content");
    if (json_array_size(json_object_get(message, "tool_calls")))
        return fail(ST_FORMAT, "the answer is a tool call, and there are no tools");
    if (!json_is_object(message) || (content && !json_is_string(content) && !json_is_null(content)))
        return fail(ST_FORMAT, "the answer has no message with text");
    if (json_is_string(content))
        str_add(&out->text, json_string_value(content), json_string_length(content));
    return ST_OK;
}

static void read_usage(const json_t *usage, ChatAnswer *out)
{
    const json_t *prompt = json_object_get(usage, "prompt_tokens"),
                 *completion = json_object_get(usage, "completion_tokens");
    if (!json_is_integer(prompt) || !json_is_integer(completion) || json_integer_value(prompt) < 0 ||
        json_integer_value(completion) < 0)
        return;
    out->counted = true;
    out->prompt_tokens = json_integer_value(prompt);
    out->completion_tokens = json_integer_value(completion);
}

static Status read_completion(const json_t *root, ChatAnswer *out)
{
    const json_t *choice = json_array_get(json_object_get(root, "choices"), 0);
    if (!choice)
        return fail(ST_FORMAT, "the answer has no choices");
    TRY(read_message(json_object_get(choice, "message"), out));
    const json_t *finish = json_object_get(choice, "finish_reason");
    out->finish = says(finish, "length")           ? CHAT_FINISH_LENGTH
                  : says(finish, "content_filter") ? CHAT_FINISH_FILTER
                                                   : CHAT_FINISH_STOP;
    read_usage(json_object_get(root, "usage"), out);
    return ST_OK;
}

static Status read_root(WireReply *r, const HttpReply *http, const json_t *root, const json_error_t *why,
                        ChatAnswer *out)
{
    const json_t *error = json_object_get(root, "error");
    if (http->status != 200 || (error && !json_is_null(error)))
        return read_failure(r, http, root);
    if (root)
        return read_completion(root, out);
    /* In the middle of an escape or a letter, that is what jansson finds wrong. */
    Span body = span_trim(str_span(&http->body));
    r->cut = json_error_code(why) == json_error_premature_end_of_input ||
             (span_starts(body, "{") && !span_ends(body, "}"));
    return fail(ST_FORMAT, "the answer is no JSON from line %d, column %d on", why->line, why->column);
}

/* The number of an escape "\uXXXX" at s[i], -1 where there is none. */
static long escape_at(const Str *s, size_t i)
{
    long value = 0;
    if (i + 6 > s->n || s->at[i] != '\\' || s->at[i + 1] != 'u')
        return -1;
    for (size_t k = i + 2; k < i + 6; k++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = memchr(digits, s->at[k] | 0x20, 16);
        if (!digit)
            return -1;
        value = value * 16 + (digit - digits);
    }
    return value;
}

/* What a model wrote need not be text: bytes that are no UTF-8 and half surrogate pairs become U+FFFD. */
static void mend(Str *out, const Str *body)
{
    str_add_valid(out, body->at, body->n);
    for (size_t i = 0; i + 1 < out->n; i++) {
        long code = escape_at(out, i), next = escape_at(out, i + 6);
        bool high = code >= 0xd800 && code < 0xdc00;
        if (out->at[i] != '\\')
            continue;
        if (high && next >= 0xdc00 && next < 0xe000)
            i += 11;
        else if (code >= 0xd800 && code < 0xe000)
            memcpy(out->at + i, "\\ufffd", 6), i += 5;
        else
            i++;
    }
}

static json_t *read_body(const Str *body, json_error_t *why)
{
    json_t *root = json_loadb(str_c(body), body->n, JSON_ALLOW_NUL, why);
    if (root || body->n == 0)
        return root;
    Str mended = {0};
    json_error_t ignored; /* places are those of the text that came */
    mend(&mended, body);
    root = json_loadb(str_c(&mended), mended.n, JSON_ALLOW_NUL, &ignored);
    str_drop(&mended);
    return root;
}

Status chatmodel_wire_reply(WireReply *r, const HttpReply *http, ChatAnswer *out)
{
    json_error_t why;
    str_clear(&r->words);
    *r = (WireReply){.status = http->status, .words = r->words};
    json_t *root = read_body(&http->body, &why);
    Status st = read_root(r, http, root, &why, out);
    json_decref(root);
    return st;
}
