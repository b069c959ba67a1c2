#include "corpus/instruct.h"

#include <string.h>

#include "corpus/instruct_formats.h"

const char *const instruct_format_names[INSTRUCT_FORMATS + 2] = {
    "auto", "messages", "transcript", "completion", "alpaca", "sharegpt", "orca", "oasst", "evol", NULL,
};

const char *const instruct_reject_names[REJECT_REASONS] = {
    "good",         "unreadable",           "invalid_utf8",     "not_json",
    "other_format", "bad_message",          "unknown_role",     "role_order",
    "empty_prompt", "empty_answer",         "nothing_to_learn", "other_language",
    "low_reward",   "no_place_in_template", "too_long",         "duplicate",
};

InstructFormat instruct_format_named(const char *name)
{
    for (int i = 0; i < INSTRUCT_FORMATS; i++)
        if (strcmp(instruct_format_names[i], name) == 0)
            return (InstructFormat)i;
    return INSTRUCT_ALPACA; /* "evol" */
}

/* What a record is --------------------------------------------------------------------------------------- */

static bool has(const json_t *record, const char *key)
{
    return json_object_get(record, key);
}

InstructFormat instruct_recognise(const json_t *record)
{
    if (json_is_array(json_object_get(record, "messages")))
        return has(record, "transcript") ? INSTRUCT_TRANSCRIPT : INSTRUCT_MESSAGES;
    if (json_is_array(json_object_get(record, "conversations")))
        return INSTRUCT_SHAREGPT;
    if (has(record, "message_tree_id") && json_is_object(json_object_get(record, "prompt")))
        return INSTRUCT_OASST;
    if (has(record, "question") && has(record, "response"))
        return INSTRUCT_ORCA;
    if (has(record, "instruction") && has(record, "output"))
        return INSTRUCT_ALPACA;
    if (has(record, "prompt") && has(record, "completion"))
        return INSTRUCT_COMPLETION;
    return INSTRUCT_AUTO;
}

void instruct_describe(Str *out, const json_t *record)
{
    enum { KEYS_SHOWN = 8 };
    const char *key;
    json_t *value;
    int n = 0;
    if (!json_is_object(record)) {
        str_adds(out, json_is_array(record)    ? "an array"
                      : json_is_string(record) ? "a text"
                                               : "a number or word");
        return;
    }
    str_adds(out, "an object with the keys ");
    json_object_foreach((json_t *)(uintptr_t)record, key, value)
    {
        if (n < KEYS_SHOWN)
            str_addf(out, "%s%.40s", n ? ", " : "", key);
        n++;
    }
    if (n > KEYS_SHOWN)
        str_addf(out, " and %d more", n - KEYS_SHOWN);
    if (has(record, "parent_id") && has(record, "message_tree_id"))
        str_adds(out, " (single messages of OpenAssistant; take the file of trees, *.trees.jsonl.gz)");
    else if (n == 0)
        str_adds(out, "(none)");
    else if (has(record, "text"))
        str_adds(out, " (plain documents are for `lemur corpus build`)");
}

/* Whether it can be learned from ------------------------------------------------------------------------- */

static InstructReject refuse(Str *why, InstructReject reason, const char *fmt, ...) PRINTF_LIKE(3, 4);
static InstructReject refuse(Str *why, InstructReject reason, const char *fmt, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    str_clear(why);
    str_adds(why, text);
    return reason;
}

/* Whether `next` may follow `before`: a tool speaks after an answer or another tool, a user after an answer
 * or a tool, an answer after a question or a tool. */
static bool may_follow(ChatRole before, ChatRole next)
{
    switch (next) {
    case CHAT_USER: return before != CHAT_USER;
    case CHAT_ASSISTANT: return before == CHAT_USER || before == CHAT_TOOL;
    case CHAT_TOOL: return before == CHAT_ASSISTANT || before == CHAT_TOOL;
    default: return false;
    }
}

static InstructReject message_check(const ChatMessage *m, size_t number, Str *why)
{
    bool empty = span_trim(m->content).n == 0;
    if (m->role == CHAT_USER && empty)
        return refuse(why, REJECT_EMPTY_PROMPT, "message %zu (user) is empty", number);
    if (m->role == CHAT_ASSISTANT && empty && !m->tool_calls && !m->mute)
        return refuse(why, REJECT_EMPTY_ANSWER, "message %zu (assistant) is empty", number);
    return REJECT_NONE;
}

InstructReject instruct_check(const Conversation *c, Str *why)
{
    bool learns = false;
    size_t n = c->messages.n;
    for (size_t i = 0; i < n; i++) {
        const ChatMessage *m = &c->messages.at[i];
        ChatRole before = i > 0 ? m[-1].role : CHAT_SYSTEM;
        bool first = i == 0 || (i == 1 && before == CHAT_SYSTEM);
        bool good =
            first ? m->role == CHAT_USER || (i == 0 && m->role == CHAT_SYSTEM) : may_follow(before, m->role);
        if (!good)
            return refuse(why, REJECT_ROLE_ORDER, "message %zu is the %s's, %s%s", i + 1,
                          conversation_role_name(m->role),
                          first ? "and a conversation begins with the user" : "behind the ",
                          first ? "" : conversation_role_name(before));
        InstructReject reason = message_check(m, i + 1, why);
        if (reason != REJECT_NONE)
            return reason;
        learns |= m->role == CHAT_ASSISTANT && !m->mute;
    }
    if (!learns)
        return refuse(why, REJECT_NOTHING_TO_LEARN, "it has %s",
                      n ? "no answer that is to be learned" : "no messages");
    if (c->messages.at[n - 1].role != CHAT_ASSISTANT)
        return refuse(why, REJECT_ROLE_ORDER, "the last message is the %s's and has no answer",
                      conversation_role_name(c->messages.at[n - 1].role));
    return REJECT_NONE;
}

