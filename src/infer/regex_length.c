/* A regular expression whose texts have a length between two bounds.
 *
 * The expression becomes an automaton over characters, with its counts written out, and that is laid down
 * once for each number of characters read: layer i goes on to layer i + 1.  Where there is no upper bound,
 * the layer of the lower one leads to itself. */
#include "infer/regex_tree.h"

enum { STEPS_MAX = 20000, NODES_MAX = 2 << 20, SPLIT = -1, END = -2 };

typedef struct {
    int32_t what; /* the node of the class that is read, or SPLIT, or END */
    int32_t next, other;
} Step;

typedef struct {
    const Regex *r;
    Grammar *g;
    RegexChars *chars;
    Array(Step) steps;
    int32_t *reached; /* [steps] stamp of the closure that met it last */
    int32_t stamp;
    Array(int32_t) todo, closure;
    int32_t end;
    int64_t work;
    bool bounded;
    int32_t min, top; /* top: the last layer */
} Length;

/* Its own bounds ----------------------------------------------------------------------------------------- */

/* Of numbers below GRAMMAR_FOREVER, which is what a larger one becomes. */
static int32_t times(int32_t a, int32_t b)
{
    return (int64_t)a * b < GRAMMAR_FOREVER ? a * b : GRAMMAR_FOREVER;
}

static int32_t plus(int32_t a, int32_t b)
{
    return (int64_t)a + b < GRAMMAR_FOREVER ? a + b : GRAMMAR_FOREVER;
}

static void lengths(const Regex *r, int32_t at, int32_t *min, int32_t *max)
{
    const RegexNode *n = &r->nodes.at[at];
    int32_t least, most;
    *min = *max = n->kind == RE_CLASS;
    for (size_t i = 0; i < n->parts.n; i++) {
        lengths(r, n->parts.at[i], &least, &most);
        if (n->kind == RE_REPEAT) {
            *min = times(least, n->min);
            *max = times(most, n->max);
        } else if (n->kind == RE_SEQUENCE) {
            *min = plus(*min, least);
            *max = plus(*max, most);
        } else {
            *min = i == 0 || least < *min ? least : *min;
            *max = most > *max ? most : *max;
        }
    }
}

void regex_lengths(const Regex *r, int32_t *min, int32_t *max)
{
    lengths(r, r->root, min, max);
}

/* Automaton ---------------------------------------------------------------------------------------------- */

static int32_t add_step(Length *l, int32_t what, int32_t next, int32_t other)
{
    if (l->steps.n >= STEPS_MAX) {
        l->g->too_large = true;
        return 0;
    }
    array_push(&l->steps, ((Step){what, next, other}));
    return (int32_t)l->steps.n - 1;
}

static int32_t expand(Length *l, int32_t at, int32_t next);

static int32_t expand_repeat(Length *l, const RegexNode *n, int32_t next)
{
    int32_t body = n->parts.at[0];
    if (n->max == GRAMMAR_FOREVER) {
        int32_t again = add_step(l, SPLIT, 0, next);
        int32_t once = expand(l, body, again);
        l->steps.at[again].next = once;
        next = again;
    }
    int32_t end = next;
    for (int32_t i = n->min; n->max != GRAMMAR_FOREVER && i < n->max && !l->g->too_large; i++)
        next = add_step(l, SPLIT, expand(l, body, next), end);
    for (int32_t i = 0; i < n->min && !l->g->too_large; i++)
        next = expand(l, body, next);
    return next;
}

static int32_t expand(Length *l, int32_t at, int32_t next)
{
    const RegexNode *n = &l->r->nodes.at[at];
    int32_t all = -1;
    if (++l->work > NODES_MAX)
        l->g->too_large = true; /* also where counted emptiness makes no steps */
    if (l->g->too_large)
        return 0;
    switch (n->kind) {
    case RE_CLASS: return add_step(l, at, next, 0);
    case RE_REPEAT: return expand_repeat(l, n, next);
    case RE_SEQUENCE:
        for (size_t i = n->parts.n; i-- > 0;)
            next = expand(l, n->parts.at[i], next);
        return next;
    case RE_CHOICE:
        for (size_t i = n->parts.n; i-- > 0;) {
            int32_t one = expand(l, n->parts.at[i], next);
            all = all < 0 ? one : add_step(l, SPLIT, one, all);
        }
    }
    return all;
}

