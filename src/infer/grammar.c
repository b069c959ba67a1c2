#include "infer/grammar.h"

#include <string.h>

#include "base/check.h"

Grammar *grammar_new(void)
{
    Grammar *g = mem_new(Grammar);
    g->node_index = map_new();
    g->set_index = map_new();
    return g;
}

void grammar_free(Grammar *g)
{
    if (!g)
        return;
    array_drop(&g->nodes);
    array_drop(&g->sets);
    array_drop(&g->loops);
    array_drop(&g->rules);
    map_free(g->node_index);
    map_free(g->set_index);
    array_drop(&g->text_nodes);
    mem_free(g->live);
    mem_free(g->text);
    mem_free(g);
}

/* Nodes -------------------------------------------------------------------------------------------------- */

static int32_t add_node(Grammar *g, GrammarNode n)
{
    if (g->nodes.n >= GRAMMAR_NODES_MAX) {
        g->too_large = true;
        return GRAMMAR_NOTHING;
    }
    array_push(&g->nodes, n);
    return (int32_t)g->nodes.n - 1;
}

/* The node that is like this one, made where there is none. */
static int32_t the_node(Grammar *g, NodeKind kind, int32_t next, int32_t arg)
{
    GrammarNode n = {.kind = (int32_t)kind, .next = next, .arg = arg};
    if (g->too_large)
        return GRAMMAR_NOTHING;
    int64_t *at = map_put(g->node_index, (const char *)&n, sizeof n);
    if (!*at)
        *at = add_node(g, n) + 1;
    return (int32_t)*at - 1;
}

int32_t grammar_return(Grammar *g)
{
    return the_node(g, NODE_RETURN, GRAMMAR_NOTHING, 0);
}

int32_t grammar_bytes(Grammar *g, const ByteSet *set, int32_t next)
{
    if (next == GRAMMAR_NOTHING || !(set->bits[0] | set->bits[1] | set->bits[2] | set->bits[3]))
        return GRAMMAR_NOTHING;
    int64_t *at = map_put(g->set_index, (const char *)set, sizeof *set);
    if (!*at) {
        array_push(&g->sets, *set);
        *at = (int64_t)g->sets.n;
    }
    return the_node(g, NODE_BYTES, next, (int32_t)*at - 1);
}

int32_t grammar_either(Grammar *g, int32_t a, int32_t b)
{
    if (a == GRAMMAR_NOTHING || a == b)
        return b;
    if (b == GRAMMAR_NOTHING)
        return a;
    return the_node(g, NODE_SPLIT, a, b);
}

int32_t grammar_call(Grammar *g, int32_t rule, int32_t next)
{
    return next == GRAMMAR_NOTHING ? next : the_node(g, NODE_CALL, next, rule);
}

int32_t grammar_text(Grammar *g, Span bytes, int32_t next)
{
    for (size_t i = bytes.n; i-- > 0;)
        next = grammar_byte_range(g, (unsigned char)bytes.at[i], (unsigned char)bytes.at[i], next);
    return next;
}

int32_t grammar_byte_range(Grammar *g, int first, int last, int32_t next)
{
    ByteSet set = {0};
    for (int b = first; b <= last; b++)
        byteset_add(&set, (unsigned)b);
    return grammar_bytes(g, &set, next);
}

int32_t grammar_any_of(Grammar *g, const char *ascii, int32_t next)
{
    ByteSet set = {0};
    for (; *ascii; ascii++)
        byteset_add(&set, (unsigned char)*ascii);
    return grammar_bytes(g, &set, next);
}

int32_t grammar_rule(Grammar *g)
{
    array_push(&g->rules, GRAMMAR_NOTHING);
    return (int32_t)g->rules.n - 1;
}

void grammar_rule_set(Grammar *g, int32_t rule, int32_t start)
{
    g->rules.at[rule] = start;
}

int32_t grammar_loop_begin(Grammar *g, int32_t min, int32_t max, int32_t *loop)
{
    check(0 <= min && min <= max && min <= GRAMMAR_COUNT_MAX &&
          (max <= GRAMMAR_COUNT_MAX || max == GRAMMAR_FOREVER));
    GrammarLoop l = {.min = min, .max = max, .body = GRAMMAR_NOTHING, .exit = GRAMMAR_NOTHING};
    array_push(&g->loops, l);
    *loop = (int32_t)g->loops.n - 1;
    return the_node(g, NODE_BACK, GRAMMAR_NOTHING, *loop);
}

int32_t grammar_loop_end(Grammar *g, int32_t loop, int32_t body, int32_t next)
{
    GrammarLoop *l = &g->loops.at[loop];
    l->body = body;
    l->exit = next;
    if (next == GRAMMAR_NOTHING || (body == GRAMMAR_NOTHING && l->min > 0))
        return GRAMMAR_NOTHING;
    return body == GRAMMAR_NOTHING || l->max == 0 ? next : the_node(g, NODE_REPEAT, GRAMMAR_NOTHING, loop);
}

/* Not shared: it is changed when the body is known. */
int32_t grammar_star_begin(Grammar *g)
{
    return add_node(g, (GrammarNode){.kind = NODE_SPLIT, .next = GRAMMAR_NOTHING, .arg = GRAMMAR_NOTHING});
}

int32_t grammar_star_end(Grammar *g, int32_t again, int32_t body, int32_t next)
{
    if (again == GRAMMAR_NOTHING || next == GRAMMAR_NOTHING)
        return GRAMMAR_NOTHING;
    g->nodes.at[again].next = body;
    g->nodes.at[again].arg = next;
    return again;
}

