#include "env/ground_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/map.h"

enum {
    FAR = 1 << 24,   /* the cost of what cannot be reached */
    GOALS_TRIED = 3, /* nearest alternatives of the goal of which the shortest plan is taken */
    NARROW = 20000,  /* states of the search in breadth */
    WIDE = 2000,     /* states that the best-first search leaves */
    BY_NOBODY = -1,
};

/* Costs of literals (bit << 1 | false, as in GroundList) from one state, with deletions left out. */
typedef struct {
    const Ground *g;
    GroundPlan usable;         /* operators that may be used at all */
    int *cost;                 /* operators that it takes; what two parts need is counted twice */
    int *maker;                /* the operator that gives it most cheaply; BY_NOBODY: it holds  */
    const GroundEffect **gift; /* that operator's effect */
} Relaxed;

static bool is_usable(const Ground *g, int op, const bool *unknown)
{
    const GroundOperator *o = &g->operators[op];
    for (int i = 0; unknown && i < g->task->actions[o->action].params_n; i++)
        if (unknown[o->args[i]])
            return false;
    return true;
}

static Relaxed relaxed_new(const Ground *g, const bool *unknown)
{
    int literals = 2 * g->bits_n + 1;
    Relaxed r = {.g = g,
                 .cost = mem_array(int, literals),
                 .maker = mem_array(int, literals),
                 .gift = mem_array(const GroundEffect *, literals)};
    for (int op = 0; op < g->operators_n; op++)
        if (is_usable(g, op, unknown))
            array_push(&r.usable, op);
    return r;
}

static void relaxed_drop(Relaxed *r)
{
    array_drop(&r->usable);
    mem_free(r->cost);
    mem_free(r->maker);
    mem_free(r->gift);
}

static int cost_of(const Relaxed *r, GroundList list)
{
    int sum = 0;
    for (int i = 0; i < list.n && sum < FAR; i++)
        sum += r->cost[list.at[i]];
    return sum < FAR ? sum : FAR;
}

static int32_t literal_of(const GroundEffect *e)
{
    return e->bit << 1 | !e->add;
}

static bool give(Relaxed *r, int op)
{
    const GroundOperator *o = &r->g->operators[op];
    int needs = cost_of(r, o->needs);
    bool cheaper = false;
    for (int i = 0; needs < FAR && i < o->effects_n; i++) {
        const GroundEffect *e = &o->effects[i];
        int32_t literal = literal_of(e);
        int cost = 1 + needs + cost_of(r, e->when);
        if (cost >= r->cost[literal] || cost >= FAR)
            continue;
        r->cost[literal] = cost;
        r->maker[literal] = op;
        r->gift[literal] = e;
        cheaper = true;
    }
    return cheaper;
}

/* Sweeps over all operators until nothing gets cheaper: a handful, as they stand in the domain's order. */
static void relax(Relaxed *r, const uint64_t *state)
{
    for (int bit = 0; bit < r->g->bits_n; bit++) {
        bool holds = ground_has(state, bit);
        r->cost[bit << 1] = holds ? 0 : FAR;
        r->cost[bit << 1 | 1] = holds ? FAR : 0;
        r->maker[bit << 1] = r->maker[bit << 1 | 1] = BY_NOBODY;
    }
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < r->usable.n; i++)
            again |= give(r, r->usable.at[i]);
    }
}

/* --- what leads to one alternative of the goal --------------------------------------------------------- */

typedef struct {
    bool *needed; /* by literal: the goal's, and what the relaxed plan's operators need */
    bool *there;  /* by literal: holds, or the relaxed plan gives it */
} Leads;

static void need(const Relaxed *r, Leads *l, GroundList list)
{
    for (int i = 0; i < list.n; i++) {
        int32_t literal = list.at[i];
        if (l->needed[literal])
            continue;
        l->needed[literal] = l->there[literal] = true;
        if (r->maker[literal] == BY_NOBODY)
            continue;
        need(r, l, r->g->operators[r->maker[literal]].needs);
        need(r, l, r->gift[literal]->when);
    }
}

static bool leads(const Ground *g, const Leads *l, int op)
{
    const GroundOperator *o = &g->operators[op];
    bool gives = false;
    for (int i = 0; i < o->effects_n && !gives; i++)
        gives = l->needed[literal_of(&o->effects[i])];
    for (int i = 0; i < o->needs.n && gives; i++)
        gives = l->there[o->needs.at[i]];
    return gives;
}

