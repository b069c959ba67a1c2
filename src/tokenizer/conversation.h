/* A conversation: who said what, which tools there are and how they were called.  What chat.h renders, what
 * `lemur chat` saves and what `lemur tune` learns from. */
#ifndef TOKENIZER_CONVERSATION_H
#define TOKENIZER_CONVERSATION_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/str.h"

typedef enum { CHAT_SYSTEM, CHAT_USER, CHAT_ASSISTANT, CHAT_TOOL, CHAT_ROLES } ChatRole;

/* Spans point into the conversation's arena. */
typedef struct {
    ChatRole role;
    Span content;       /* may be empty                                                                     */
    Span name;          /* of the tool that answers (CHAT_TOOL) or of the speaker; empty: none              */
    Span tool_call_id;  /* CHAT_TOOL: which call is answered; empty: none                                   */
    json_t *tool_calls; /* CHAT_ASSISTANT: [{"name": ..., "arguments": {...}, "id"?}, ...] or NULL; owned   */
    const int32_t *ids; /* CHAT_ASSISTANT: those a model wrote it with, which render instead of its content */
    size_t ids_n; /* (conversation_keep_ids); not saved.  0: none                                      */
    bool mute;    /* CHAT_ASSISTANT: nothing of this message is learned ("weight": 0, "learn": false) */
} ChatMessage;

typedef struct {
    Array(ChatMessage) messages;
    json_t *tools; /* array of functions that the assistant may call, as OpenAI writes them, or NULL; owned */
    Arena arena;
} Conversation; /* {0} is an empty one */

/* Appends a copy.  The pointer is valid until the next one is added. */
ChatMessage *conversation_add(Conversation *c, ChatRole role, Span content);
void conversation_pop(Conversation *c);   /* the last message, if there is one      */
void conversation_clear(Conversation *c); /* no messages, no tools; keeps memory    */
void conversation_drop(Conversation *c);
void conversation_copy(Conversation *to, const Conversation *from); /* `to` is cleared first         */
void conversation_keep_ids(Conversation *c, ChatMessage *m, const int32_t *ids, size_t n); /* a copy       */
Span conversation_keep(Conversation *c, Span text); /* a copy that lives as long as `c`       */

/* Appends the messages of {"messages": [...], "tools": [...]} or of a bare array, OpenAI's shape:
 *     {"role": "system" | "developer" | "user" | "assistant" | "tool" | "function",
 *      "content": text or null or [{"type": "text", "text": ...}, ...], "name", "tool_call_id",
 *      "tool_calls": [{"id", "type": "function", "function": {"name", "arguments": object or JSON text}}],
 *      "function_call": {"name", "arguments"}, "weight": 0 or 1, "learn": bool, "train": bool}
 * Keys beyond these are passed over.  On failure `c` is as it was.
 *   ST_FORMAT  a message without role or content, an unknown role, arguments that are no JSON, a part that is
 *              no text: the sentence names the message by number, from 1 */
MUST_CHECK Status conversation_from_json(Conversation *c, const json_t *value);
/* {"messages": [...]} (and "tools"), which conversation_from_json reads back the same; new reference. */
json_t *conversation_to_json(const Conversation *c);

const char *conversation_role_name(ChatRole role); /* "system", "user", "assistant", "tool" */
/* As conversation_from_json understands it.  ST_FORMAT: no role of that name. */
MUST_CHECK Status conversation_role_named(ChatRole *out, Span name);

#endif
