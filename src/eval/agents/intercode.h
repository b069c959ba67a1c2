/* InterCode: a model acts in a world turn by turn (Yang et al. 2023, arXiv:2306.14898), by the protocol of
 * the Lemur paper's runs (OpenLemur/intercode, experiments/eval_n_turn.py and policies.py, HFChatPolicy).
 * intercode.c words it for dialogue.h; ic_sql, ic_ctf and ic_bash are the benchmarks that bind a world to it. */
#ifndef EVAL_AGENTS_INTERCODE_H
#define EVAL_AGENTS_INTERCODE_H

#include "eval/agents/dialogue.h"

extern const Benchmark ic_sql, ic_ctf, ic_bash;

#define INTERCODE_TEMPLATES "intercode/prompt/templates.json"

/* The texts of one template, with holes {query}, {observation}, {reward}. */
typedef struct {
    Str init, query, observation, empty_observation, retry;
} InterCodeTexts;
/* Reads template `name`, and adds the file's hash to facts.  ST_IO: no file; ST_FORMAT: not in it, or a text
 * is missing.  *out is the caller's to drop in either case; it is {0} before. */
MUST_CHECK Status intercode_texts_read(InterCodeTexts *out, const char *data, const char *name,
                                       json_t *facts);
void intercode_texts_drop(InterCodeTexts *t);

typedef struct {
    const char *environment; /* "ic_sql" */
    const InterCodeTexts *texts;
    Span system, query;
    bool line_between; /* of the game's text and the query */
    int window;        /* messages that are kept beside the first two */
} InterCodeSetup;

enum { INTERCODE_TURNS = 10 };
int intercode_turns(const EvalRun *run); /* --steps, or those */

/* Plays one episode (dialogue.h). */
MUST_CHECK Status intercode_play(Sample *out, const EvalRun *run, const char *task,
                                 const InterCodeSetup *setup, const DialogueWorld *world);

bool intercode_has_program(const char *name); /* in the sandbox */

/* Overwrites *action with the command in an answer to ic_bash, as experiments/utils/utils.py, bash_parser,
 * finds it: in the first fence, where it loses its capitals; behind "bash: " or "command:", however that is
 * written (the original stops at capitals there); or the whole.  Always one line. */
void bash_action_read(Str *action, Span answer);

/* The first n characters of a text that is UTF-8. */
Span intercode_cut(Span text, size_t n);

#endif
