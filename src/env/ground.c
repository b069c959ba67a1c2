#include "env/ground.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/map.h"

enum { UNBOUND = -1 };

typedef Array(GroundList) Alternatives; /* of nothing: false */

typedef struct {
    Ground *g;
    const PddlTask *t;
    Arena *arena;
    Map *known;           /* facts: the bit, or STATIC_FACT */
    Array(PddlFact) bits; /* what each bit says             */
    int *from;            /* by predicate: its first fact in init, one more at the end */
    int64_t work;
    const char *doing;
    Array(GroundOperator) operators;
    Array(GroundEffect) effects; /* of the operator being made */
    bool adding;                 /* bits may still be made         */
} Grounder;

enum { STATIC_FACT = -1 };

static Status spend(Grounder *g)
{
    if (++g->work > GROUND_WORK_MAX)
        return fail(ST_LIMIT, "\"%s\" has too many choices: more than %d were looked at", g->doing,
                    GROUND_WORK_MAX);
    return ST_OK;
}

static const int64_t *fact_find(const Grounder *g, const PddlFact *f)
{
    return map_find(g->known, (const char *)f, sizeof *f);
}

static bool fact_of(PddlFact *out, const PddlFormula *f, const int *binding)
{
    *out = (PddlFact){.predicate = f->predicate};
    for (int i = 0; i < f->args_n; i++) {
        out->args[i] = f->args[i] >= 0 ? f->args[i] : binding[~f->args[i]];
        if (out->args[i] == UNBOUND)
            return false;
    }
    return true;
}

/* What is known without a state and with what is bound so far. */
typedef enum { NO, YES, OPEN } Known;

static Known known_of(const Grounder *g, const PddlFormula *f, const int *binding)
{
    PddlFact fact;
    Known part, all = f->kind == PDDL_OR ? NO : YES;
    switch (f->kind) {
    case PDDL_ATOM:
        if (!fact_of(&fact, f, binding))
            return OPEN;
        if (!g->t->predicates[f->predicate].fluent)
            return fact_find(g, &fact) ? YES : NO;
        return g->adding || fact_find(g, &fact) ? OPEN : NO;
    case PDDL_EQUAL:
        if (!fact_of(&fact, f, binding))
            return OPEN;
        return fact.args[0] == fact.args[1] ? YES : NO;
    case PDDL_NOT:
        part = known_of(g, f->parts[0], binding);
        return part == OPEN ? OPEN : part == YES ? NO : YES;
    case PDDL_AND:
    case PDDL_OR:
        for (int i = 0; i < f->parts_n; i++) {
            part = known_of(g, f->parts[i], binding);
            if (part == (f->kind == PDDL_OR ? YES : NO))
                return part;
            if (part == OPEN)
                all = OPEN;
        }
        return all;
    default: return OPEN;
    }
}

/* --- every choice of objects for some slots, led by what the guard demands ----------------------------- */

typedef struct Walk Walk;
struct Walk {
    Grounder *g;
    const PddlAction *action;
    const PddlFormula *guard; /* no choice is given where it is known to be false; NULL: none */
    const PddlFormula *leads[PDDL_SLOTS_MAX];
    int leads_n;
    int slot, slots_n;
    int *binding;
    Status (*visit)(Walk *w);
    void *context;
};

/* Facts that the guard demands and that nothing changes bind slots best. */
static void find_leads(Walk *w, const PddlFormula *f)
{
    if (f->kind == PDDL_AND)
        for (int i = 0; i < f->parts_n; i++)
            find_leads(w, f->parts[i]);
    else if (f->kind == PDDL_ATOM && !w->g->t->predicates[f->predicate].fluent && w->leads_n < PDDL_SLOTS_MAX)
        w->leads[w->leads_n++] = f;
}

static Status walk_slots(Walk *w);

static bool may_bind(const Walk *w, int slot, int object)
{
    return slot >= w->slot && slot < w->slot + w->slots_n &&
           (w->action->types[slot] & w->g->t->objects[object].types);
}

/* Binds what the lead leaves unbound to the fact's objects; false where they differ. */
static bool match(const Walk *w, const PddlFormula *lead, const PddlFact *fact)
{
    for (int i = 0; i < lead->args_n; i++) {
        int arg = lead->args[i], object = fact->args[i];
        int *slot = arg < 0 ? &w->binding[~arg] : &arg;
        if (*slot == UNBOUND && may_bind(w, ~arg, object))
            *slot = object;
        else if (*slot != object)
            return false;
    }
    return true;
}

