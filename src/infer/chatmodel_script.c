/* A ChatModel that answers from a recording, and refuses what was not recorded. */
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/check.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/map.h"
#include "base/mem.h"
#include "infer/chatmodel.h"
#include "infer/chatmodel_script_turns.h"

enum { SHOWN = 60 }; /* bytes of a text that an error shows */

typedef struct {
    int number; /* of the line in the file, from 1 */
    json_t *object;
    json_t *messages; /* borrowed of it; NULL: not recorded */
    bool has_hash;
    uint64_t hash;
    int64_t next; /* SCRIPT_BY_HASH: the next line with this hash; -1 */
} ScriptLine;

typedef struct {
    char *path;
    ScriptOrder order;
    Array(ScriptLine) lines;
    ScriptTurns *turns;   /* the turns_n lines that are found by what a task says */
    Map *first;           /* SCRIPT_BY_HASH: hash -> its first unused line; -1: all are used */
    pthread_mutex_t lock; /* of `next`, and of `first` once it is open */
    size_t turns_n;
    size_t next; /* SCRIPT_IN_ORDER: the line of the next call */
} Script;

/* Messages ----------------------------------------------------------------------------------------------- */

/* Each text with its length in front, so that no two conversations give the same bytes, and as it comes back
 * from JSON. */
static void add_text(Str *s, Span text)
{
    Str valid = {0};
    str_add_valid(&valid, text.at, text.n);
    uint64_t n = valid.n;
    str_add(s, &n, sizeof n);
    str_add(s, str_c(&valid), valid.n);
    str_drop(&valid);
}

uint64_t chatmodel_hash(const Conversation *c)
{
    Str s = {0};
    for (size_t i = 0; i < c->messages.n; i++) {
        const ChatMessage *m = &c->messages.at[i];
        add_text(&s, span(conversation_role_name(m->role)));
        add_text(&s, m->content);
        add_text(&s, m->name);
    }
    uint64_t hash = XXH3_64bits(s.at, s.n);
    str_drop(&s);
    return hash;
}

static size_t same_bytes(Span a, Span b)
{
    size_t i = 0;
    while (i < a.n && i < b.n && a.at[i] == b.at[i])
        i++;
    return i;
}

/* As JSON, on one line, from a little before `at`. */
static void show(Str *out, Span text, size_t at)
{
    size_t from = at > SHOWN / 3 ? at - SHOWN / 3 : 0;
    while (from && utf8_length((unsigned char)text.at[from]) == 0)
        from--;
    size_t n = text.n - from < SHOWN ? text.n - from : SHOWN;
    while (from + n < text.n && n && utf8_length((unsigned char)text.at[from + n]) == 0)
        n--;
    json_t *part = json_stringn(text.at + from, n);
    char *shown = part ? json_dumps(part, JSON_ENCODE_ANY) : NULL;
    str_addf(out, "%s%s%s", from ? "..." : "", shown ? shown : "(bytes that are no text)",
             from + n < text.n ? "..." : "");
    free(shown);
    json_decref(part);
}

static bool same_message(const ChatMessage *a, const ChatMessage *b)
{
    return a->role == b->role && a->content.n == b->content.n && a->name.n == b->name.n &&
           same_bytes(a->content, b->content) == a->content.n && same_bytes(a->name, b->name) == a->name.n;
}

static void say_difference(Str *out, const Conversation *asked, const Conversation *recorded)
{
    size_t i = 0;
    while (i < asked->messages.n && i < recorded->messages.n &&
           same_message(&asked->messages.at[i], &recorded->messages.at[i]))
        i++;
    if (i == asked->messages.n || i == recorded->messages.n) {
        str_addf(out, "%zu messages are asked, %zu were recorded, the first %zu are the same",
                 asked->messages.n, recorded->messages.n, i);
        return;
    }
    const ChatMessage *a = &asked->messages.at[i], *b = &recorded->messages.at[i];
    size_t at = same_bytes(a->content, b->content);
    str_addf(out, "message %zu from byte %zu on: asked is %s ", i + 1, at, conversation_role_name(a->role));
    show(out, a->content, at);
    str_addf(out, ", recorded %s ", conversation_role_name(b->role));
    show(out, b->content, at);
}

static Status check_prompt(const Script *s, const ScriptLine *line, const ChatCall *call)
{
    Str how = {0};
    uint64_t hash = chatmodel_hash(call->messages);
    if (!line->has_hash || hash == line->hash)
        return ST_OK;
    if (line->messages) {
        Conversation recorded = {0};
        if (conversation_from_json(&recorded, line->messages) == ST_OK)
            say_difference(&how, call->messages, &recorded);
        conversation_drop(&recorded);
    } else {
        str_addf(&how, "the messages' hash is %016llx, recorded %016llx", (unsigned long long)hash,
                 (unsigned long long)line->hash);
    }
    Status st = fail(ST_ARG, "the prompt differs from the one recorded in %s line %d: %s", s->path,
                     line->number, str_c(&how));
    str_drop(&how);
    return st;
}

