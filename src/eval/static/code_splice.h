/* MultiPL-E's program out of an answer in any language.  The published form, for models that continue a
 * prompt, is prompt + answer up to the first stop token + "\n" + tests (nuprl/MultiPL-E,
 * evaluation/src/main.py); its form for chat models takes an answer that repeats the prompt
 * (chat_completions.py).  Chat models that write the function anew, in a class of their own or with other
 * imports, are met by the two other rules of CodeRule. */
#ifndef EVAL_STATIC_CODE_SPLICE_H
#define EVAL_STATIC_CODE_SPLICE_H

#include "eval/static/code_answer.h"

typedef struct {
    Span prompt, tests;
    const char *name;     /* the question's: "HumanEval_0_has_close_elements", whose end is the function's in
                           * Python's spelling */
    const char *language; /* "cpp" */
    bool plain;           /* the model continues texts */
    const char *const *stops;
    size_t stops_n;
} CodeSplice;

/* Appends the program without the tests; "\n" and tests follow it. */
CodeRule code_splice(Str *out, const CodeSplice *c, Span answer);

#endif