static Status walk_leads(Walk *w, int lead)
{
    int saved[PDDL_SLOTS_MAX];
    if (lead == w->leads_n)
        return walk_slots(w);
    const PddlFormula *f = w->leads[lead];
    const PddlTask *t = w->g->t;
    memcpy(saved, w->binding, sizeof saved);
    PddlFact fact;
    if (fact_of(&fact, f, w->binding)) {
        TRY(spend(w->g));
        return fact_find(w->g, &fact) ? walk_leads(w, lead + 1) : ST_OK;
    }
    for (int i = w->g->from[f->predicate]; i < w->g->from[f->predicate + 1]; i++) {
        TRY(spend(w->g));
        if (match(w, f, &t->init[i]))
            TRY(walk_leads(w, lead + 1));
        memcpy(w->binding, saved, sizeof saved);
    }
    return ST_OK;
}

/* The unbound slot that a part of the guard limits most: one that alone decides a part; else the first. */
static int next_slot(const Walk *w)
{
    int first = -1;
    for (int s = w->slot; s < w->slot + w->slots_n; s++) {
        if (w->binding[s] != UNBOUND)
            continue;
        if (first < 0)
            first = s;
        for (int i = 0; w->guard && w->guard->kind == PDDL_AND && i < w->guard->parts_n; i++) {
            w->binding[s] = 0;
            bool decides = known_of(w->g, w->guard->parts[i], w->binding) != OPEN;
            w->binding[s] = UNBOUND;
            if (decides && known_of(w->g, w->guard->parts[i], w->binding) == OPEN)
                return s;
        }
    }
    return first;
}

static Status walk_slots(Walk *w)
{
    TRY(spend(w->g));
    if (w->guard && known_of(w->g, w->guard, w->binding) == NO)
        return ST_OK;
    int slot = next_slot(w);
    if (slot < 0)
        return w->visit(w);
    for (int o = 0; o < w->g->t->objects_n; o++) {
        if (!may_bind(w, slot, o))
            continue;
        w->binding[slot] = o;
        TRY(walk_slots(w));
    }
    w->binding[slot] = UNBOUND;
    return ST_OK;
}

static Status walk(Walk *w)
{
    for (int s = w->slot; s < w->slot + w->slots_n; s++)
        w->binding[s] = UNBOUND;
    if (w->guard)
        find_leads(w, w->guard);
    TRY(walk_leads(w, 0));
    for (int s = w->slot; s < w->slot + w->slots_n; s++)
        w->binding[s] = UNBOUND;
    return ST_OK;
}

/* --- conditions as alternatives of lists of bits ------------------------------------------------------- */

static const GroundList always = {NULL, 0};

static Status alternatives_add(Grounder *g, Alternatives *to, GroundList list)
{
    TRY(spend(g));
    if (to->n && to->at[0].n == 0)
        return ST_OK; /* already true */
    if (list.n == 0)
        to->n = 0;
    if (to->n == GROUND_ALTERNATIVES_MAX)
        return fail(ST_LIMIT, "\"%s\" has a condition of more than %d alternatives", g->doing,
                    GROUND_ALTERNATIVES_MAX);
    array_push(to, list);
    return ST_OK;
}

/* Both lists as one, sorted; false where they contradict each other. */
static bool unite(Grounder *g, GroundList a, GroundList b, GroundList *out)
{
    int32_t *at = arena_alloc(g->arena, (size_t)(a.n + b.n) * sizeof *at + 1);
    int n = 0;
    for (int i = 0, j = 0; i < a.n || j < b.n;) {
        int32_t next = j == b.n || (i < a.n && a.at[i] <= b.at[j]) ? a.at[i++] : b.at[j++];
        if (n && at[n - 1] == next)
            continue;
        if (n && at[n - 1] >> 1 == next >> 1)
            return false;
        at[n++] = next;
    }
    *out = (GroundList){at, n};
    return true;
}

static Status alternatives_multiply(Grounder *g, Alternatives *to, const Alternatives *by)
{
    Alternatives product = {0};
    Status st = ST_OK;
    for (size_t i = 0; i < to->n && st == ST_OK; i++)
        for (size_t j = 0; j < by->n && st == ST_OK; j++) {
            GroundList both;
            if (unite(g, to->at[i], by->at[j], &both))
                st = alternatives_add(g, &product, both);
        }
    array_drop(to);
    *to = product;
    return st;
}

typedef struct {
    const PddlFormula *body;
    bool negated, all; /* every choice is demanded, or one */
    Alternatives *to;
} Quantified;

