/* One episode of MINT's protocol: prompt, complete, find the action, act, observe, record, until the task is
 * solved or a budget is used up (mint-bench, mint/main.py and mint/envs/general_env.py).
 *
 *     EpisodeSetup setup = {.model = model, .call = call, .max_steps = 5, .max_propose = 2};
 *     Episode e;
 *     TRY(episode_run(&e, &setup, &world, span(opening)));
 *     ... e.turns.end, e.messages, e.steps ...
 *     episode_drop(&e);
 *
 * The world is whoever runs code and marks solutions: eval/agents bind a Python session and a mark. */
#ifndef AGENT_EPISODE_H
#define AGENT_EPISODE_H

#include "agent/feedback.h"
#include "agent/turns.h"
#include "base/array.h"
#include "infer/chatmodel.h"

/* What came of an action.  The observation is what the model is told. */
typedef struct {
    Str observation;
    bool none;         /* no observation: a wrong solution, of which the model is told that alone */
    bool solved;       /* the solution is right, or the world is won */
    bool error;        /* the code raised, or ran out of time: for statistics */
    TurnResult result; /* of code; see turns.h */
    json_t *commands;  /* what the code did in the world, command by command (household_tools.h); NULL: not
                        * told; the episode's */
} EpisodeOutcome;

/* Used by one thread at a time.  A failure of these is no outcome but the end of the episode without a
 * result: no sandbox, the run is cancelled. */
typedef struct {
    void *self;
    Status (*act)(void *self, Span code, EpisodeOutcome *out);
    Status (*propose)(void *self, Span solution, EpisodeOutcome *out);
} EpisodeWorld;

typedef struct {
    ChatModel *model;
    ChatCall call; /* sampler, max_tokens of an answer, stops, stopped; its messages are the episode's */
    ActionRule actions;
    int max_steps, max_propose;
    int64_t max_tokens;       /* completion tokens of the episode; 0: no limit */
    double max_seconds;       /* 0: no limit */
    const Feedback *feedback; /* NULL: none */
    bool withhold;     /* the model is told turns_withheld instead of observations; feedback has seen them */
    bool empty_system; /* an empty system message in front, as Lemur's fork of mint-bench sends */
} EpisodeSetup;

/* Why an episode ended beyond turns.end. */
typedef enum { EPISODE_BY_TURNS, EPISODE_TOKENS, EPISODE_TIME, EPISODE_CONTEXT, EPISODE_REFUSED } EpisodeEnd;
extern const char *const episode_end_names[]; /* "", "max_tokens", "max_seconds", "context", "refused" */

typedef struct {
    ActionKind kind;
    bool unreadable, solved, error;
    bool feedback_asked; /* a model, whether or not it said something */
    bool feedback;       /* words of an expert's stand behind its observation */
    double model_seconds, act_seconds, feedback_seconds;
    int64_t prompt_tokens, completion_tokens, retries; /* 0 where not counted */
    int64_t feedback_prompt_tokens, feedback_completion_tokens;
    ChatFinish finish;
    json_t *commands; /* as of EpisodeOutcome; owned */
} EpisodeStep;

typedef struct {
    Conversation messages; /* as mint-bench keeps them: answers begin with "Assistant:\n" and end in "\n" */
    Turns turns;
    EpisodeEnd end;
    Str refusal; /* of EPISODE_REFUSED: what the model's server said, or the feedback's */
    Array(EpisodeStep) steps;
    double seconds;
} Episode;

/* *e is the caller's to drop in either case.
 *   ST_OK  the episode has an end, a full context (turns.end TURNS_ERROR), used-up budgets and messages that
 * the server refuses included other  of the model, the feedback's but for failures that MINT passes over, or
 * the world: no result */
MUST_CHECK Status episode_run(Episode *e, const EpisodeSetup *setup, const EpisodeWorld *world, Span opening);
void episode_drop(Episode *e);

/* One line of transcripts_*.jsonl: {"transcript": 1, "environment", "task", "messages", "success", "reward",
 * "end", "counts", "steps": [...], "seconds"}, which `lemur tune` reads (docs/formats/instruct.md).  The
 * messages are those that the model was sent, so that their hashes find its answers again.  New reference. */
json_t *episode_transcript(const Episode *e, const char *environment, const char *task);

#endif
