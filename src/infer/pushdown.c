#include "infer/pushdown.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* In place of a node: the text may end; the rule that a mask is made for has been left. */
enum { AT_END = -1, AT_EXIT = -2 };
/* Below all frames: nothing; the unknown caller of the rule that a mask is made for. */
enum { FRAME_BOTTOM = 0, FRAME_CALLER = 1, FRAMES_FIXED = 2 };
enum { UNKNOWN = -1, EMPTY = 0 };

typedef struct {
    int32_t node, frame;
} Config;

typedef struct {
    int32_t tag; /* of a call: the node to return to; of a loop: -1 - its index */
    int32_t count, parent, depth;
} Frame;

typedef struct {
    uint64_t *bits;        /* tokens that stay in the rule or end with it   */
    Array(uint32_t) exits; /* nodes of the tree where the rule may be left and tokens go on */
} Mask;

typedef struct {
    const Config *at; /* sorted */
    int32_t n;
    bool ends, exits;
    int32_t plain; /* so many ordinary characters may come next, whichever they are */
    int32_t mask;  /* -1: not made yet */
    int32_t *next; /* [classes]; NULL until one is asked for */
} State;

struct Pushdown {
    const Grammar *g;
    const TokenTrie *t;
    unsigned char representative[256]; /* a byte of each class */
    Map *frame_index, *state_index;
    Array(Frame) frames;
    Array(State) states;
    Array(Mask) masks;
    PushState *path; /* [longest + 1] of a walk: the state at each depth */
    /* Of the closure being made: */
    Array(Config) todo, out;
    Config *seen;
    uint32_t *seen_stamp, stamp, seen_n, seen_size;
    int64_t work, generation;
    size_t bytes;
    bool failed; /* too much work, or too many configurations */
};

/* Frames and states -------------------------------------------------------------------------------------- */

static int32_t frame_of(Pushdown *p, int32_t tag, int32_t count, int32_t parent)
{
    Frame f = {.tag = tag, .count = count, .parent = parent, .depth = p->frames.at[parent].depth + 1};
    if (f.depth > PUSHDOWN_DEPTH)
        return UNKNOWN;
    int64_t *at = map_put(p->frame_index, (const char *)&f, sizeof f);
    if (!*at) {
        array_push(&p->frames, f);
        p->bytes += 96;
        *at = (int64_t)p->frames.n;
    }
    return (int32_t)*at - 1;
}

static int by_node(const void *a, const void *b)
{
    const Config *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return (x->frame > y->frame) - (x->frame < y->frame);
}

/* A body of a loop that any character satisfies may go round until the loop has had enough of them. */
static int32_t plain_characters(const Pushdown *p, Config c)
{
    if (c.node < 0 || !p->g->text[c.node])
        return 0;
    const GrammarNode *back = &p->g->nodes.at[p->g->nodes.at[c.node].next];
    const GrammarLoop *l = back->kind == NODE_BACK ? &p->g->loops.at[back->arg] : NULL;
    return !l || l->max == GRAMMAR_FOREVER ? GRAMMAR_FOREVER : l->max - p->frames.at[c.frame].count;
}

/* The state of the configurations in p->out. */
static PushState state_of(Pushdown *p)
{
    size_t n = p->out.n;
    if (p->failed || n == 0)
        return EMPTY;
    if (n > 1)
        qsort(p->out.at, n, sizeof(Config), by_node);
    int64_t *at = map_put(p->state_index, (const char *)p->out.at, n * sizeof(Config));
    if (!*at) {
        State s = {.n = (int32_t)n, .mask = UNKNOWN};
        s.at = (const Config *)(const void *)map_key_at(p->state_index, map_count(p->state_index) - 1).at;
        for (size_t i = 0; i < n; i++) {
            s.ends |= p->out.at[i].node == AT_END;
            s.exits |= p->out.at[i].node == AT_EXIT;
            int32_t plain = plain_characters(p, p->out.at[i]);
            s.plain = plain > s.plain ? plain : s.plain;
        }
        array_push(&p->states, s);
        p->bytes += sizeof s + 64 + n * sizeof(Config);
        *at = (int64_t)p->states.n;
    }
    return (PushState)*at - 1;
}