static Status expand(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding, bool negated,
                     Alternatives *to);

/* *to and `f` as well. */
static Status demand(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding, bool negated,
                     Alternatives *to)
{
    Alternatives part = {0};
    Status st = expand(g, a, f, binding, negated, &part);
    if (st == ST_OK)
        st = alternatives_multiply(g, to, &part);
    array_drop(&part);
    return st;
}

static Status visit_quantified(Walk *w)
{
    Quantified *q = w->context;
    if (q->all)
        return q->to->n ? demand(w->g, w->action, q->body, w->binding, q->negated, q->to) : ST_OK;
    return expand(w->g, w->action, q->body, w->binding, q->negated, q->to);
}

static Status expand_quantified(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding,
                                bool negated, Alternatives *to)
{
    bool all = (f->kind == PDDL_FORALL) != negated;
    Alternatives one = {0};
    Quantified q = {f->parts[0], negated, all, all ? &one : to};
    /* Where the body stands as it is in an "or", or negated in an "and", only choices that can make it true
     * count, and it guides; the other two look at every choice. */
    Walk w = {.g = g,
              .action = a,
              .guard = f->kind == PDDL_EXISTS ? f->parts[0] : NULL,
              .slot = f->slot,
              .slots_n = f->slots_n,
              .binding = binding,
              .visit = visit_quantified,
              .context = &q};
    if (all)
        TRY(alternatives_add(g, &one, always));
    Status st = walk(&w);
    for (size_t i = 0; all && st == ST_OK && i < one.n; i++)
        st = alternatives_add(g, to, one.at[i]);
    array_drop(&one);
    return st;
}

static Status expand_parts(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding, bool negated,
                           Alternatives *to)
{
    Status st = ST_OK;
    if ((f->kind == PDDL_OR) != negated) {
        for (int i = 0; i < f->parts_n; i++)
            TRY(expand(g, a, f->parts[i], binding, negated, to));
        return ST_OK;
    }
    Alternatives all = {0};
    array_push(&all, always);
    for (int i = 0; i < f->parts_n && all.n && st == ST_OK; i++)
        st = demand(g, a, f->parts[i], binding, negated, &all);
    for (size_t i = 0; i < all.n && st == ST_OK; i++)
        st = alternatives_add(g, to, all.at[i]);
    array_drop(&all);
    return st;
}

static Status expand(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding, bool negated,
                     Alternatives *to)
{
    PddlFact fact;
    Known known = known_of(g, f, binding);
    TRY(spend(g));
    if (known != OPEN)
        return (known == YES) != negated ? alternatives_add(g, to, always) : ST_OK;
    switch (f->kind) {
    case PDDL_NOT: return expand(g, a, f->parts[0], binding, !negated, to);
    case PDDL_AND:
    case PDDL_OR: return expand_parts(g, a, f, binding, negated, to);
    case PDDL_EXISTS:
    case PDDL_FORALL: return expand_quantified(g, a, f, binding, negated, to);
    default: break;
    }
    fact_of(&fact, f, binding);
    int32_t *at = arena_alloc(g->arena, sizeof *at);
    *at = (int32_t)(*fact_find(g, &fact) << 1 | negated);
    return alternatives_add(g, to, (GroundList){at, 1});
}

/* --- effects and operators ----------------------------------------------------------------------------- */

static Status bit_add(Grounder *g, const PddlFact *f)
{
    int64_t *bit = map_find(g->known, (const char *)f, sizeof *f);
    if (bit)
        return ST_OK;
    if (g->bits.n == GROUND_OPERATORS_MAX)
        return fail(ST_LIMIT, "more than %d facts that can change", GROUND_OPERATORS_MAX);
    *map_put(g->known, (const char *)f, sizeof *f) = (int64_t)g->bits.n;
    array_push(&g->bits, *f);
    return ST_OK;
}

static Status effect_add(Grounder *g, const PddlFormula *atom, const int *binding, bool add, GroundList when)
{
    PddlFact fact;
    fact_of(&fact, atom, binding);
    if (g->adding)
        return add ? bit_add(g, &fact) : ST_OK;
    const int64_t *bit = fact_find(g, &fact);
    if (bit) /* what cannot become true need not be taken away */
        array_push(&g->effects, ((GroundEffect){when, (int32_t)*bit, add}));
    return ST_OK;
}

static Status collect_effects(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding,
                              GroundList when);

typedef struct {
    const PddlFormula *body;
    GroundList when;
} EffectOf;