/* The node that reads an ASCII character stands for them all. */
void grammar_mark_text(Grammar *g, int32_t body, int32_t again)
{
    if (again == GRAMMAR_NOTHING)
        return;
    while (body != GRAMMAR_NOTHING) {
        const GrammarNode *n = &g->nodes.at[body];
        int32_t here = n->kind == NODE_SPLIT ? n->next : body;
        const GrammarNode *m = &g->nodes.at[here];
        if (m->kind == NODE_BYTES && m->next == again && byteset_has(&g->sets.at[m->arg], 'a'))
            array_push(&g->text_nodes, here);
        body = n->kind == NODE_SPLIT ? n->arg : GRAMMAR_NOTHING;
    }
}

/* Finishing ---------------------------------------------------------------------------------------------- */

static bool is_live(const Grammar *g, int32_t node)
{
    return node != GRAMMAR_NOTHING && g->live[node];
}

static bool node_lives(const Grammar *g, const GrammarNode *n)
{
    const GrammarLoop *l = n->kind == NODE_REPEAT || n->kind == NODE_BACK ? &g->loops.at[n->arg] : NULL;
    switch ((NodeKind)n->kind) {
    case NODE_BYTES: return is_live(g, n->next);
    case NODE_SPLIT: return is_live(g, n->next) || is_live(g, n->arg);
    case NODE_CALL: return is_live(g, n->next) && is_live(g, g->rules.at[n->arg]);
    case NODE_RETURN: return true;
    case NODE_REPEAT: return is_live(g, l->exit) && (l->min == 0 || is_live(g, l->body));
    case NODE_BACK: return is_live(g, l->exit); /* whoever comes here came through the body */
    }
    return false;
}

typedef struct {
    int32_t node, following; /* link; -1 */
} Link;

/* Who has to be looked at again when a node turns out to be live: a list of nodes for each node. */
typedef struct {
    int32_t *first; /* [nodes] link; -1 */
    Array(Link) links;
} Dependents;

static void depends(Dependents *d, int32_t node, int32_t on)
{
    if (on == GRAMMAR_NOTHING)
        return;
    array_push(&d->links, ((Link){node, d->first[on]}));
    d->first[on] = (int32_t)d->links.n - 1;
}

static void note_dependencies(const Grammar *g, Dependents *d)
{
    for (int32_t i = 0; i < (int32_t)g->nodes.n; i++) {
        const GrammarNode *n = &g->nodes.at[i];
        bool loops = n->kind == NODE_REPEAT || n->kind == NODE_BACK;
        depends(d, i, loops ? g->loops.at[n->arg].exit : n->next);
        if (n->kind == NODE_REPEAT)
            depends(d, i, g->loops.at[n->arg].body);
        if (n->kind == NODE_SPLIT)
            depends(d, i, n->arg);
        if (n->kind == NODE_CALL)
            depends(d, i, g->rules.at[n->arg]);
    }
}

/* The least set: what recursion alone would keep alive never ends. */
static void find_live(Grammar *g)
{
    Dependents d = {.first = mem_array(int32_t, g->nodes.n + 1)};
    Array(int32_t) todo = {0};
    memset(d.first, 0xFF, g->nodes.n * sizeof *d.first);
    note_dependencies(g, &d);
    g->live = mem_array(bool, g->nodes.n + 1);
    for (int32_t i = 0; i < (int32_t)g->nodes.n; i++)
        if (g->nodes.at[i].kind == NODE_RETURN)
            array_push(&todo, i);
    while (todo.n) {
        int32_t at = todo.at[--todo.n];
        if (g->live[at] || !node_lives(g, &g->nodes.at[at]))
            continue;
        g->live[at] = true;
        for (int32_t l = d.first[at]; l >= 0; l = d.links.at[l].following)
            array_push(&todo, d.links.at[l].node);
    }
    array_drop(&todo);
    array_drop(&d.links);
    mem_free(d.first);
}

static void find_classes(Grammar *g)
{
    int32_t n = 1;
    memset(g->classes, 0, sizeof g->classes);
    for (size_t s = 0; s < g->sets.n && n < 256; s++) {
        int inside[256]; /* the class of those bytes of a class that are in the set */
        bool outside[256] = {false};
        memset(inside, -1, sizeof inside);
        for (unsigned b = 0; b < 256; b++)
            if (!byteset_has(&g->sets.at[s], b))
                outside[g->classes[b]] = true;
        for (unsigned b = 0; b < 256; b++) {
            int c = g->classes[b];
            if (!byteset_has(&g->sets.at[s], b) || !outside[c])
                continue;
            if (inside[c] < 0)
                inside[c] = n++;
            g->classes[b] = (uint8_t)inside[c];
        }
    }
    g->classes_n = n;
}

Status grammar_finish(Grammar *g, int32_t start)
{
    if (g->too_large)
        return fail(ST_LIMIT, "the constraint needs more than %d states: make it smaller", GRAMMAR_NODES_MAX);
    find_live(g);
    if (!is_live(g, start))
        return fail(ST_ARG, "no finite text satisfies the constraint");
    g->start = start;
    g->text = mem_array(bool, g->nodes.n);
    for (size_t i = 0; i < g->text_nodes.n; i++)
        g->text[g->text_nodes.at[i]] = true;
    find_classes(g);
    return ST_OK;
}
