/* The commands of a chat: a table, and a function for each. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/chat_state.h"

enum { LOAD_MAX = 256 << 20 };

typedef struct {
    const char *name, *words, *about;
    Status (*run)(ChatSession *s, Span words, bool *over);
} ChatCommand;

static const ChatCommand commands[];

static char *c_string(Span s)
{
    return mem_strn(s.at, s.n);
}

/* The first word of *words, taken off. */
static Span take_word(Span *words)
{
    size_t n = 0;
    while (n < words->n && !strchr(" \t\n=", words->at[n]))
        n++;
    Span word = {words->at, n};
    *words = span_trim((Span){words->at + n, words->n - n});
    if (words->n && words->at[0] == '=')
        *words = span_trim((Span){words->at + 1, words->n - 1});
    return word;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

/* What is said about the chat ---------------------------------------------------------------------------- */

static Status do_help(ChatSession *s, Span words, bool *over)
{
    (void)words, (void)over;
    for (const ChatCommand *c = commands; c->name; c++) {
        char *left = mem_format("%s %s", c->name, c->words);
        chat_note(s, "  %-22s %s", left, c->about);
        mem_free(left);
    }
    chat_note(
        s, "A line that ends with \\ goes on in the next; \"\"\" begins a message of many lines and \"\"\" "
           "ends it.\n"
           "Ctrl-C stops an answer, Ctrl-D leaves.  A message that begins with / is written with two: //.");
    return ST_OK;
}

static Status do_tokens(ChatSession *s, Span words, bool *over)
{
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

static Status do_speed(ChatSession *s, Span words, bool *over)
{
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

static Status do_template(ChatSession *s, Span words, bool *over)
{
    (void)words, (void)over;
    const char *system = chat_template_system(s->setup.tmpl);
    chat_note(s, "%s: %s", chat_template_name(s->setup.tmpl), chat_template_about(s->setup.tmpl));
    if (system)
        chat_note(s, "its own system prompt: %s", system);
    return ST_OK;
}

/* Settings ----------------------------------------------------------------------------------------------- */

/* The two tables that /set looks into. */
static const FieldTable *const tables[] = {&sampling_table, &chat_settings_table};

static void *config_of(ChatSession *s, size_t table)
{
    return table == 0 ? (void *)&s->setup.sampling : (void *)&s->setup.settings;
}

const char *const *chat_session_settings(void)
{
    static const char *names[32];
    size_t n = 0;
    for (size_t t = 0; t < 2; t++)
        for (size_t i = 0; i < tables[t]->n && n + 1 < sizeof names / sizeof names[0]; i++)
            names[n++] = tables[t]->fields[i].name;
    return names;
}

static void note_setting(ChatSession *s, size_t table, const Field *field)
{
    json_t *all = config_to_json(tables[table], config_of(s, table));
    char *value = json_dumps(json_object_get(all, field->name), JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    chat_note(s, "  %-20s %-8s %s", field->name, value ? value : "", field->help);
    free(value);
    json_decref(all);
}

static Status do_settings(ChatSession *s, Span words, bool *over)
{
    (void)words, (void)over;
    for (size_t t = 0; t < 2; t++)
        for (size_t i = 0; i < tables[t]->n; i++)
            note_setting(s, t, &tables[t]->fields[i]);
    return ST_OK;
}

static Status set(ChatSession *s, const char *name, const char *value)
{
    const char *const *names = chat_session_settings();
    size_t n = 0;
    for (size_t t = 0; t < 2; t++) {
        const Field *field = config_find(tables[t], name);
        if (!field)
            continue;
        if (*value)
            TRY(config_set(tables[t], config_of(s, t), name, value));
        note_setting(s, t, field);
        return ST_OK;
    }
    while (names[n])
        n++;
    const char *near = nearest_name(name, names, n);
    return fail(ST_ARG, "there is no setting '%s'; %s%s%s/settings lists them", name,
                near ? "do you mean " : "", near ? near : "", near ? "? " : "");
}

static Status do_set(ChatSession *s, Span words, bool *over)
{
    if (!words.n)
        return do_settings(s, words, over);
    char *name = c_string(take_word(&words)), *value = c_string(words);
    Status st = set(s, name, value);
    mem_free(name);
    mem_free(value);
    return st;
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

static Status do_system(ChatSession *s, Span words, bool *over)
{
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

static Status do_clear(ChatSession *s, Span words, bool *over)
{
    (void)words, (void)over;
    size_t keep = chat_has_system(s);
    while (s->talk.messages.n > keep)
        conversation_pop(&s->talk);
    s->let_go = 0;
    mem_free(s->file);
    s->file = NULL;
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

static Status do_undo(ChatSession *s, Span words, bool *over)
{
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

static Status do_retry(ChatSession *s, Span words, bool *over)
{
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

static Status do_continue(ChatSession *s, Span words, bool *over)
{
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

static Status do_save(ChatSession *s, Span words, bool *over)
{
    (void)over;
    return with_path(s, words, false);
}

static Status do_append(ChatSession *s, Span words, bool *over)
{
    (void)over;
    return with_path(s, words, true);
}

/* Line `wanted` of a JSONL file, from 1; 0: the last.  A file that is one JSON text is its only line. */
static Status pick_line(json_t **out, const Str *text, int64_t wanted, const char *path)
{
    json_error_t why;
    Span rest = str_span(text), picked = {NULL, 0};
    int64_t lines = 0;
    *out = json_loadb(str_c(text), text->n, JSON_REJECT_DUPLICATES, NULL);
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
    *out = json_loadb(picked.at, picked.n, JSON_REJECT_DUPLICATES, &why);
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

static Status do_load(ChatSession *s, Span words, bool *over)
{
    (void)over;
    Conversation talk = {0};
    char *path = c_string(words), *number = strrchr(path, ' ');
    int64_t line = 0;
    if (number && parse_int(&line, number + 1) == ST_OK && line > 0)
        *number = 0;
    Status st = *path ? read_file(s, &talk, path, line) : fail(ST_ARG, "say which file: /load FILE [LINE]");
    if (st == ST_OK) {
        conversation_drop(&s->talk);
        s->talk = talk;
        s->let_go = 0;
        const ChatMessage *last = &talk.messages.at[talk.messages.n - 1];
        chat_note(s, "(%zu message%s; %s)", talk.messages.n, plural(talk.messages.n),
                  last->role == CHAT_USER ? "/retry answers the last one" : "the model is waiting for yours");
    } else {
        conversation_drop(&talk);
    }
    mem_free(path);
    return st;
}

static Status do_quit(ChatSession *s, Span words, bool *over)
{
    (void)s, (void)words;
    *over = true;
    return ST_OK;
}

/* The table ---------------------------------------------------------------------------------------------- */

static const ChatCommand commands[] = {
    {"/help", "", "this list", do_help},
    {"/retry", "", "another answer to the last message", do_retry},
    {"/continue", "", "let the last answer go on", do_continue},
    {"/undo", "", "take back the last message and its answer", do_undo},
    {"/clear", "", "begin anew; the system prompt stays", do_clear},
    {"/system", "[TEXT]", "show or set the system prompt; /system off takes it away", do_system},
    {"/save", "FILE", "write the conversation as one line of messages JSONL", do_save},
    {"/append", "FILE", "add it to a file of such lines", do_append},
    {"/load", "FILE [LINE]", "go on with a saved one; without LINE: the last", do_load},
    {"/set", "[NAME VALUE]", "change a setting, as /set temp 0.7", do_set},
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
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    return names;
}

Status chat_command(ChatSession *s, Span line, bool *over)
{
    Span words = line, name = take_word(&words);
    for (const ChatCommand *c = commands; c->name; c++)
        if (span_is(name, c->name))
            return !*c->words && words.n ? fail(ST_ARG, "%s takes no words", c->name)
                                         : c->run(s, words, over);
    char *given = c_string(name);
    const char *near = nearest_name(given, chat_session_commands(), COMMANDS);
    Status st =
        fail(ST_ARG,
             "there is no command %s; %s%s%s/help lists them, and a message that begins with / is written "
             "with two",
             given, near ? "do you mean " : "", near ? near : "", near ? "? " : "");
    mem_free(given);
    return st;
}