/* Answering ---------------------------------------------------------------------------------------------- */

static Status take_next(Script *s, const ScriptLine **line)
{
    pthread_mutex_lock(&s->lock);
    size_t i = s->next;
    s->next += i < s->lines.n;
    pthread_mutex_unlock(&s->lock);
    if (i == s->lines.n)
        return fail(ST_LIMIT, "the script %s has run out: all its %zu answers are given", s->path,
                    s->lines.n);
    *line = &s->lines.at[i];
    return ST_OK;
}

static Status take_hashed(Script *s, const ChatCall *call, const ScriptLine **line)
{
    uint64_t hash = chatmodel_hash(call->messages);
    pthread_mutex_lock(&s->lock);
    int64_t *first = map_find(s->first, (const char *)&hash, sizeof hash), i = first ? *first : -1;
    if (i >= 0)
        *first = s->lines.at[i].next;
    pthread_mutex_unlock(&s->lock);
    if (!first)
        return fail(ST_ARG,
                    "the script %s has no answer to these messages (hash %016llx): the prompt differs from "
                    "every recorded one",
                    s->path, (unsigned long long)hash);
    if (i < 0)
        return fail(ST_LIMIT, "the script %s has run out of answers to these messages (hash %016llx)",
                    s->path, (unsigned long long)hash);
    *line = &s->lines.at[i];
    return ST_OK;
}

static ChatFinish finish_of(const json_t *value)
{
    const char *name = json_string_value(value);
    for (int f = 0; name && f <= CHAT_FINISH_FAILED; f++)
        if (strcmp(name, chatmodel_finish_name((ChatFinish)f)) == 0)
            return (ChatFinish)f;
    return CHAT_FINISH_STOP;
}

static Status status_of(ChatFinish f)
{
    return f == CHAT_FINISH_CONTEXT || f == CHAT_FINISH_DEADLINE ? ST_LIMIT
           : f == CHAT_FINISH_CANCELLED                          ? ST_CANCELLED
           : f == CHAT_FINISH_REFUSED                            ? ST_ARG
                                                                 : ST_PEER;
}

static Status give(const ScriptLine *line, ChatAnswer *out)
{
    const json_t *o = line->object, *text = json_object_get(o, "text"), *error = json_object_get(o, "error");
    const json_t *prompt = json_object_get(o, "prompt_tokens"),
                 *done = json_object_get(o, "completion_tokens");
    out->finish = finish_of(json_object_get(o, "finish"));
    out->counted = json_is_integer(prompt) && json_is_integer(done);
    out->prompt_tokens = json_integer_value(prompt);
    out->completion_tokens = json_integer_value(done);
    out->seconds = json_number_value(json_object_get(o, "seconds"));
    out->retries = json_integer_value(json_object_get(o, "retries"));
    if (error)
        return fail(status_of(out->finish), "%s", json_string_value(error));
    if (out->finish >= CHAT_FINISH_CONTEXT)
        out->finish = CHAT_FINISH_STOP; /* there is an answer */
    str_add(&out->text, json_string_value(text), json_string_length(text));
    return ST_OK;
}

static Status script_ask(void *self, const ChatCall *call, ChatAnswer *out)
{
    Script *s = self;
    const ScriptLine *line = NULL;
    uint64_t hash = s->turns_n ? chatmodel_hash(call->messages) : 0;
    if (s->turns_n && !map_find(s->first, (const char *)&hash, sizeof hash)) {
        const json_t *turns = script_turns_find(s->turns, call->messages);
        if (turns)
            return script_turns_give(turns, call->messages, out);
    }
    TRY(s->order == SCRIPT_IN_ORDER ? take_next(s, &line) : take_hashed(s, call, &line));
    TRY(check_prompt(s, line, call));
    return give(line, out);
}

/* Reading ------------------------------------------------------------------------------------------------ */

