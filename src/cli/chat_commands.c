/* The commands of a chat: a table, and a function for each. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/chat_state.h"
#include "cli/slash.h"

enum { LOAD_MAX = 256 << 20, JSON_FLAGS = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL };

static const SlashCommand commands[];

static char *c_string(Span s)
{
    return mem_strn(s.at, s.n);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

/* What is said about the chat ---------------------------------------------------------------------------- */

static Status do_help(void *self, Span words, bool *over)
{
    const ChatSession *s = self;
    (void)words, (void)over;
    slash_help(s->setup.notes, commands);
    return ST_OK;
}

static Status do_tokens(void *self, Span words, bool *over)
{
    ChatSession *s = self;
    (void)words, (void)over;
    int64_t used, context = s->setup.backend.context;
    size_t n = s->talk.messages.n;
    TRY(chat_count(s, &used));
    if (used > context)
        chat_note(s, "the conversation takes %lld tokens, %lld more than the context of %lld; %zu message%s",
                  (long long)used, (long long)(used - context), (long long)context, n, plural(n));
    else
        chat_note(s, "%lld of %lld tokens are used, %lld are left; %zu message%s", (long long)used,
                  (long long)context, (long long)(context - used), n, plural(n));
    if (s->let_go)
        chat_note(s, "the model no longer sees the oldest %zu of them", s->let_go);
    return ST_OK;
}

static double rate(int64_t n, double seconds)
{
    return seconds > 0 ? (double)n / seconds : 0;
}

static Status do_speed(void *self, Span words, bool *over)
{
    ChatSession *s = self;
    (void)words, (void)over;
    const RequestResult *r = &s->last;
    if (!s->has_last)
        return fail(ST_ARG, "nothing was asked yet");
    int64_t read = r->prompt_tokens - r->cached_tokens;
    chat_note(s, "prompt: %lld tokens, %lld of them known from before, %.1f tok/s, first word after %.2f s",
              (long long)r->prompt_tokens, (long long)r->cached_tokens, rate(read, r->prompt_s),
              r->queued_s + r->prompt_s);
    chat_note(s, "answer: %lld tokens, %.1f tok/s, %.2f s; ended by %s", (long long)r->tokens,
              rate(r->tokens, r->tokens_s), r->tokens_s, finish_name(r->finish));
    return ST_OK;
}

static Status do_template(void *self, Span words, bool *over)
{
    ChatSession *s = self;
    (void)words, (void)over;
    const char *system = chat_template_system(s->setup.tmpl);
    chat_note(s, "%s: %s", chat_template_name(s->setup.tmpl), chat_template_about(s->setup.tmpl));
    if (system)
        chat_note(s, "its own system prompt: %s", system);
    return ST_OK;
}

/* Settings ----------------------------------------------------------------------------------------------- */

/* The two tables that /set looks into; `s` NULL: for their names alone. */
static void settings_of(ArgsTable tables[2], ChatSession *s)
{
    tables[0] = (ArgsTable){&sampling_table, s ? &s->setup.sampling : NULL};
    tables[1] = (ArgsTable){&chat_settings_table, s ? &s->setup.settings : NULL};
}

const char *const *chat_session_settings(void)
{
    static const char *names[32];
    ArgsTable tables[2];
    settings_of(tables, NULL);
    slash_setting_names(names, sizeof names / sizeof names[0] - 1, tables, 2);
    return names;
}

static Status do_settings(void *self, Span words, bool *over)
{
    ChatSession *s = self;
    ArgsTable tables[2];
    (void)over;
    settings_of(tables, s);
    return slash_set(s->setup.notes, tables, 2, words);
}

/* The conversation --------------------------------------------------------------------------------------- */

/* Puts `system` in front of what was said; an empty one takes it away. */
static Status replace_system(ChatSession *s, Span system)
{
    Conversation fresh = {0}, old = s->talk;
    Ids ids = {0};
    size_t from = chat_has_system(s);
    Status st = ST_OK;
    if (system.n)
        conversation_add(&fresh, CHAT_SYSTEM, system);
    fresh.tools = json_incref(old.tools);
    for (size_t i = from; i < old.messages.n; i++) {
        const ChatMessage *m = &old.messages.at[i];
        ChatMessage *copy = conversation_add(&fresh, m->role, m->content);
        copy->name = conversation_keep(&fresh, m->name);
        copy->tool_call_id = conversation_keep(&fresh, m->tool_call_id);
        copy->tool_calls = json_incref(m->tool_calls);
        copy->mute = m->mute;
        conversation_keep_ids(&fresh, copy, m->ids, m->ids_n);
    }
    conversation_add(&fresh, CHAT_USER, span("?"));
    if (system.n && old.messages.n == from)
        st = chat_render(s->setup.tokenizer, s->setup.tmpl, &fresh, CHAT_GENERATE, &ids, NULL);
    conversation_pop(&fresh);
    array_drop(&ids);
    if (st != ST_OK) {
        conversation_drop(&fresh);
        return st;
    }
    s->talk = fresh;
    conversation_drop(&old);
    return ST_OK;
}

