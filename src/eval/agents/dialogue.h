/* An episode as a dialogue: the model answers, a world acts on the answer, and the model is told what came of
 * it; until the reward is 1, the model gives up, or turns or budgets are used up.  InterCode's benchmarks and
 * ALFWorld's bind their worlds to it; MINT has a loop of its own (agent/episode.h). */
#ifndef EVAL_AGENTS_DIALOGUE_H
#define EVAL_AGENTS_DIALOGUE_H

#include "eval/benchmark.h"

/* What came of a turn; filled by the world, empty before. */
typedef struct {
    Str action;      /* as the dialogue keeps the model's answer          */
    Str observation; /* as the model is told, cut to size                 */
    Str reward;      /* its reward as Python prints it, for templates that tell it */
    double score;    /* the same as a number                              */
    bool understood; /* the answer held an action                         */
    bool failed;     /* the action was an error                           */
    bool ends;       /* the model gives up                                */
    bool used_up;    /* the world takes no more actions                   */
    json_t *commands; /* what the action did, command by command (household_tools.h); NULL: not told; owned */
} DialogueTurn;

/* A failure of `act` is no outcome but the end of the episode without a result. */
typedef struct {
    void *self;
    Status (*act)(void *self, Span answer, DialogueTurn *out);
} DialogueWorld;

typedef struct {
    const char *environment; /* "ic_sql" */
    Span system, opening;    /* the first messages; system.n 0: there is none */
    /* Appends the message that tells of a turn; NULL: it is the observation. */
    void (*tell)(const void *context, Str *out, const DialogueTurn *turn);
    const void *tell_context;
    int turns;   /* the most answers */
    int window;  /* messages that are sent beside the first two; 0: all */
    AskText how; /* of each answer */
} DialogueSetup;

/* Plays one episode.  Where run->models has hints, they stand behind what the model is told, and give away no
 * out->target that is a text.  Fills *out: prompts (where all messages are sent, the first alone: the others are in
 * the transcript), answers, actions (read), metrics success and reward (the highest) and steps (of
 * hints: feedback), kind, transcript. Failures of the model and the world: no result. */
MUST_CHECK Status dialogue_play(Sample *out, const EvalRun *run, const char *task, const DialogueSetup *setup,
                                const DialogueWorld *world);

#endif
