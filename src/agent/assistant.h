/* A model that acts for a user: it answers, the code blocks of its answer run (workbench.h), what they give
 * goes back to it, until an answer has no block.  Every step can be watched, approved, edited and stopped.
 *
 *     AssistantSetup setup = {.model = model, .call = chatmodel_call(NULL), .bench = bench,
 *                             .tools = {true, true}, .max_steps = 20, .hooks = hooks};
 *     Assistant *a;
 *     assistant_open(&a, &setup);
 *     AssistantTurn turn;
 *     TRY(assistant_turn(a, &turn, span("How many lines has data.csv?")));
 *     ... turn.end, turn.answer ...
 *     assistant_close(a);
 *
 * Knows neither terminal nor engine, so that a test can play either.  One thread.
 *
 * What a block prints is the model's to read, whoever wrote it: a file of the user's folder may hold
 * sentences that it takes for orders.  Nothing here can tell them apart; approval, the sandbox's walls and a
 * folder that is read-only bound what comes of it. */
#ifndef AGENT_ASSISTANT_H
#define AGENT_ASSISTANT_H

#include "agent/fences.h"
#include "agent/workbench.h"
#include "infer/chatmodel.h"

/* A block that is to run. */
typedef struct {
    Tool tool;
    Span code;
    int step, max_steps; /* of this turn, from 1 */
} AssistantAction;

typedef enum {
    APPROVE_RUN,
    APPROVE_TURN,   /* this one and all of this turn */
    APPROVE_ALWAYS, /* ... and of all later ones: as assistant_set_approve(false) */
    APPROVE_EDIT,   /* run the words instead */
    APPROVE_SKIP,   /* do not run it; the words, if any, tell the model why */
    APPROVE_STOP,   /* do not run it, and end the turn */
} Approval;

/* Each may be NULL. */
typedef struct {
    void *self;
    void (*say)(void *self, const char *text,
                size_t n); /* the answer as it is written, where the model can */
    /* The answer is whole; `streamed`: all of it was said before. */
    void (*answered)(void *self, const ChatAnswer *answer, bool streamed);
    /* Asked before a block runs while approval is wanted; NULL: such a block is skipped. */
    Approval (*approve)(void *self, const AssistantAction *action, Str *words);
    void (*runs)(void *self, const AssistantAction *action);
    /* `result` NULL: it did not run.  `told` is what the model is told of it. */
    void (*observed)(void *self, const AssistantAction *action, const WorkbenchResult *result, Span told);
    bool (*stopped)(void *self); /* asked often while the model writes: true ends the turn */
} AssistantHooks;

/* All is borrowed. */
typedef struct {
    ChatModel *model;
    ChatCall call;    /* sampler, max_tokens of an answer, stops, deadline */
    Workbench *bench; /* NULL: nothing runs, and every answer ends its turn */
    bool tools[TOOLS];
    int max_steps;       /* blocks of a turn; 0: 20 */
    const char *system;  /* NULL: assistant_system's text; "": none */
    bool system_in_user; /* the template has no place for a system prompt: in front of the first message */
    ChatRole observation_role; /* CHAT_TOOL, or CHAT_USER where template or server has no place for that */
    bool approve;
    AssistantHooks hooks;
} AssistantSetup;

typedef enum {
    ASSISTANT_ANSWERED,
    ASSISTANT_CUT,     /* the answer is cut off: max_tokens, or the context */
    ASSISTANT_STEPS,   /* all steps are used, and it wanted more */
    ASSISTANT_STOPPED, /* by the user: APPROVE_STOP, or `stopped` while a block ran */
} AssistantEnd;
const char *assistant_end_name(AssistantEnd end); /* "answered", "cut", "steps", "stopped" */

typedef struct {
    AssistantEnd end;
    Span answer; /* the last one; valid until the next turn */
    int steps;   /* blocks that ran or were skipped, and answers with a block that is not closed */
    int64_t prompt_tokens, completion_tokens, retries; /* as far as the model counts */
    double model_seconds, act_seconds;
} AssistantTurn;

typedef struct Assistant Assistant;

/* The text that explains the protocol to the model. */
void assistant_system(Str *out, const AssistantSetup *setup);

void assistant_open(Assistant **out, const AssistantSetup *setup);
void assistant_close(Assistant *a); /* NULL is fine */
/* One turn of the user.  *turn is filled in either case.
 *   ST_CANCELLED  `stopped` said so while the model wrote
 *   others        of chatmodel_ask and workbench_run
 * After a failure the conversation is as before where nothing had run, else it ends with what the last block
 * gave, and the next turn goes on from there. */
MUST_CHECK Status assistant_turn(Assistant *a, AssistantTurn *turn, Span task);
/* The same in the place of the last turn, which stays where this one fails before anything has run. */
MUST_CHECK Status assistant_retry(Assistant *a, AssistantTurn *turn, Span task);

const Conversation *assistant_conversation(const Assistant *a);
void assistant_set_approve(Assistant *a, bool approve);
bool assistant_approves(const Assistant *a);
ChatCall *assistant_call(Assistant *a); /* of later turns: sampler and limits may be changed */
bool assistant_undo(Assistant *a);  /* takes the last turn out of the conversation; false: there is none */
void assistant_clear(Assistant *a); /* a new conversation; files and variables stay */

/* The conversation as a transcript (docs/formats/instruct.md): {"transcript": 1, "environment": "agent",
 * "task": the first message, "messages", "end": of the last turn, "counts": {"turns", "steps",
 * "prompt_tokens", "completion_tokens"}, "seconds"}: of the turns that are in it.  New reference. */
json_t *assistant_transcript(const Assistant *a);

#endif