static Status do_system(void *self, Span words, bool *over)
{
    ChatSession *s = self;
    (void)over;
    const char *own = chat_template_system(s->setup.tmpl);
    if (words.n) {
        bool off = span_is(words, "off");
        TRY(replace_system(s, off ? span("") : words));
        chat_note(s, off ? "(no system prompt%s)" : "(system prompt set%s)",
                  off && own ? " but the template's own" : "");
    } else if (chat_has_system(s)) {
        Span system = s->talk.messages.at[0].content;
        chat_note(s, "%.*s", (int)system.n, system.at);
    } else {
        chat_note(s, "%s%s", own ? "the template's own: " : "(no system prompt; /system TEXT sets one)",
                  own ? own : "");
    }
    return ST_OK;
}

/* What is said from here on is another conversation: /save writes over no file of the one before. */
static void forget_file(ChatSession *s)
{
    mem_free(s->file);
    s->file = NULL;
}

static Status do_clear(void *self, Span words, bool *over)
{
    ChatSession *s = self;
    (void)words, (void)over;
    size_t keep = chat_has_system(s);
    while (s->talk.messages.n > keep)
        conversation_pop(&s->talk);
    s->let_go = 0;
    forget_file(s);
    chat_note(s, keep ? "(a new conversation; the system prompt stays)" : "(a new conversation)");
    return ST_OK;
}

/* How many messages there are up to the user's last, itself included; 0: none. */
static size_t last_user(const ChatSession *s)
{
    size_t n = s->talk.messages.n;
    while (n && s->talk.messages.at[n - 1].role != CHAT_USER)
        n--;
    return n;
}

/* At most `most` bytes of s, whole characters. */
static Span first_bytes(Span s, size_t most)
{
    size_t n = s.n < most ? s.n : most;
    while (n && n < s.n && utf8_length((unsigned char)s.at[n]) == 0)
        n--;
    return (Span){s.at, n};
}

static Status do_undo(void *self, Span words, bool *over)
{
    ChatSession *s = self;
    (void)words, (void)over;
    size_t n = last_user(s);
    if (!n)
        return fail(ST_ARG, "there is nothing to take back");
    Span said = s->talk.messages.at[n - 1].content, shown = first_bytes(said, 60);
    chat_note(s, "(taken back: %.*s%s)", (int)shown.n, shown.at, shown.n < said.n ? "..." : "");
    while (s->talk.messages.n >= n)
        conversation_pop(&s->talk);
    size_t behind = s->talk.messages.n - chat_has_system(s);
    s->let_go = s->let_go < behind ? s->let_go : 0;
    return ST_OK;
}

static Status do_retry(void *self, Span words, bool *over)
{
    ChatSession *s = self;
    (void)words, (void)over;
    size_t n = last_user(s);
    Conversation before = {0};
    if (!n)
        return fail(ST_ARG, "there is nothing to answer yet");
    if (n < s->talk.messages.n && s->setup.sampling.temp == 0)
        chat_note(s, "(temperature 0 gives the same answer again; /set temp 0.8)");
    conversation_copy(&before, &s->talk);
    while (s->talk.messages.n > n)
        conversation_pop(&s->talk);
    Status st = chat_ask(s, false);
    if (st != ST_OK)
        conversation_copy(&s->talk, &before);
    conversation_drop(&before);
    return st;
}

static Status do_continue(void *self, Span words, bool *over)
{
    ChatSession *s = self;
    (void)words, (void)over;
    if (!s->talk.messages.n || s->talk.messages.at[s->talk.messages.n - 1].role != CHAT_ASSISTANT)
        return fail(ST_ARG, "there is no answer to go on with");
    return chat_ask(s, true);
}

/* Files -------------------------------------------------------------------------------------------------- */

/* One line of JSON, as `lemur tune` reads it. */
static void add_line(const ChatSession *s, Str *out)
{
    json_t *object = conversation_to_json(&s->talk);
    char *line = json_dumps(object, JSON_COMPACT);
    str_addf(out, "%s\n", line ? line : "");
    free(line);
    json_decref(object);
}

static Status write_file(ChatSession *s, const char *path, bool append)
{
    Str text = {0};
    Status st = ST_OK;
    if (!s->talk.messages.n)
        return fail(ST_ARG, "nothing was said yet");
    if (!append && path_exists(path) && (!s->file || strcmp(s->file, path) != 0))
        return fail(ST_ARG, "%s is there already; /append %s adds this conversation as a line", path, path);
    if (append && path_exists(path))
        st = file_read(&text, path, LOAD_MAX);
    if (text.n && text.at[text.n - 1] != '\n')
        str_addc(&text, '\n');
    add_line(s, &text);
    if (st == ST_OK)
        st = file_replace(path, text.at, text.n);
    str_drop(&text);
    TRY(st);
    if (!append) {
        mem_free(s->file);
        s->file = mem_str(path);
    }
    chat_note(s, "(%zu message%s written to %s)", s->talk.messages.n, plural(s->talk.messages.n), path);
    return ST_OK;
}