static Status visit_effect(Walk *w)
{
    const EffectOf *e = w->context;
    return collect_effects(w->g, w->action, e->body, w->binding, e->when);
}

static Status collect_when(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding,
                           GroundList when)
{
    Alternatives all = {0};
    if (g->adding)
        return collect_effects(g, a, f->parts[1], binding, always);
    Status st = expand(g, a, f->parts[0], binding, false, &all);
    for (size_t i = 0; i < all.n && st == ST_OK; i++) {
        GroundList both;
        if (unite(g, when, all.at[i], &both))
            st = collect_effects(g, a, f->parts[1], binding, both);
    }
    array_drop(&all);
    return st;
}

static Status collect_effects(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding,
                              GroundList when)
{
    TRY(spend(g));
    if (f->kind == PDDL_ATOM)
        return effect_add(g, f, binding, true, when);
    if (f->kind == PDDL_NOT)
        return effect_add(g, f->parts[0], binding, false, when);
    if (f->kind == PDDL_WHEN)
        return collect_when(g, a, f, binding, when);
    if (f->kind == PDDL_FORALL) {
        EffectOf e = {f->parts[0], when};
        Walk w = {.g = g,
                  .action = a,
                  .slot = f->slot,
                  .slots_n = f->slots_n,
                  .binding = binding,
                  .visit = visit_effect,
                  .context = &e};
        return walk(&w);
    }
    for (int i = 0; i < f->parts_n; i++)
        TRY(collect_effects(g, a, f->parts[i], binding, when));
    return ST_OK;
}

static bool demands(GroundList list, int32_t literal)
{
    for (int i = 0; i < list.n; i++)
        if (list.at[i] == literal)
            return true;
    return false;
}

/* Whether some effect can change the state: what is added and taken away at once is added. */
static bool changes(const Grounder *g, GroundList needs)
{
    for (size_t i = 0; i < g->effects.n; i++) {
        const GroundEffect *e = &g->effects.at[i];
        bool undone = demands(needs, e->bit << 1 | !e->add) || demands(e->when, e->bit << 1 | !e->add);
        for (size_t j = 0; j < g->effects.n && !e->add && !undone; j++)
            undone = g->effects.at[j].add && g->effects.at[j].bit == e->bit && !g->effects.at[j].when.n;
        if (!undone)
            return true;
    }
    return false;
}

static Status visit_action(Walk *w)
{
    Grounder *g = w->g;
    Alternatives needs = {0};
    array_clear(&g->effects);
    if (g->adding)
        return collect_effects(g, w->action, w->action->effect, w->binding, always);
    Status st = expand(g, w->action, w->action->condition, w->binding, false, &needs);
    if (st == ST_OK && needs.n)
        st = collect_effects(g, w->action, w->action->effect, w->binding, always);
    if (st == ST_OK && needs.n && g->operators.n + needs.n > GROUND_OPERATORS_MAX)
        st = fail(ST_LIMIT, "more than %d ground actions", GROUND_OPERATORS_MAX);
    size_t bytes = g->effects.n * sizeof *g->effects.at, args = (size_t)w->action->params_n * sizeof(int);
    GroundOperator op = {.action = (int)(w->action - g->t->actions), .effects_n = (int)g->effects.n};
    if (st == ST_OK && needs.n) {
        op.effects =
            memcpy(arena_alloc(g->arena, bytes + 1), g->effects.n ? (void *)g->effects.at : "", bytes);
        op.args = memcpy(arena_alloc(g->arena, args + 1), w->binding, args);
    }
    for (size_t i = 0; i < needs.n && st == ST_OK; i++) {
        op.needs = needs.at[i];
        if (changes(g, op.needs))
            array_push(&g->operators, op);
    }
    array_drop(&needs);
    return st;
}

static Status ground_actions(Grounder *g, bool adding)
{
    g->adding = adding;
    for (int i = 0; i < g->t->actions_n; i++) {
        const PddlAction *a = &g->t->actions[i];
        int binding[PDDL_SLOTS_MAX];
        for (int s = 0; s < PDDL_SLOTS_MAX; s++)
            binding[s] = UNBOUND;
        g->doing = a->name;
        Walk w = {.g = g,
                  .action = a,
                  .guard = a->condition,
                  .slots_n = a->params_n,
                  .binding = binding,
                  .visit = visit_action};
        TRY(walk(&w));
    }
    return ST_OK;
}