static void find_leading(const Relaxed *r, const uint64_t *state, GroundList goal, GroundPlan *out)
{
    int literals = 2 * r->g->bits_n + 1;
    Leads l = {mem_array(bool, literals), mem_array(bool, literals)};
    for (int bit = 0; bit < r->g->bits_n; bit++)
        l.there[bit << 1 | !ground_has(state, bit)] = true;
    need(r, &l, goal);
    for (size_t i = 0; i < r->usable.n; i++)
        if (leads(r->g, &l, r->usable.at[i]))
            array_push(out, r->usable.at[i]);
    mem_free(l.needed);
    mem_free(l.there);
}

/* --- searches over states ------------------------------------------------------------------------------ */

typedef struct {
    int from, op; /* the state and the operator that led here */
    int cost;     /* of the best-first search; FAR: left already */
} Node;

typedef struct {
    const Ground *g;
    size_t words;
    Array(uint64_t) bits; /* `words` a node */
    Array(Node) nodes;
    Map *seen;
    uint64_t *now, *next;
} Search;

static bool search_add(Search *s, const uint64_t *state, Node node)
{
    int64_t count = map_count(s->seen);
    map_put(s->seen, (const char *)state, s->words * sizeof *state);
    if (map_count(s->seen) == count)
        return false;
    array_reserve(&s->bits, s->words);
    memcpy(s->bits.at + s->bits.n, state, s->words * sizeof *state);
    s->bits.n += s->words;
    array_push(&s->nodes, node);
    return true;
}

static Search search_begin(const Ground *g, const uint64_t *state)
{
    Search s = {.g = g, .words = (size_t)ground_words(g), .seen = map_new()};
    s.now = mem_array(uint64_t, s.words + 1);
    s.next = mem_array(uint64_t, s.words + 1);
    search_add(&s, state, (Node){BY_NOBODY, BY_NOBODY, 0});
    return s;
}

static void search_drop(Search *s)
{
    array_drop(&s->bits);
    array_drop(&s->nodes);
    map_free(s->seen);
    mem_free(s->now);
    mem_free(s->next);
}

static void search_leave(Search *s, size_t node)
{
    memcpy(s->now, s->bits.at + node * s->words, s->words * sizeof *s->now);
}

/* s->next: what the operator makes of s->now.  False: it cannot be applied, or leads to where one was. */
static bool search_step(Search *s, size_t node, int op, int cost)
{
    const GroundOperator *o = &s->g->operators[op];
    if (!ground_holds(s->now, o->needs))
        return false;
    memcpy(s->next, s->now, s->words * sizeof *s->now);
    ground_apply(o, s->now, s->next);
    return search_add(s, s->next, (Node){(int)node, op, cost});
}

/* The operators that led to the last node, first to last. */
static void search_trace(const Search *s, GroundPlan *out)
{
    array_clear(out);
    for (int node = (int)s->nodes.n - 1; s->nodes.at[node].from != BY_NOBODY; node = s->nodes.at[node].from)
        array_push(out, s->nodes.at[node].op);
    for (size_t i = 0; i < out->n / 2; i++) {
        int op = out->at[i];
        out->at[i] = out->at[out->n - 1 - i];
        out->at[out->n - 1 - i] = op;
    }
}

/* In breadth over some operators: the shortest way, if there is one. */
static bool search_narrow(const Ground *g, const uint64_t *state, GroundList goal,
                          const GroundPlan *operators, GroundPlan *out)
{
    Search s = search_begin(g, state);
    bool found = false;
    for (size_t node = 0; node < s.nodes.n && s.nodes.n < NARROW && !found; node++) {
        search_leave(&s, node);
        for (size_t i = 0; i < operators->n && !found; i++)
            found = search_step(&s, node, operators->at[i], 0) && ground_holds(s.next, goal);
    }
    if (found)
        search_trace(&s, out);
    search_drop(&s);
    return found;
}

static int goal_cost(Relaxed *r, const uint64_t *state)
{
    int best = FAR;
    relax(r, state);
    for (int i = 0; i < r->g->goal_n; i++) {
        int cost = cost_of(r, r->g->goal[i]);
        best = cost < best ? cost : best;
    }
    return best;
}

static int nearest_node(const Search *s)
{
    int best = BY_NOBODY;
    for (size_t i = 0; i < s->nodes.n; i++)
        if (s->nodes.at[i].cost < FAR && (best < 0 || s->nodes.at[i].cost < s->nodes.at[best].cost))
            best = (int)i;
    return best;
}

