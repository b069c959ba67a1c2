/* From the tree of a regular expression to nodes of a grammar, last part first. */
#include "infer/regex_tree.h"

typedef struct {
    const Regex *r;
    Grammar *g;
    RegexChars *chars;
    int64_t steps;
} Build;

enum { STEPS_MAX = 4 << 20 };

/* Nested repetitions of what may be empty are built several times over; nodes are shared, time is not. */
static bool too_long(Build *b)
{
    if (++b->steps > STEPS_MAX)
        b->g->too_large = true;
    return b->g->too_large;
}

static int32_t build(Build *b, int32_t at, int32_t next);

static const RegexNode *node_at(const Build *b, int32_t at)
{
    return &b->r->nodes.at[at];
}

static int32_t build_nonempty(Build *b, int32_t at, int32_t next);

/* A class with every character that token_trie.h calls ordinary. */
static bool is_any_text(const RegexNode *n)
{
    static const CodeRange ordinary[] = {{0x20, 0x21},   {0x23, 0x5B},     {0x5D, 0x7E},      {0x80, 0x84},
                                         {0x86, 0x2027}, {0x202A, 0xD7FF}, {0xE000, 0x10FFFF}};
    size_t r = 0;
    for (size_t i = 0; n->kind == RE_CLASS && i < sizeof ordinary / sizeof *ordinary; i++) {
        while (r < n->ranges.n && n->ranges.at[r].last < ordinary[i].last)
            r++;
        if (r == n->ranges.n || n->ranges.at[r].first > ordinary[i].first)
            return false;
    }
    return n->kind == RE_CLASS;
}

/* `body` is repeated without its empty match: a round that reads nothing adds nothing but ways to do so. */
static int32_t build_repeat(Build *b, int32_t body, int32_t min, int32_t max, int32_t next)
{
    int32_t loop;
    if (max == 0)
        return next;
    if (min == 1 && max == 1)
        return build_nonempty(b, body, next);
    if (min == 0 && max == 1)
        return grammar_either(b->g, build_nonempty(b, body, next), next);
    if (max == GRAMMAR_FOREVER && min <= 1) {
        int32_t again = grammar_star_begin(b->g);
        int32_t once = build_nonempty(b, body, again);
        if (is_any_text(node_at(b, body)))
            grammar_mark_text(b->g, once, again);
        again = grammar_star_end(b->g, again, once, next);
        return min ? once : again;
    }
    int32_t back = grammar_loop_begin(b->g, min, max, &loop), once = build_nonempty(b, body, back);
    if (is_any_text(node_at(b, body)))
        grammar_mark_text(b->g, once, back);
    return grammar_loop_end(b->g, loop, once, next);
}

static int32_t build(Build *b, int32_t at, int32_t next)
{
    const RegexNode *n = node_at(b, at);
    int32_t node = GRAMMAR_NOTHING;
    if (next == GRAMMAR_NOTHING || too_long(b))
        return GRAMMAR_NOTHING;
    switch (n->kind) {
    case RE_CLASS: return b->chars(b->g, n->ranges.at, n->ranges.n, next);
    case RE_SEQUENCE:
        for (size_t i = n->parts.n; i-- > 0;)
            next = build(b, n->parts.at[i], next);
        return next;
    case RE_CHOICE:
        for (size_t i = n->parts.n; i-- > 0;)
            node = grammar_either(b->g, build(b, n->parts.at[i], next), node);
        return node;
    case RE_REPEAT:
        return build_repeat(b, n->parts.at[0], node_at(b, n->parts.at[0])->nullable ? 0 : n->min, n->max,
                            next);
    }
    return node;
}

/* What the node matches but for the empty text. */
static int32_t build_nonempty(Build *b, int32_t at, int32_t next)
{
    const RegexNode *n = node_at(b, at);
    int32_t node = GRAMMAR_NOTHING;
    if (next == GRAMMAR_NOTHING || too_long(b))
        return GRAMMAR_NOTHING;
    if (!n->nullable)
        return build(b, at, next);
    if (n->kind == RE_REPEAT)
        return n->max == 0 ? GRAMMAR_NOTHING : build_repeat(b, n->parts.at[0], 1, n->max, next);
    for (size_t i = n->parts.n; i-- > 0;) { /* which part is the first that reads something */
        node = grammar_either(b->g, build_nonempty(b, n->parts.at[i], next), node);
        if (n->kind == RE_SEQUENCE)
            next = build(b, n->parts.at[i], next);
    }
    return node;
}

int32_t regex_build(const Regex *r, Grammar *g, RegexChars *chars, int32_t next)
{
    Build b = {.r = r, .g = g, .chars = chars};
    return build(&b, r->root, next);
}
