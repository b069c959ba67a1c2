/* The inside of a ChatSession, for chat_session.c and chat_commands.c. */
#ifndef CLI_CHAT_STATE_H
#define CLI_CHAT_STATE_H

#include "cli/chat_session.h"

struct ChatSession {
    ChatSessionSetup setup;
    Conversation talk;
    size_t let_go; /* of the messages behind the system prompt, the oldest that the model no longer sees */
    int64_t asked; /* requests so far: each draws with a seed of its own */
    RequestResult last;
    bool has_last;
    Ids ends;
    Array(const char *) stops;
    Str answer;
    Ids written; /* the answer's ids */
    char *file;  /* that /save may replace: it was written by this session; NULL */
};

/* Whether the conversation begins with a system prompt. */
bool chat_has_system(const ChatSession *s);
/* Has the last message answered, or written on where it is the assistant's and go_on is set. */
MUST_CHECK Status chat_ask(ChatSession *s, bool go_on);
/* What the model would see of the conversation now, in tokens. */
MUST_CHECK Status chat_count(const ChatSession *s, int64_t *tokens);
/* A line for the user. */
void chat_note(const ChatSession *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* chat_commands.c */
MUST_CHECK Status chat_command(ChatSession *s, Span line, bool *over);

#endif