/* The nearest state first, over all operators. */
static bool search_wide(Relaxed *r, const uint64_t *state, GroundPlan *out)
{
    Search s = search_begin(r->g, state);
    bool found = false;
    for (int left = 0, node; left < WIDE && !found && (node = nearest_node(&s)) >= 0; left++) {
        s.nodes.at[node].cost = FAR;
        search_leave(&s, (size_t)node);
        for (size_t i = 0; i < r->usable.n && !found; i++)
            if (search_step(&s, (size_t)node, r->usable.at[i], 0)) {
                int cost = goal_cost(r, s.next);
                s.nodes.at[s.nodes.n - 1].cost = cost;
                found = cost == 0;
            }
    }
    if (found)
        search_trace(&s, out);
    search_drop(&s);
    return found;
}

/* --- the plan ------------------------------------------------------------------------------------------ */

/* The alternative of the goal that is nearest behind (cost, number): they are gone through in that order. */
static int next_goal(const Relaxed *r, int cost, int number)
{
    int best = BY_NOBODY, best_cost = FAR;
    for (int i = 0; i < r->g->goal_n; i++) {
        int c = cost_of(r, r->g->goal[i]);
        if (c < best_cost && (c > cost || (c == cost && i > number))) {
            best = i;
            best_cost = c;
        }
    }
    return best;
}

static Status find_plan(Relaxed *r, const uint64_t *state, GroundPlan *out)
{
    GroundPlan leading = {0}, way = {0};
    bool found = false;
    relax(r, state);
    int goal = next_goal(r, -1, -1);
    if (goal < 0)
        return fail(ST_UNSUPPORTED, "the goal cannot be reached from here, whatever is done");
    for (int tried = 0; tried < GOALS_TRIED && goal >= 0; tried++) {
        GroundList list = r->g->goal[goal];
        if (cost_of(r, list) == 0)
            return ST_OK; /* it holds: the first, and nothing is to be done */
        array_clear(&leading);
        find_leading(r, state, list, &leading);
        if (search_narrow(r->g, state, list, &leading, &way) && (!found || way.n < out->n)) {
            GroundPlan shorter = way;
            way = *out;
            *out = shorter;
            found = true;
        }
        goal = next_goal(r, cost_of(r, list), goal);
    }
    array_drop(&leading);
    array_drop(&way);
    if (found || search_wide(r, state, out))
        return ST_OK;
    return fail(ST_LIMIT, "no way to the goal among the %d states that were looked at", WIDE);
}

/* --- in good order ------------------------------------------------------------------------------------- */

static bool goal_holds(const Ground *g, const uint64_t *state)
{
    for (int i = 0; i < g->goal_n; i++)
        if (ground_holds(state, g->goal[i]))
            return true;
    return false;
}

/* Whether the plan with its operator `from` put off until behind `to` still reaches the goal, and that
 * operator cannot be applied at some time between: one leaves, and comes by again. */
static bool can_wait(const Ground *g, const uint64_t *state, const GroundPlan *plan, size_t from, size_t to)
{
    size_t words = (size_t)ground_words(g), bytes = words * sizeof *state;
    uint64_t *now = mem_array(uint64_t, 2 * words + 1), *next = now + words;
    bool holds = true, left = false;
    memcpy(now, state, bytes);
    for (size_t i = 0; i < plan->n && holds; i++) {
        size_t which = i < from || i > to ? i : i == to ? from : i + 1;
        const GroundOperator *o = &g->operators[plan->at[which]];
        left |= i > from && i <= to && !ground_holds(now, g->operators[plan->at[from]].needs);
        holds = ground_holds(now, o->needs);
        memcpy(next, now, bytes);
        ground_apply(o, now, next);
        memcpy(now, next, bytes);
    }
    holds = holds && left && goal_holds(g, now);
    mem_free(now);
    return holds;
}

/* Nothing is done on the way that can as well be done when one comes there for it. */
static void put_off(const Ground *g, const uint64_t *state, GroundPlan *plan)
{
    for (size_t from = plan->n; from-- > 0;)
        for (size_t to = plan->n - 1; to > from + 1; to--) {
            if (!can_wait(g, state, plan, from, to))
                continue;
            int op = plan->at[from];
            memmove(plan->at + from, plan->at + from + 1, (to - from) * sizeof *plan->at);
            plan->at[to] = op;
            break;
        }
}

Status ground_plan(GroundPlan *out, const Ground *g, const uint64_t *state, const bool *unknown)
{
    Relaxed r = relaxed_new(g, unknown);
    array_clear(out);
    Status st = find_plan(&r, state, out);
    relaxed_drop(&r);
    if (st == ST_OK)
        put_off(g, state, out);
    return st;
}
