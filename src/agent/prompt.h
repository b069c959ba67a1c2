/* A prompt from a template with holes.  The texts are data (`mint/prompt` below the data folder); only where
 * they go is written here. */
#ifndef AGENT_PROMPT_H
#define AGENT_PROMPT_H

#include "base/str.h"

typedef struct {
    const char *name;
    Span text;
} PromptHole;

/* Appends the template with each {name} replaced by the text of that hole, as Python's str.format with names
 * does:
 * "{{" and "}}" are single braces, and what a hole brings is not looked at again.
 *   ST_FORMAT  a brace without its other, or a hole that is not among holes[0..n) */
MUST_CHECK Status prompt_fill(Str *out, Span template, const PromptHole *holes, size_t n);

/* The opening message of a MINT episode. */
typedef struct {
    Span template, tools, example,
        task; /* the files' texts, and the task's; tools.n 0: no tool is described */
    int max_steps, max_propose;
} MintOpening;
MUST_CHECK Status prompt_mint_opening(Str *out, const MintOpening *o);

#endif
