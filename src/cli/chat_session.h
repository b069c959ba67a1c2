/* A conversation with a model: what was said, what is sent, the commands between.  Knows neither terminal nor
 * engine: lines come in, text goes out, and a ChatBackend writes the answers, so that a test can play either.
 *
 *     ChatSession *s;
 *     TRY(chat_session_open(&s, &setup));
 *     while (!over && next line)
 *         TRY(chat_session_take(s, line, &over));
 *     chat_session_close(s);
 *
 * Answers go to `out`, words about them to `notes`.  One thread. */
#ifndef CLI_CHAT_SESSION_H
#define CLI_CHAT_SESSION_H

#include <stdio.h>

#include "cli/sampling.h"
#include "infer/request.h"
#include "tokenizer/chat.h"

/* What is asked of a back end. */
typedef struct {
    const int32_t *prompt; /* [prompt_n] */
    int64_t prompt_n, max_tokens;
    SamplerSettings sampler;
    const int32_t *ends;
    size_t ends_n;
    const char *const *stops;
    size_t stops_n;
    void (*say)(void *context, const char *text, size_t n); /* text as it becomes certain */
    void (*wrote)(void *context, int32_t id);               /* every id of the answer but its end */
    /* Asked ten times a second or more: true ends the answer (FINISH_CANCELLED). */
    bool (*stopped)(void *context);
    void *context;
} ChatAsk;

typedef struct {
    void *self;
    int64_t context; /* positions */
    Status (*answer)(void *self, const ChatAsk *ask, RequestResult *result);
} ChatBackend;

typedef struct {
    int64_t max_tokens; /* of an answer; 0: what the context leaves */
    bool context_shift;
} ChatSettings;
extern const FieldTable chat_settings_table;

typedef struct {
    const Tokenizer *tokenizer;
    ChatTemplate *tmpl;
    ChatBackend backend;
    const char *system;  /* system prompt; NULL: the template's, if it has one */
    const int32_t *ends; /* ids that end an answer besides the template's      */
    size_t ends_n;
    const char *const *stops; /* texts that do                                   */
    size_t stops_n;
    SamplingConfig sampling;
    ChatSettings settings;
    FILE *out, *notes;
    bool guard;            /* `out` is a terminal: control characters of answers show as ^X and do nothing */
    bool (*stopped)(void); /* somebody wants the answer to end; NULL: never */
} ChatSessionSetup;

typedef struct ChatSession ChatSession;

/* Borrows what the setup points to.  ST_ARG: the template does not fit the vocabulary, or has no place for
 * the system prompt. */
MUST_CHECK Status chat_session_open(ChatSession **out, const ChatSessionSetup *setup);
void chat_session_close(ChatSession *s);

/* What one line, or several joined by line ends, asks for: a command where it begins with '/' ("//" for a
 * message that does), else a message, which is answered.  *over: the user is done.
 * What the user did wrong is said in `notes` and returned as ST_ARG, ST_LIMIT, ST_IO or ST_FORMAT after it
 * was said: the session goes on.  ST_DEVICE, ST_NOMEM and others: the back end failed. */
MUST_CHECK Status chat_session_take(ChatSession *s, Span line, bool *over);
/* Whether a session goes on after that. */
bool chat_session_survives(Status st);
const Conversation *chat_session_conversation(const ChatSession *s);
/* NULL-terminated: "/help", ...; and what /set can set. */
const char *const *chat_session_commands(void);
const char *const *chat_session_settings(void);

#endif