/* Closure ------------------------------------------------------------------------------------------------ */

static void closure_begin(Pushdown *p)
{
    array_clear(&p->out);
    p->seen_n = 0;
    if (!++p->stamp) {
        memset(p->seen_stamp, 0, p->seen_size * sizeof *p->seen_stamp);
        p->stamp = 1;
    }
}

static uint32_t seen_slot(const Pushdown *p, Config c)
{
    uint64_t key = (uint64_t)(uint32_t)c.node << 32 | (uint32_t)c.frame;
    uint32_t i = (uint32_t)(key * 0x9E3779B97F4A7C15u >> 40) & (p->seen_size - 1);
    while (p->seen_stamp[i] == p->stamp && (p->seen[i].node != c.node || p->seen[i].frame != c.frame))
        i = (i + 1) & (p->seen_size - 1);
    return i;
}

static void seen_grow(Pushdown *p)
{
    Config *old = p->seen;
    uint32_t *old_stamp = p->seen_stamp, old_size = p->seen_size;
    p->seen_size = old_size ? old_size * 2 : 256;
    p->seen = mem_array(Config, p->seen_size);
    p->seen_stamp = mem_array(uint32_t, p->seen_size);
    for (uint32_t i = 0; i < old_size; i++)
        if (old_stamp[i] == p->stamp) {
            uint32_t at = seen_slot(p, old[i]);
            p->seen[at] = old[i];
            p->seen_stamp[at] = p->stamp;
        }
    mem_free(old);
    mem_free(old_stamp);
}

/* Remembers that it has been met, if it has not, for following it. */
static void follow(Pushdown *p, int32_t node, int32_t frame)
{
    Config c = {node, frame};
    if (frame == UNKNOWN || node == GRAMMAR_NOTHING || (node >= 0 && !p->g->live[node]))
        return;
    if (p->seen_n * 2 >= p->seen_size)
        seen_grow(p);
    uint32_t at = seen_slot(p, c);
    if (p->seen_stamp[at] == p->stamp)
        return;
    p->seen[at] = c;
    p->seen_stamp[at] = p->stamp;
    p->seen_n++;
    array_push(&p->todo, c);
}

static void arrive(Pushdown *p, int32_t node, int32_t frame)
{
    array_push(&p->out, ((Config){node, frame}));
    if (p->out.n > PUSHDOWN_SET)
        p->failed = true;
}

static void loop_round(Pushdown *p, int32_t loop, int32_t count, int32_t parent)
{
    const GrammarLoop *l = &p->g->loops.at[loop];
    if (l->max == GRAMMAR_FOREVER && count > l->min)
        count = l->min;
    if (count < l->max)
        follow(p, l->body, frame_of(p, -1 - loop, count, parent));
    if (count >= l->min)
        follow(p, l->exit, parent);
}

static void follow_return(Pushdown *p, int32_t frame)
{
    if (frame == FRAME_BOTTOM)
        arrive(p, AT_END, frame);
    else if (frame == FRAME_CALLER)
        arrive(p, AT_EXIT, frame);
    else
        follow(p, p->frames.at[frame].tag, p->frames.at[frame].parent);
}

static void follow_one(Pushdown *p, Config c)
{
    const GrammarNode *n = &p->g->nodes.at[c.node];
    switch ((NodeKind)n->kind) {
    case NODE_BYTES: arrive(p, c.node, c.frame); break;
    case NODE_SPLIT:
        follow(p, n->next, c.frame);
        follow(p, n->arg, c.frame);
        break;
    case NODE_CALL:
        follow(p, p->g->rules.at[n->arg],
               p->g->nodes.at[n->next].kind == NODE_RETURN ? c.frame : frame_of(p, n->next, 0, c.frame));
        break;
    case NODE_RETURN: follow_return(p, c.frame); break;
    case NODE_REPEAT: loop_round(p, n->arg, 0, c.frame); break;
    case NODE_BACK:
        loop_round(p, n->arg, p->frames.at[c.frame].count + 1, p->frames.at[c.frame].parent);
        break;
    }
}

static void close_over(Pushdown *p, int32_t node, int32_t frame)
{
    follow(p, node, frame);
    while (p->todo.n && !p->failed) {
        follow_one(p, p->todo.at[--p->todo.n]);
        if (++p->work > PUSHDOWN_WORK)
            p->failed = true;
    }
    array_clear(&p->todo);
}

