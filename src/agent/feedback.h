/* A second model that looks at an episode and comments on it, as MINT's GPT-4 does (mint-bench,
 * mint/agents/openai_feedback_agent.py; arXiv:2309.10691, section 2.2). */
#ifndef AGENT_FEEDBACK_H
#define AGENT_FEEDBACK_H

#include "agent/hints.h"
#include "infer/chatmodel.h"

typedef enum { FEEDBACK_TEXT, FEEDBACK_BINARY } FeedbackForm;

/* All is borrowed. */
typedef struct {
    ChatModel *model;
    Hints *hints;  /* a scripted expert instead of the model, which needs the solution alone; NULL: none */
    Span template; /* mint/prompt/templates/template_feedback_agent.txt */
    Span example;  /* the in-context example with feedback; its part before the first "Task:" is not shown */
    Span tools;    /* descriptions, or empty */
    Span solution; /* the right one, shown to the feedback's model, and given away by no hint; empty: it is
                    * withheld from the model */
    FeedbackForm form;
    double seconds; /* that the call may take; 0: no bound */
    bool (*stopped)(void *context);
    void *stopped_context;
} Feedback;

/* Appends the message that asks for feedback on the episode so far; `observation` is the pending one, without
 * feedback.  ST_FORMAT: the template has other holes. */
MUST_CHECK Status feedback_prompt(Str *out, const Feedback *f, const Conversation *messages,
                                  Span observation);

/* Asks, and appends the feedback to *out; nothing where the call fails in a way that MINT passes over (a full
 * context, an answer that is neither GOOD nor BAD).  *answer tells what it cost.
 *   ST_PEER, ST_CANCELLED, ...  of the model: answer->finish says whether it was refused, or too late */
MUST_CHECK Status feedback_ask(Str *out, ChatAnswer *answer, const Feedback *f, const Conversation *messages,
                               Span observation);

#endif