/* Conversations ------------------------------------------------------------------------------------------ */

static InstructExample *example_next(InstructExamples *list)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 4;
        list->at = mem_resize(list->at, cap, sizeof *list->at);
        memset(list->at + list->cap, 0, (cap - list->cap) * sizeof *list->at);
        list->cap = cap;
    }
    InstructExample *e = &list->at[list->n++];
    conversation_clear(&e->conversation);
    str_clear(&e->why);
    e->reason = REJECT_NONE;
    e->trimmed = false;
    return e;
}

void instruct_examples_drop(InstructExamples *list)
{
    for (size_t i = 0; i < list->cap; i++) {
        conversation_drop(&list->at[i].conversation);
        str_drop(&list->at[i].why);
    }
    mem_free(list->at);
    *list = (InstructExamples){0};
}

/* Drops answers that no question precedes, and what follows the last answer. */
static void trim(InstructExample *e)
{
    Conversation *c = &e->conversation;
    size_t system = c->messages.n > 0 && c->messages.at[0].role == CHAT_SYSTEM, lead = system;
    while (lead < c->messages.n && c->messages.at[lead].role != CHAT_USER)
        lead++;
    if (lead > system && lead < c->messages.n) {
        for (size_t i = system; i < lead; i++)
            json_decref(c->messages.at[i].tool_calls);
        memmove(c->messages.at + system, c->messages.at + lead,
                (c->messages.n - lead) * sizeof *c->messages.at);
        c->messages.n -= lead - system;
        e->trimmed = true;
    }
    while (c->messages.n > 0 && c->messages.at[c->messages.n - 1].role != CHAT_ASSISTANT) {
        conversation_pop(c);
        e->trimmed = true;
    }
}

static void example_finish(InstructExample *e, const InstructOptions *o, const json_t *object)
{
    if (conversation_from_json(&e->conversation, object) != ST_OK) {
        e->reason = refuse(&e->why, REJECT_BAD_MESSAGE, "%s", error_take().text);
        return;
    }
    if (o->trim)
        trim(e);
    e->reason = instruct_check(&e->conversation, &e->why);
}

typedef struct {
    InstructExamples *list;
    const InstructOptions *o;
} Paths;

static void path_take(void *context, json_t *messages)
{
    Paths *p = context;
    json_t *object = json_pack("{s:O}", "messages", messages);
    example_finish(example_next(p->list), p->o, object);
    json_decref(object);
}

/* What an episode of lemur agent was worth: "reward", or 1 and 0 for "success". */
static double reward_of(const json_t *record)
{
    const json_t *reward = json_object_get(record, "reward");
    if (json_is_number(reward))
        return json_number_value(reward);
    return json_is_true(json_object_get(record, "success")) ? 1 : 0;
}

static json_t *transcript(const json_t *record, const InstructOptions *o, FormatFailure *f)
{
    if (reward_of(record) < o->min_reward)
        return instruct_formats_fail(f, REJECT_LOW_REWARD, "its reward is %g, below %g", reward_of(record),
                                     o->min_reward);
    return instruct_formats_messages(record, f);
}

static json_t *messages_of(InstructFormat format, const json_t *record, const InstructOptions *o,
                           FormatFailure *f)
{
    switch (format) {
    case INSTRUCT_MESSAGES: return instruct_formats_messages(record, f);
    case INSTRUCT_TRANSCRIPT: return transcript(record, o, f);
    case INSTRUCT_COMPLETION: return instruct_formats_completion(record, f);
    case INSTRUCT_ALPACA: return instruct_formats_alpaca(record, f);
    case INSTRUCT_SHAREGPT: return instruct_formats_sharegpt(record, f);
    case INSTRUCT_ORCA: return instruct_formats_orca(record, f);
    default: return NULL;
    }
}

/* A transcript is read as messages where somebody asked for those. */
static bool is_of(InstructFormat format, const json_t *record)
{
    InstructFormat found = instruct_recognise(record);
    return found == format || (format == INSTRUCT_MESSAGES && found == INSTRUCT_TRANSCRIPT);
}

void instruct_convert(InstructExamples *out, const InstructOptions *o, InstructFormat format,
                      const json_t *record)
{
    Str why = {0};
    FormatFailure f = {REJECT_NONE, &why};
    out->n = 0;
    if (!is_of(format, record)) {
        str_adds(&why, "it is ");
        instruct_describe(&why, record);
        f.reason = REJECT_OTHER_FORMAT;
    } else if (format == INSTRUCT_OASST) {
        Paths p = {out, o};
        if (instruct_oasst(record, o, &f, path_take, &p))
            f.reason = REJECT_NONE;
    } else {
        json_t *object = messages_of(format, record, o, &f);
        if (object)
            example_finish(example_next(out), o, object);
        json_decref(object);
    }
    if (f.reason != REJECT_NONE) {
        InstructExample *e = example_next(out);
        e->reason = f.reason;
        str_add(&e->why, str_c(&why), why.n);
    }
    str_drop(&why);
}