static PushState make_step(Pushdown *p, PushState from, int32_t byte_class)
{
    State *s = &p->states.at[from];
    if (!s->next) {
        s->next = mem_array(int32_t, p->g->classes_n);
        memset(s->next, 0xFF, (size_t)p->g->classes_n * sizeof *s->next);
        p->bytes += (size_t)p->g->classes_n * sizeof *s->next;
    }
    closure_begin(p);
    for (int32_t i = 0; i < s->n; i++) {
        Config c = s->at[i];
        if (c.node < 0)
            continue;
        const GrammarNode *n = &p->g->nodes.at[c.node];
        if (byteset_has(&p->g->sets.at[n->arg], p->representative[byte_class]))
            close_over(p, n->next, c.frame);
    }
    p->work += s->n;
    PushState to = state_of(p);
    if (!p->failed)
        p->states.at[from].next[byte_class] = to;
    return to;
}

static inline PushState step_byte(Pushdown *p, PushState from, unsigned char byte)
{
    const int32_t *next = p->states.at[from].next;
    int32_t c = p->g->classes[byte];
    return next && next[c] != UNKNOWN ? next[c] : make_step(p, from, c);
}

static Status verdict(const Pushdown *p)
{
    return !p->failed
               ? ST_OK
               : fail(ST_LIMIT,
                      "the constraint is too ambiguous to follow (more than %d ways at once, or %d steps "
                      "for one token): write it so that fewer parts of it match the same text",
                      PUSHDOWN_SET, PUSHDOWN_WORK);
}

/* Masks -------------------------------------------------------------------------------------------------- */

static void mask_tokens(const TokenTrie *t, uint64_t *bits, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        bits[t->order[i] / 64] |= 1ull << (t->order[i] % 64);
}

static inline bool all_below_fit(const TrieNode *n, int32_t plain)
{
    return n->plain != 0 && (n->plain < TRIE_LONG ? n->plain <= plain : plain == GRAMMAR_FOREVER);
}

/* All tokens of the nodes [from, to), siblings and what is below them, of which the state before is known.
 * Where `exits` is given it receives the nodes where the rule may be left and something follows. */
static void walk(Pushdown *p, PushState before, uint32_t from, uint32_t to, Mask *exits, uint64_t *bits)
{
    const TrieNode *nodes = p->t->nodes;
    if (from == to)
        return;
    p->path[nodes[from].depth - 1] = before;
    for (uint32_t i = from; i < to && !p->failed;) {
        const TrieNode *n = &nodes[i];
        PushState s = p->path[n->depth - 1];
        if (all_below_fit(n, p->states.at[s].plain)) {
            mask_tokens(p->t, bits, n->tokens, nodes[n->after].tokens);
            i = n->after;
            continue;
        }
        s = step_byte(p, s, n->byte);
        if (s == EMPTY) {
            i = n->after;
            continue;
        }
        p->path[n->depth] = s;
        mask_tokens(p->t, bits, n->tokens, nodes[i + 1].tokens);
        if (exits && p->states.at[s].exits && n->after > i + 1)
            array_push(&exits->exits, i);
        i++;
    }
}

static size_t mask_words(const Pushdown *p)
{
    return ((size_t)p->t->vocab + 63) / 64;
}

static const Mask *local_mask(Pushdown *p, PushState s)
{
    if (p->states.at[s].mask < 0) {
        Mask m = {.bits = mem_array(uint64_t, mask_words(p) + 1)};
        walk(p, s, 0, p->t->n, &m, m.bits);
        if (p->failed) { /* not all of it */
            mem_free(m.bits);
            array_drop(&m.exits);
            return NULL;
        }
        array_push(&p->masks, m);
        p->states.at[s].mask = (int32_t)p->masks.n - 1;
        p->bytes += mask_words(p) * sizeof(uint64_t) + m.exits.cap * sizeof(uint32_t);
    }
    return &p->masks.at[p->states.at[s].mask];
}

/* The nearest frame that a call made. */
static int32_t innermost_call(const Pushdown *p, int32_t frame)
{
    while (frame >= FRAMES_FIXED && p->frames.at[frame].tag < 0)
        frame = p->frames.at[frame].parent;
    return frame;
}

