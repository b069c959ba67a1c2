/* Cuts text into the words inside which byte-pair merges happen, as a tokenizer.json's pre_tokenizer says: a
 * list of steps, each applied to what the one before left.  Patterns run under PCRE2 with JIT; the well-known
 * ones (GPT-2, StarCoder, Llama 3, Qwen 2) have hand-written equals in presplit_known.c, which a test holds
 * against PCRE2. */
#ifndef TOKENIZER_PRESPLIT_H
#define TOKENIZER_PRESPLIT_H

#include <stdbool.h>

#include "base/array.h"
#include "base/str.h"

typedef enum {
    SPLIT_ISOLATED,
    SPLIT_REMOVED,
    SPLIT_WITH_PREVIOUS,
    SPLIT_WITH_NEXT,
    SPLIT_CONTIGUOUS
} SplitBehaviour;

typedef enum { KNOWN_NONE, KNOWN_GPT2, KNOWN_STARCODER, KNOWN_LLAMA3, KNOWN_QWEN2 } KnownSplit;

extern const char presplit_gpt2_pattern[], presplit_llama3_pattern[], presplit_qwen2_pattern[];

typedef struct SplitStep SplitStep;
typedef struct {
    Array(SplitStep *) steps;
    KnownSplit known;
} Presplit;

typedef struct {
    size_t start, end;
} Range;
typedef Array(Range) Ranges;

/* One thread's memory; {0} is ready. */
typedef struct {
    Ranges a, b, pieces;
    Str patched;
    void *match, *stack, *context; /* pcre2_match_data, pcre2_jit_stack, pcre2_match_context */
} PresplitWork;

/* ST_UNSUPPORTED: uses what PCRE2 and the library that the pattern was written for understand differently.
 * ST_FORMAT: not a regular expression. */
MUST_CHECK Status presplit_add_regex(Presplit *p, Span pattern, SplitBehaviour behaviour, bool invert);
MUST_CHECK Status presplit_add_literal(Presplit *p, Span text, SplitBehaviour behaviour, bool invert);
/* The steps that a GGUF file names ("gpt-2", "llama-bpe", "deepseek-coder", ...); ST_UNSUPPORTED for an unknown
 * name, with those that are known. */
MUST_CHECK Status presplit_add_named(Presplit *p, const char *name, bool *ignore_merges);
void presplit_ready(
    Presplit *p); /* after the last step: looks whether a hand-written splitter does the same */
/* A step as it was added. */
typedef struct {
    Span pattern;
    SplitBehaviour behaviour;
    bool invert, literal;
} SplitRule;
SplitRule presplit_rule(const Presplit *p, size_t step);
/* The name that presplit_add_named takes for these steps with that setting of ignore_merges, or NULL. */
const char *presplit_name(const Presplit *p, bool ignore_merges);
void presplit_drop(Presplit *p);
void presplitwork_drop(PresplitWork *w);

/* Appends the words of text[0..n).  A byte that is not part of valid UTF-8 counts as one character that is
 * neither letter, number nor space.  ST_LIMIT: the pattern backtracks without end on this text. */
MUST_CHECK Status presplit_run(const Presplit *p, PresplitWork *w, Ranges *out, const char *text, size_t n);

/* presplit_known.c: where the word that begins at text[at], at < n, ends. */
typedef size_t KnownNext(const char *text, size_t at, size_t n);
KnownNext *presplit_known(KnownSplit known);

#endif