/* The classes that may be read from here without reading anything before, and the end. */
static void close_step(Length *l, int32_t from)
{
    l->stamp++;
    array_clear(&l->closure);
    array_push(&l->todo, from);
    while (l->todo.n) {
        int32_t at = l->todo.at[--l->todo.n];
        if (l->reached[at] == l->stamp)
            continue;
        l->reached[at] = l->stamp;
        if (l->steps.at[at].what != SPLIT) {
            array_push(&l->closure, at);
            continue;
        }
        array_push(&l->todo, l->steps.at[at].next);
        array_push(&l->todo, l->steps.at[at].other);
    }
}

/* Layers ------------------------------------------------------------------------------------------------- */

/* What may follow step `from` after `read` characters; after[step] is the same one character later, or NULL.
 */
static int32_t layer_node(Length *l, int32_t from, int32_t read, const int32_t *after)
{
    int32_t node = GRAMMAR_NOTHING;
    close_step(l, from);
    for (size_t i = 0; i < l->closure.n; i++) {
        const Step *s = &l->steps.at[l->closure.at[i]];
        if (++l->work > NODES_MAX)
            l->g->too_large = true;
        if (s->what == END)
            node = grammar_either(l->g, read >= l->min ? l->end : GRAMMAR_NOTHING, node);
        else if (after && after[s->next] != GRAMMAR_NOTHING) {
            const CodeRanges *ranges = &l->r->nodes.at[s->what].ranges;
            node = grammar_either(l->g, l->chars(l->g, ranges->at, ranges->n, after[s->next]), node);
        }
    }
    return node;
}

/* The last layer: nothing may follow, or what follows is in the same layer. */
static void last_layer(Length *l, int32_t *nodes)
{
    size_t n = l->steps.n;
    for (size_t i = 0; i < n; i++)
        nodes[i] = l->bounded ? layer_node(l, (int32_t)i, l->top, NULL) : grammar_star_begin(l->g);
    for (size_t i = 0; i < n && !l->bounded && !l->g->too_large; i++) {
        int32_t node = layer_node(l, (int32_t)i, l->top, nodes);
        grammar_star_end(l->g, nodes[i], node, node);
    }
}

/* Only what is gone on with after a character, and the beginning, is asked of a layer. */
static void mark_wanted(const Length *l, int32_t start, bool *wanted)
{
    wanted[start] = true;
    for (size_t i = 0; i < l->steps.n; i++)
        if (l->steps.at[i].what >= 0)
            wanted[l->steps.at[i].next] = true;
}

int32_t regex_build_bounded(const Regex *r, Grammar *g, RegexChars *chars, int32_t min, int32_t max,
                            int32_t next)
{
    Length l = {.r = r, .g = g, .chars = chars, .end = next, .min = min, .bounded = max != GRAMMAR_FOREVER};
    l.top = l.bounded ? max : min;
    int32_t end = add_step(&l, END, 0, 0), start = expand(&l, r->root, end), result = GRAMMAR_NOTHING;
    size_t n = l.steps.n;
    int32_t *after = mem_array(int32_t, n), *now = mem_array(int32_t, n);
    bool *wanted = mem_array(bool, n);
    l.reached = mem_array(int32_t, n);
    if (!g->too_large) {
        mark_wanted(&l, start, wanted);
        last_layer(&l, after);
        for (int32_t read = l.top - 1; read >= 0 && !g->too_large; read--) {
            for (size_t i = 0; i < n; i++)
                now[i] = wanted[i] ? layer_node(&l, (int32_t)i, read, after) : GRAMMAR_NOTHING;
            int32_t *spare = after;
            after = now;
            now = spare;
        }
        result = after[start];
    }
    mem_free(after);
    mem_free(now);
    mem_free(wanted);
    mem_free(l.reached);
    array_drop(&l.steps);
    array_drop(&l.todo);
    array_drop(&l.closure);
    return g->too_large ? GRAMMAR_NOTHING : result;
}