static Status ground_goal(Grounder *g)
{
    int binding[PDDL_SLOTS_MAX];
    Alternatives all = {0};
    for (int s = 0; s < PDDL_SLOTS_MAX; s++)
        binding[s] = UNBOUND;
    g->doing = "goal";
    Status st = expand(g, &g->t->goal, g->t->goal.condition, binding, false, &all);
    g->g->goal_n = (int)all.n;
    g->g->goal = arena_alloc(g->arena, all.n * sizeof *all.at + 1);
    if (all.n)
        memcpy(g->g->goal, all.at, all.n * sizeof *all.at);
    array_drop(&all);
    return st;
}

static Status take_init(Grounder *g)
{
    const PddlTask *t = g->t;
    g->from = arena_alloc(g->arena, (size_t)(t->predicates_n + 1) * sizeof(int));
    for (int p = 0, i = 0; p <= t->predicates_n; p++) {
        while (i < t->init_n && t->init[i].predicate < p)
            i++;
        g->from[p] = i;
    }
    for (int i = 0; i < t->init_n; i++)
        if (t->predicates[t->init[i].predicate].fluent)
            TRY(bit_add(g, &t->init[i]));
        else
            *map_put(g->known, (const char *)&t->init[i], sizeof t->init[i]) = STATIC_FACT;
    return ST_OK;
}

static int by_args(const void *a, const void *b)
{
    const int *x = a, *y = b; /* arguments, then the bit */
    for (int i = 0; i < PDDL_ARGS_MAX; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

static void list_facts(Grounder *g, int predicate, GroundFacts *out)
{
    enum { WIDE = PDDL_ARGS_MAX + 1 };
    const PddlPredicate *p = &g->t->predicates[predicate];
    Array(int) rows = {0};
    size_t from = p->fluent ? 0 : (size_t)g->from[predicate];
    size_t to = p->fluent ? g->bits.n : (size_t)g->from[predicate + 1];
    for (size_t i = from; i < to; i++) {
        const PddlFact *f = p->fluent ? &g->bits.at[i] : &g->t->init[i];
        if (f->predicate != predicate)
            continue;
        for (int k = 0; k < PDDL_ARGS_MAX; k++)
            array_push(&rows, f->args[k]);
        array_push(&rows, (int)i);
    }
    size_t n = rows.n / WIDE;
    if (n)
        qsort(rows.at, n, WIDE * sizeof(int), by_args);
    int *args = arena_alloc(g->arena, n * (size_t)p->arity * sizeof *args + 1);
    int32_t *bits = p->fluent ? arena_alloc(g->arena, n * sizeof *bits + 1) : NULL;
    for (size_t i = 0; i < n; i++) {
        memcpy(args + i * (size_t)p->arity, rows.at + i * WIDE, (size_t)p->arity * sizeof *args);
        if (bits)
            bits[i] = rows.at[i * WIDE + PDDL_ARGS_MAX];
    }
    *out = (GroundFacts){args, bits, (int)n};
    array_drop(&rows);
}

static void finish(Grounder *g)
{
    Ground *out = g->g;
    out->bits_n = (int)g->bits.n;
    size_t words = (size_t)ground_words(out);
    out->init = arena_alloc(g->arena, words * sizeof *out->init + 1);
    memset(out->init, 0, words * sizeof *out->init);
    for (int i = 0; i < g->t->init_n; i++)
        if (g->t->predicates[g->t->init[i].predicate].fluent) {
            int64_t bit = *fact_find(g, &g->t->init[i]);
            out->init[bit / 64] |= (uint64_t)1 << bit % 64;
        }
    out->facts = arena_alloc(g->arena, (size_t)g->t->predicates_n * sizeof *out->facts + 1);
    for (int p = 0; p < g->t->predicates_n; p++)
        list_facts(g, p, &out->facts[p]);
    out->operators_n = (int)g->operators.n;
    out->operators = arena_alloc(g->arena, g->operators.n * sizeof *out->operators + 1);
    if (g->operators.n)
        memcpy(out->operators, g->operators.at, g->operators.n * sizeof *out->operators);
}

Status ground_task(Ground *out, Arena *arena, const PddlTask *task)
{
    Status st;
    *out = (Ground){.task = task};
    Grounder g = {.g = out, .t = task, .arena = arena, .known = map_new()};
    TRY_TO(undo, take_init(&g));
    TRY_TO(undo, ground_actions(&g, true));
    TRY_TO(undo, ground_actions(&g, false));
    TRY_TO(undo, ground_goal(&g));
    finish(&g);
undo:
    map_free(g.known);
    array_drop(&g.bits);
    array_drop(&g.operators);
    array_drop(&g.effects);
    return st;
}