/* A count that no token can tell from this one: of what is further away from both bounds than a token is
 * long, only on which side it is matters. */
static int32_t canonical_count(const Pushdown *p, const Frame *f)
{
    const GrammarLoop *l = &p->g->loops.at[-1 - f->tag];
    if (f->count < l->min)
        return l->min - f->count > p->t->longest ? 0 : f->count;
    return l->max == GRAMMAR_FOREVER || l->max - f->count > p->t->longest ? l->min : f->count;
}

/* The same loops, counted as far as it matters, on another bottom. */
static int32_t transplant(Pushdown *p, int32_t frame, int32_t from, int32_t to)
{
    int32_t loops[PUSHDOWN_DEPTH];
    int n = 0;
    for (; frame != from; frame = p->frames.at[frame].parent)
        loops[n++] = frame;
    while (n-- > 0) {
        Frame f = p->frames.at[loops[n]];
        to = frame_of(p, f.tag, canonical_count(p, &f), to);
    }
    return to;
}

/* What a state has inside one call, as if nothing were known of the caller. */
static PushState local_part(Pushdown *p, PushState s, int32_t call)
{
    int32_t n = p->states.at[s].n;
    closure_begin(p);
    for (int32_t i = 0; i < n && !p->failed; i++) {
        Config c = p->states.at[s].at[i];
        if (c.node >= 0 && innermost_call(p, c.frame) == call)
            close_over(p, c.node, transplant(p, c.frame, call, call == FRAME_BOTTOM ? call : FRAME_CALLER));
    }
    p->work += n;
    return state_of(p);
}

static PushState after_call(Pushdown *p, int32_t call)
{
    Frame f = p->frames.at[call];
    closure_begin(p);
    close_over(p, f.tag, f.parent);
    return state_of(p);
}

static void mask_call(Pushdown *p, PushState s, int32_t call, uint64_t *mask)
{
    PushState local = local_part(p, s, call);
    if (local == EMPTY)
        return;
    const Mask *made = local_mask(p, local);
    if (!made)
        return;
    Mask m = *made; /* the list may move */
    for (size_t w = 0; w < mask_words(p); w++)
        mask[w] |= m.bits[w];
    if (call == FRAME_BOTTOM || !m.exits.n)
        return;
    PushState outside = after_call(p, call);
    for (size_t i = 0; i < m.exits.n && outside != EMPTY; i++)
        walk(p, outside, m.exits.at[i] + 1, p->t->nodes[m.exits.at[i]].after, NULL, mask);
}

static bool is_deep(const Pushdown *p, PushState s)
{
    const State *state = &p->states.at[s];
    for (int32_t i = 0; i < state->n; i++)
        if (p->frames.at[state->at[i].frame].depth > PUSHDOWN_DEPTH / 2)
            return true;
    return false;
}

Status pushdown_mask(Pushdown *p, PushState s, uint64_t *mask)
{
    Array(int32_t) calls = {0};
    p->work = 0;
    p->failed = false;
    if (is_deep(p, s)) { /* what a rule allows by itself may be too deep here */
        walk(p, s, 0, p->t->n, NULL, mask);
        return verdict(p);
    }
    for (int32_t i = 0; i < p->states.at[s].n; i++) {
        int32_t call = innermost_call(p, p->states.at[s].at[i].frame);
        size_t k = 0;
        while (k < calls.n && calls.at[k] != call)
            k++;
        if (k == calls.n)
            array_push(&calls, call);
    }
    for (size_t i = 0; i < calls.n && !p->failed; i++)
        mask_call(p, s, calls.at[i], mask);
    array_drop(&calls);
    return verdict(p);
}

/* The rest ----------------------------------------------------------------------------------------------- */

Status pushdown_start(Pushdown *p, PushState *out)
{
    p->work = 0;
    p->failed = false;
    closure_begin(p);
    close_over(p, p->g->start, FRAME_BOTTOM);
    *out = state_of(p);
    return verdict(p);
}

