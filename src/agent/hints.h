/* A file of hints, and an expert who gives them: language feedback from a script instead of a second model.
 * What a line says env/hint.h tells, and docs/formats/hints.md.
 *
 *     Hints *h;
 *     TRY(hints_open(&h, "words/hints.jsonl"));
 *     Str words = {0};
 *     hints_say(&words, h, &messages, heard, solution);            "Look at the operation once more."
 *     hints_close(h);
 *
 * Like a second model the expert is asked after each turn that does not end the episode. */
#ifndef AGENT_HINTS_H
#define AGENT_HINTS_H

#include <jansson.h>

#include "base/str.h"
#include "tokenizer/conversation.h"

typedef struct Hints Hints; /* any number of threads may use it */

/*   ST_IO      cannot be read
 *   ST_FORMAT  a line that is no JSON or none of hints, of a text that an earlier line has, or with a hint
 * that says what it finds lacking; or no line at all: file and line are named */
MUST_CHECK Status hints_open(Hints **out, const char *path);
void hints_close(Hints *h); /* NULL is fine */

/* What the world said, be it told to the agent or not: to the last action, and to all, the last included. */
typedef struct {
    Span last, all;
} HintsHeard;

/* Appends what the expert says; nothing where it has nothing to say.  The line is that of the longest text in
 * the first user message.  `messages` end with the agent's action.  A hint that gives `solution` away
 * (hint_discloses) is withheld. */
void hints_say(Str *out, Hints *h, const Conversation *messages, HintsHeard heard, Span solution);

/* The same with a line that is checked (env/hint.h) and whose task it is. */
void hints_say_line(Str *out, const json_t *line, const Conversation *messages, HintsHeard heard);

/* "hints:" and the file's name without its folders: for transcripts. */
const char *hints_name(const Hints *h);
/* Tells what went without feedback, where anything did. */
void hints_report(const Hints *h);

#endif