static Status with_path(ChatSession *s, Span words, bool append)
{
    if (!words.n)
        return fail(ST_ARG, "say which file: /%s FILE", append ? "append" : "save");
    char *path = c_string(words);
    Status st = write_file(s, path, append);
    mem_free(path);
    return st;
}

static Status do_save(void *self, Span words, bool *over)
{
    ChatSession *s = self;
    (void)over;
    return with_path(s, words, false);
}

static Status do_append(void *self, Span words, bool *over)
{
    ChatSession *s = self;
    (void)over;
    return with_path(s, words, true);
}

/* Line `wanted` of a JSONL file, from 1; 0: the last.  A file that is one JSON text is its only line. */
static Status pick_line(json_t **out, const Str *text, int64_t wanted, const char *path)
{
    json_error_t why;
    Span rest = str_span(text), picked = {NULL, 0};
    int64_t lines = 0;
    *out = json_loadb(str_c(text), text->n, JSON_FLAGS, NULL);
    if (*out && wanted <= 1)
        return ST_OK;
    json_decref(*out);
    while (rest.n) {
        const char *end = memchr(rest.at, '\n', rest.n);
        Span line = {rest.at, end ? (size_t)(end - rest.at) : rest.n};
        rest = (Span){rest.at + line.n + (end != NULL), rest.n - line.n - (end != NULL)};
        if (span_trim(line).n && (++lines == wanted || !wanted))
            picked = line;
    }
    if (!picked.at)
        return fail(ST_ARG, "%s has %lld line%s", path, (long long)lines, plural((size_t)lines));
    *out = json_loadb(picked.at, picked.n, JSON_FLAGS, &why);
    return *out ? ST_OK : fail(ST_FORMAT, "%s: the line is no JSON: %s", path, why.text);
}

static Status read_file(ChatSession *s, Conversation *talk, const char *path, int64_t line)
{
    Str text = {0};
    json_t *value = NULL;
    Ids ids = {0};
    Status st = file_read(&text, path, LOAD_MAX);
    if (st == ST_OK)
        st = pick_line(&value, &text, line, path);
    str_drop(&text);
    TRY(st); /* which names the file */
    st = conversation_from_json(talk, value);
    json_decref(value);
    if (st == ST_OK)
        st = chat_render(s->setup.tokenizer, s->setup.tmpl, talk, 0, &ids, NULL);
    array_drop(&ids);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", path);
}

static Status do_load(void *self, Span words, bool *over)
{
    ChatSession *s = self;
    (void)over;
    Conversation talk = {0};
    char *path = c_string(words), *number = strrchr(path, ' ');
    int64_t line = 0;
    if (number && !path_exists(path) && parse_int(&line, number + 1) == ST_OK && line > 0)
        *number = 0;
    Status st = *path ? read_file(s, &talk, path, line) : fail(ST_ARG, "say which file: /load FILE [LINE]");
    if (st == ST_OK) {
        conversation_drop(&s->talk);
        s->talk = talk;
        s->let_go = 0;
        forget_file(s);
        const ChatMessage *last = &talk.messages.at[talk.messages.n - 1];
        chat_note(s, "(%zu message%s; %s)", talk.messages.n, plural(talk.messages.n),
                  last->role == CHAT_USER ? "/retry answers the last one" : "the model is waiting for yours");
    } else {
        conversation_drop(&talk);
    }
    mem_free(path);
    return st;
}

static Status do_quit(void *self, Span words, bool *over)
{
    (void)self, (void)words;
    *over = true;
    return ST_OK;
}

/* The table ---------------------------------------------------------------------------------------------- */

static const SlashCommand commands[] = {
    {"/help", "", "this list", do_help},
    {"/retry", "", "another answer to the last message", do_retry},
    {"/continue", "", "let the last answer go on", do_continue},
    {"/undo", "", "take back the last message and its answer", do_undo},
    {"/clear", "", "begin anew; the system prompt stays", do_clear},
    {"/system", "[TEXT]", "show or set the system prompt; /system off takes it away", do_system},
    {"/save", "FILE", "write the conversation as one line of messages JSONL", do_save},
    {"/append", "FILE", "add it to a file of such lines", do_append},
    {"/load", "FILE [LINE]", "go on with a saved one; without LINE: the last", do_load},
    {"/set", "[NAME VALUE]", "change a setting, as /set temp 0.7", do_settings},
    {"/settings", "", "show all settings", do_settings},
    {"/tokens", "", "how much of the context is used and left", do_tokens},
    {"/speed", "", "of the last answer", do_speed},
    {"/template", "", "how messages are put to the model", do_template},
    {"/quit", "", "leave", do_quit},
    {"/exit", "", "leave", do_quit},
    {NULL, NULL, NULL, NULL},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] - 1 };

const char *const *chat_session_commands(void)
{
    static const char *names[COMMANDS + 1];
    slash_names(names, COMMANDS, commands);
    return names;
}

Status chat_command(ChatSession *s, Span line, bool *over)
{
    return slash_run(commands, s, line, over);
}
