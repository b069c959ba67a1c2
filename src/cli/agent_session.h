/* A user and an assistant (agent/assistant.h): what is shown of its steps, how a block is approved, the
 * commands, the transcript.  Knows neither terminal nor engine: lines come in, text goes out.
 *
 * Answers go to `out`, all else to `notes`: steps, what blocks gave, what it cost.  With `live` all that the
 * model writes is shown as it comes; else only the last answer of a turn goes to `out`, and what led to it to
 * `notes`.  One thread. */
#ifndef CLI_AGENT_SESSION_H
#define CLI_AGENT_SESSION_H

#include <jansson.h>
#include <stdio.h>

#include "agent/assistant.h"
#include "cli/sampling.h"

typedef struct {
    AssistantSetup assistant; /* its hooks and sampler are the session's */
    SamplingConfig sampling;
    FILE *out, *notes;
    bool live, guard;       /* guard: one of them is a terminal (show.h) */
    bool json;              /* `out` gets a JSON object for each turn, and nothing else */
    const json_t *identity; /* of the model, for that */
    /* Asks the user: *answer is NULL at for "none" (Ctrl-C).  `begun` stands there to be edited.  NULL:
     * nobody can be asked. */
    Status (*ask)(void *context, const char *question, const char *begun, Span *answer);
    void *ask_context;
    bool (*stopped)(void);  /* somebody wants what is under way to end; NULL: never */
    const char *transcript; /* JSONL file to which the conversation is added; NULL: none */
} AgentSessionSetup;

typedef struct AgentSession AgentSession;

/* Borrows what the setup points to.  ST_IO, ST_LIMIT: the transcript's file cannot be read. */
MUST_CHECK Status agent_session_open(AgentSession **out, const AgentSessionSetup *setup);
void agent_session_close(AgentSession *s);

/* What a line asks for: a command where it begins with '/' ("//" for a task that does), else a task.  *over:
 * the user is done.  What went wrong was said in `notes` when it is returned. */
MUST_CHECK Status agent_session_take(AgentSession *s, Span line, bool *over);
/* Whether the session goes on after this. */
bool agent_session_survives(Status st);
/* How the last turn ended; ASSISTANT_STOPPED before the first. */
AssistantEnd agent_session_end(const AgentSession *s);

const char *const *agent_session_commands(void); /* for completion, NULL-terminated, static */
const char *const *agent_session_settings(void);

#endif