Status pushdown_step(Pushdown *p, PushState from, Span bytes, PushState *out)
{
    p->work = 0;
    p->failed = false;
    for (size_t i = 0; i < bytes.n && from != EMPTY; i++)
        from = step_byte(p, from, (unsigned char)bytes.at[i]);
    *out = from;
    return verdict(p);
}

bool pushdown_may_end(const Pushdown *p, PushState s)
{
    return p->states.at[s].ends;
}

bool pushdown_may_go_on(const Pushdown *p, PushState s)
{
    return p->states.at[s].n > (p->states.at[s].ends ? 1 : 0);
}

ByteSet pushdown_bytes(Pushdown *p, PushState s)
{
    ByteSet all = {0};
    for (int32_t i = 0; i < p->states.at[s].n; i++) {
        int32_t node = p->states.at[s].at[i].node;
        if (node < 0)
            continue;
        const ByteSet *set = &p->g->sets.at[p->g->nodes.at[node].arg];
        for (int w = 0; w < 4; w++)
            all.bits[w] |= set->bits[w];
    }
    return all;
}

int64_t pushdown_generation(const Pushdown *p)
{
    return p->generation;
}

/* [configurations] { node, frames, { tag, count } outermost first } */
void pushdown_save(const Pushdown *p, PushState s, SavedState *out)
{
    array_clear(out);
    for (int32_t i = 0; i < p->states.at[s].n; i++) {
        Config c = p->states.at[s].at[i];
        int32_t depth = p->frames.at[c.frame].depth;
        array_reserve(out, 2 + 2 * (size_t)depth);
        int32_t *at = out->at + out->n;
        at[0] = c.node;
        at[1] = depth;
        for (int32_t f = c.frame, d = depth; d > 0; f = p->frames.at[f].parent, d--) {
            at[2 * d] = p->frames.at[f].tag;
            at[2 * d + 1] = p->frames.at[f].count;
        }
        out->n += 2 + 2 * (size_t)depth;
    }
}

PushState pushdown_restore(Pushdown *p, const SavedState *saved)
{
    closure_begin(p);
    p->failed = false;
    for (size_t i = 0; i < saved->n;) {
        int32_t node = saved->at[i], depth = saved->at[i + 1], frame = FRAME_BOTTOM;
        for (int32_t d = 1; d <= depth; d++)
            frame = frame_of(p, saved->at[i + 2 * (size_t)d], saved->at[i + 2 * (size_t)d + 1], frame);
        arrive(p, node, frame);
        i += 2 + 2 * (size_t)depth;
    }
    return state_of(p);
}

static void forget(Pushdown *p)
{
    for (size_t i = 0; i < p->states.n; i++)
        mem_free(p->states.at[i].next);
    for (size_t i = 0; i < p->masks.n; i++) {
        mem_free(p->masks.at[i].bits);
        array_drop(&p->masks.at[i].exits);
    }
    map_free(p->frame_index);
    map_free(p->state_index);
    array_drop(&p->frames);
    array_drop(&p->states);
    array_drop(&p->masks);
    p->bytes = 0;
}

static void begin(Pushdown *p)
{
    p->frame_index = map_new();
    p->state_index = map_new();
    for (int32_t i = 0; i < FRAMES_FIXED; i++)
        array_push(&p->frames, ((Frame){.parent = i}));
    array_push(&p->states, ((State){.mask = UNKNOWN}));
    p->generation++;
}

Pushdown *pushdown_new(const Grammar *g, const TokenTrie *t)
{
    Pushdown *p = mem_new(Pushdown);
    p->g = g;
    p->t = t;
    p->path = mem_array(PushState, t->longest + 1);
    for (int b = 255; b >= 0; b--)
        p->representative[g->classes[b]] = (unsigned char)b;
    seen_grow(p);
    begin(p);
    return p;
}

void pushdown_free(Pushdown *p)
{
    if (!p)
        return;
    forget(p);
    array_drop(&p->todo);
    array_drop(&p->out);
    mem_free(p->path);
    mem_free(p->seen);
    mem_free(p->seen_stamp);
    mem_free(p);
}

size_t pushdown_memory(const Pushdown *p)
{
    return p->bytes;
}

void pushdown_trim(Pushdown *p)
{
    if (p->bytes <= PUSHDOWN_MEMORY)
        return;
    forget(p);
    begin(p);
}