static Status read_hash(ScriptLine *line)
{
    const json_t *hash = json_object_get(line->object, "messages_hash");
    Conversation c = {0};
    line->messages = json_object_get(line->object, "messages");
    if (line->messages) {
        Status st = conversation_from_json(&c, line->messages);
        line->hash = chatmodel_hash(&c);
        line->has_hash = true;
        conversation_drop(&c);
        TRY(st);
    }
    if (!hash)
        return ST_OK;
    const char *text = json_string_value(hash);
    if (!text || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return fail(ST_FORMAT, "messages_hash is no text of 16 hexadecimal digits");
    uint64_t given = strtoull(text, NULL, 16);
    if (line->has_hash && line->hash != given)
        return fail(ST_FORMAT, "messages_hash is %s, that of its messages %016llx", text,
                    (unsigned long long)line->hash);
    line->hash = given;
    line->has_hash = true;
    return ST_OK;
}

static Status check_line(const ScriptLine *line)
{
    const json_t *text = json_object_get(line->object, "text"),
                 *error = json_object_get(line->object, "error");
    if (!json_is_object(line->object))
        return fail(ST_FORMAT, "it is no object");
    if (!text == !error || !json_is_string(text ? text : error))
        return fail(ST_FORMAT, "it has neither \"text\" nor \"error\", or both, or no text there");
    return ST_OK;
}

static Status read_line(Script *s, Span text, int number)
{
    json_error_t why;
    if (span_trim(text).n == 0)
        return ST_OK;
    ScriptLine line = {.number = number, .next = -1};
    line.object = json_loadb(text.at, text.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (!line.object)
        return fail(ST_FORMAT, "it is no JSON: %s", why.text);
    if (json_object_get(line.object, "contains")) {
        Status st = script_turns_add(s->turns, line.object);
        json_decref(line.object);
        if (st == ST_OK && s->order == SCRIPT_IN_ORDER)
            st = fail(ST_FORMAT, "a line with \"contains\" stands among lines that are given in order");
        s->turns_n++;
        return st;
    }
    array_push(&s->lines, line); /* owned from here on */
    ScriptLine *kept = &s->lines.at[s->lines.n - 1];
    TRY(check_line(kept));
    TRY(read_hash(kept));
    if (s->order == SCRIPT_BY_HASH && !kept->has_hash)
        return fail(ST_FORMAT, "it has neither \"messages\" nor \"messages_hash\" to be found by");
    return ST_OK;
}

static Status read_lines(Script *s)
{
    Str text = {0};
    Status st = file_read(&text, s->path, 0);
    int number = 1;
    for (size_t at = 0; st == ST_OK && at < text.n; number++) {
        const char *end = memchr(text.at + at, '\n', text.n - at);
        size_t n = end ? (size_t)(end - text.at) - at : text.n - at;
        st = read_line(s, (Span){text.at + at, n}, number);
        if (st != ST_OK)
            fail_in(st, "%s line %d", s->path, number);
        at += n + 1;
    }
    str_drop(&text);
    return st;
}

/* From the last line on, so that each hash leads to its first one. */
static void link_lines(Script *s)
{
    s->first = map_new();
    for (int64_t i = (int64_t)s->lines.n - 1; i >= 0; i--) {
        ScriptLine *line = &s->lines.at[i];
        int64_t *first = map_find(s->first, (const char *)&line->hash, sizeof line->hash);
        line->next = first ? *first : -1;
        *map_put(s->first, (const char *)&line->hash, sizeof line->hash) = i;
    }
}

static void script_close(void *self)
{
    Script *s = self;
    for (size_t i = 0; i < s->lines.n; i++)
        json_decref(s->lines.at[i].object);
    array_drop(&s->lines);
    script_turns_free(s->turns);
    map_free(s->first);
    pthread_mutex_destroy(&s->lock);
    mem_free(s->path);
    mem_free(s);
}

static const ChatModelKind script = {script_ask, script_close};

Status chatmodel_script_open(ChatModel **out, const char *path, ScriptOrder order)
{
    Script *s = mem_new(Script);
    *s = (Script){.path = mem_str(path), .order = order, .turns = script_turns_new()};
    check(pthread_mutex_init(&s->lock, NULL) == 0);
    Status st = read_lines(s);
    if (st != ST_OK) {
        script_close(s);
        return st;
    }
    link_lines(s);
    script_turns_end(s->turns);
    chatmodel_open(out, &script, s, path);
    return ST_OK;
}

/* Writing ------------------------------------------------------------------------------------------------ */

void chatmodel_script_line(Str *out, const ChatCall *call, const ChatAnswer *a, Status st)
{
    char hash[17];
    json_t *o = json_object(), *asked = conversation_to_json(call->messages);
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)chatmodel_hash(call->messages));
    json_object_set(o, "messages", json_object_get(asked, "messages"));
    json_object_set_new(o, "messages_hash", json_string(hash));
    json_object_set_new(o, st == ST_OK ? "text" : "error",
                        json_text(st == ST_OK ? str_span(&a->text) : span(error_text())));
    json_object_set_new(o, "finish", json_string(chatmodel_finish_name(a->finish)));
    if (a->counted) {
        json_object_set_new(o, "prompt_tokens", json_integer(a->prompt_tokens));
        json_object_set_new(o, "completion_tokens", json_integer(a->completion_tokens));
    }
    json_object_set_new(o, "seconds", json_real(a->seconds));
    json_object_set_new(o, "retries", json_integer(a->retries));
    char *text = json_dumps(o, JSON_COMPACT);
    str_addf(out, "%s\n", text);
    free(text);
    json_decref(o);
    json_decref(asked);
}
