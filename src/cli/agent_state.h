/* The inside of an AgentSession, for agent_session.c and agent_commands.c. */
#ifndef CLI_AGENT_STATE_H
#define CLI_AGENT_STATE_H

#include "cli/agent_session.h"
#include "cli/agent_transcript.h"

struct AgentSession {
    AgentSessionSetup setup;
    Assistant *assistant;
    Str pending; /* an answer that may be the last of its turn; not live */
    Str task;    /* the last one, for /retry */
    AssistantTurn last;
    bool has_last;
    bool in_talk;     /* the last turn is a part of the conversation */
    bool line_open;   /* the answer on `out` does not end its line   */
    bool said;        /* what went wrong was said already            */
    uint64_t answers; /* each draws with a seed of its own           */
    AgentTranscript transcript;
    Array(int) rated; /* each turn of the conversation: 1 good, -1 bad, 0 nobody said */
};

/* A line for the user. */
void agent_note(const AgentSession *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A turn, with `again` in the place of the last one; what went wrong is said.  `text` may be the session's
 * own last task. */
MUST_CHECK Status agent_take_task(AgentSession *s, Span text, bool again);
/* Nothing where there is no transcript; a conversation without turns has no line in it. */
MUST_CHECK Status agent_write_transcript(AgentSession *s);

/* agent_commands.c */
MUST_CHECK Status agent_command(AgentSession *s, Span line, bool *over);

#endif
