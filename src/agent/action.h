/* The action in a model's answer, by MINT's protocol: a proposed solution, or code to run.
 *
 *     Action a = {0};
 *     action_find(&a, ACTION_TAGS, answer);
 *     if (a.unreadable) observe(action_unreadable_message(ACTION_TAGS));
 *     action_drop(&a);
 */
#ifndef AGENT_ACTION_H
#define AGENT_ACTION_H

#include "base/str.h"

/* How code is marked.  Solutions stand between <solution> and </solution> by both rules. */
typedef enum {
    ACTION_TAGS,  /* <execute>code</execute>: the recorded runs, and xingyaoww/mint-bench's main branch    */
    ACTION_FENCES /* ```python code ```: its branch parse-python-code-block (CodeActAgent, Eurus and later) */
} ActionRule;

typedef enum { ACTION_CODE, ACTION_SOLUTION } ActionKind;

typedef struct {
    ActionKind kind;
    bool unreadable; /* nothing between marks: counted, and answered with action_unreadable_message */
    Str text;        /* what stands between the marks, every such piece stripped, joined by "\n"     */
} Action;

/* Overwrites *a, keeping its memory.  An answer that holds "<solution>" anywhere, closed or not, is a
 * proposal, and its code, if any, is not run; every other answer is code. */
void action_find(Action *a, ActionRule rule, Span answer);
void action_drop(Action *a);

/* What the environment says to an answer without an action. */
const char *action_unreadable_message(ActionRule rule);

#endif
