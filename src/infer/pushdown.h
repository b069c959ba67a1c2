/* Runs a Grammar over bytes.
 *
 * A configuration is a node and a stack of frames (where a call returns to; how often a loop went round).  A
 * state is the set of configurations that the bytes so far may have led to, closed under everything that
 * needs no byte; so it has one configuration for each byte set that may come next, and one that says that the
 * text may end. States and frames are made as they are met and numbered; state 0 is the empty set, from which
 * nothing leads on. From every other state some text leads to the end.
 *
 * Which tokens may come from a state is worked out for the part of it that is inside the innermost called
 * rule and remembered for that part: a string is a string wherever it stands.  Tokens that leave the rule
 * ("\"}," ends a string) are few, and are followed in the caller each time.
 *
 * Memory is bounded: pushdown_trim forgets everything when it has become too much.  One thread at a time. */
#ifndef INFER_PUSHDOWN_H
#define INFER_PUSHDOWN_H

#include "infer/grammar.h"
#include "infer/token_trie.h"

enum {
    PUSHDOWN_DEPTH = 1000,      /* frames of a stack; deeper nesting is not allowed to begin */
    PUSHDOWN_SET = 4096,        /* configurations of a state                                 */
    PUSHDOWN_WORK = 4 << 20,    /* configurations made for one mask                          */
    PUSHDOWN_MEMORY = 64 << 20, /* bytes of states and masks before all are forgotten        */
};

typedef struct Pushdown Pushdown;
typedef int32_t PushState;

Pushdown *pushdown_new(const Grammar *g, const TokenTrie *t); /* borrows both */
void pushdown_free(Pushdown *p);

/* The state before the first byte. */
MUST_CHECK Status pushdown_start(Pushdown *p, PushState *out);
/* 0 where the bytes lead nowhere.  ST_LIMIT: too many configurations. */
MUST_CHECK Status pushdown_step(Pushdown *p, PushState from, Span bytes, PushState *out);
bool pushdown_may_end(const Pushdown *p, PushState s);
bool pushdown_may_go_on(const Pushdown *p, PushState s);
/* Sets the bits of the tokens that may come; others stay as they are.  ST_LIMIT: too much work. */
MUST_CHECK Status pushdown_mask(Pushdown *p, PushState s, uint64_t *mask);
/* The bytes that may come. */
ByteSet pushdown_bytes(Pushdown *p, PushState s);

/* States are numbers of one generation.  A saved one is good in any. */
typedef Array(int32_t) SavedState;
int64_t pushdown_generation(const Pushdown *p);
void pushdown_save(const Pushdown *p, PushState s, SavedState *out);
PushState pushdown_restore(Pushdown *p, const SavedState *saved);
void pushdown_trim(Pushdown *p); /* begins a new generation where memory asks for it */
size_t pushdown_memory(const Pushdown *p);

#endif
