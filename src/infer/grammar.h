/* What a constraint is made into: a graph of nodes over bytes, with calls of rules and counted loops.
 *
 * Built from the end to the beginning: every function takes the node that follows and returns the node to
 * begin at,
 *
 *     int32_t end = grammar_return(g);
 *     int32_t start = grammar_text(g, span("ab"), grammar_chars(g, digits, 1, end)); // "ab" and one digit
 *
 * and equal nodes are one node.  A rule is a node that may be called from several places, also from inside
 * itself. A graph that grows past its limit is remembered as too large, and grammar_finish says so: no
 * function in between fails. */
#ifndef INFER_GRAMMAR_H
#define INFER_GRAMMAR_H

#include "base/array.h"
#include "base/map.h"

enum { GRAMMAR_NODES_MAX = 1 << 20, GRAMMAR_COUNT_MAX = 1 << 24, GRAMMAR_NOTHING = -1 };
static const int32_t GRAMMAR_FOREVER = INT32_MAX; /* a loop without an upper bound */

typedef enum {
    NODE_BYTES,  /* one byte of sets[arg], then next                          */
    NODE_SPLIT,  /* next or arg                                               */
    NODE_CALL,   /* rules[arg], then next                                     */
    NODE_RETURN, /* the rule is complete                                      */
    NODE_REPEAT, /* loops[arg] begins                                         */
    NODE_BACK,   /* once more through the body of loops[arg]                  */
} NodeKind;

typedef struct {
    int32_t kind, next, arg;
} GrammarNode;

typedef struct {
    uint64_t bits[4];
} ByteSet;

typedef struct {
    int32_t min, max, body, exit;
} GrammarLoop;

/* Code points [first, last]; in a list: ascending, apart from each other by at least one, no surrogates. */
typedef struct {
    uint32_t first, last;
} CodeRange;
typedef Array(CodeRange) CodeRanges;

typedef struct {
    Array(GrammarNode) nodes;
    Array(ByteSet) sets;
    Array(GrammarLoop) loops;
    Array(int32_t) rules; /* start nodes; GRAMMAR_NOTHING until set */
    Map *node_index, *set_index;
    Array(int32_t) text_nodes;
    bool too_large;
    /* After grammar_finish: */
    int32_t start;
    bool *live;           /* [nodes] the end of the rule can be reached from here */
    bool *text;           /* [nodes] grammar_mark_text */
    uint8_t classes[256]; /* bytes that no set tells apart have one class         */
    int32_t classes_n;
} Grammar;

Grammar *grammar_new(void);
void grammar_free(Grammar *g);

/* Every `next` may be GRAMMAR_NOTHING, which no text gets past. */
int32_t grammar_return(Grammar *g);
int32_t grammar_bytes(Grammar *g, const ByteSet *set, int32_t next); /* an empty set: GRAMMAR_NOTHING */
int32_t grammar_either(Grammar *g, int32_t a, int32_t b);
int32_t grammar_call(Grammar *g, int32_t rule, int32_t next); /* in front of a return: no frame is kept */
int32_t grammar_text(Grammar *g, Span bytes, int32_t next);
int32_t grammar_byte_range(Grammar *g, int first, int last, int32_t next);
int32_t grammar_any_of(Grammar *g, const char *ascii, int32_t next); /* one of these characters */
/* One character of the list, in UTF-8. */
int32_t grammar_chars(Grammar *g, const CodeRange *ranges, size_t n, int32_t next);
/* One character of the list as it may stand inside a JSON string: as itself, or escaped where it has to be
 * (quote, backslash, below U+0020).  U+0000 is left out: many parsers refuse it. */
int32_t grammar_json_chars(Grammar *g, const CodeRange *ranges, size_t n, int32_t next);

int32_t grammar_rule(Grammar *g); /* a new one, to be set */
void grammar_rule_set(Grammar *g, int32_t rule, int32_t start);

/* A loop in two halves, because its body ends where the loop begins again:
 *     int32_t back = grammar_loop_begin(g, min, max, &loop);
 *     int32_t start = grammar_loop_end(g, loop, body_built_with_next(back), next);
 * The body must not match the empty text. */
int32_t grammar_loop_begin(Grammar *g, int32_t min, int32_t max, int32_t *loop);
int32_t grammar_loop_end(Grammar *g, int32_t loop, int32_t body, int32_t next);
/* Zero or more times, uncounted: `again` is what the body goes on with, and the node to begin at. */
int32_t grammar_star_begin(Grammar *g);
int32_t grammar_star_end(Grammar *g, int32_t again, int32_t body, int32_t next);

/* Says of a loop or star that every round of it may read any one character that token_trie.h calls ordinary:
 * whole subtrees of tokens are then allowed without a look at each.  `again`: what the body goes on with. */
void grammar_mark_text(Grammar *g, int32_t body, int32_t again);

/* ST_LIMIT: too large.  ST_ARG: no text satisfies it. */
MUST_CHECK Status grammar_finish(Grammar *g, int32_t start);

static inline bool byteset_has(const ByteSet *s, unsigned byte)
{
    return s->bits[byte >> 6] >> (byte & 63) & 1;
}
static inline void byteset_add(ByteSet *s, unsigned byte)
{
    s->bits[byte >> 6] |= 1ull << (byte & 63);
}

#endif
