/* Conditions as alternatives, each a list of bits to look at. */
#include <string.h>

#include "env/ground_inside.h"

static Status alternatives_add(Grounder *g, GroundAlternatives *to, GroundList list)
{
    TRY(ground_spend(g));
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

bool ground_unite(Grounder *g, GroundList a, GroundList b, GroundList *out)
{
    int32_t *at = arena_alloc(g->arena, (size_t)(a.n + b.n) * sizeof *at + 1);
    int n = 0;
    g->work += a.n + b.n;
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

/* *to and `by` as well. */
static Status alternatives_multiply(Grounder *g, GroundAlternatives *to, const GroundAlternatives *by)
{
    GroundAlternatives product = {0};
    Status st = ST_OK;
    for (size_t i = 0; i < to->n && st == ST_OK; i++)
        for (size_t j = 0; j < by->n && st == ST_OK; j++) {
            GroundList both;
            bool possible = ground_unite(g, to->at[i], by->at[j], &both);
            st = possible ? alternatives_add(g, &product, both) : ground_spend(g);
        }
    array_drop(to);
    *to = product;
    return st;
}

typedef struct {
    const PddlFormula *body;
    bool negated, all; /* every choice is demanded, or one */
    GroundAlternatives *to;
} Quantified;

/* *to and `f` as well. */
static Status demand(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding, bool negated,
                     GroundAlternatives *to)
{
    GroundAlternatives part = {0};
    Status st = ground_expand(g, a, f, binding, negated, &part);
    if (st == ST_OK)
        st = alternatives_multiply(g, to, &part);
    array_drop(&part);
    return st;
}

static Status visit_quantified(GroundWalk *w)
{
    Quantified *q = w->context;
    if (q->all)
        return q->to->n ? demand(w->g, w->action, q->body, w->binding, q->negated, q->to) : ST_OK;
    return ground_expand(w->g, w->action, q->body, w->binding, q->negated, q->to);
}

static Status expand_quantified(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding,
                                bool negated, GroundAlternatives *to)
{
    bool all = (f->kind == PDDL_FORALL) != negated;
    GroundAlternatives one = {0};
    Quantified q = {f->parts[0], negated, all, all ? &one : to};
    /* Where the body stands as it is in an "or", or negated in an "and", only choices that can make it true
     * count, and it guides; the other two look at every choice. */
    GroundWalk w = {.g = g,
                    .action = a,
                    .guard = f->kind == PDDL_EXISTS ? f->parts[0] : NULL,
                    .slot = f->slot,
                    .slots_n = f->slots_n,
                    .binding = binding,
                    .visit = visit_quantified,
                    .context = &q};
    if (all)
        TRY(alternatives_add(g, &one, ground_always));
    Status st = ground_walk(&w);
    for (size_t i = 0; all && st == ST_OK && i < one.n; i++)
        st = alternatives_add(g, to, one.at[i]);
    array_drop(&one);
    return st;
}

/* Whether `f`, which is open, comes down to one bit: the rest of it is known and makes no difference. */
static bool as_literal(Grounder *g, const PddlFormula *f, const int *binding, bool negated, int32_t *out)
{
    PddlFact fact;
    const PddlFormula *open = NULL;
    switch (f->kind) {
    case PDDL_ATOM:
        ground_fact_of(&fact, f, binding);
        *out = ground_fact(g, &fact) << 1 | negated;
        return true;
    case PDDL_NOT: return as_literal(g, f->parts[0], binding, !negated, out);
    case PDDL_AND:
    case PDDL_OR:
        for (int i = 0; i < f->parts_n; i++) {
            if (ground_known(g, f->parts[i], binding) != GROUND_OPEN)
                continue;
            if (open)
                return false;
            open = f->parts[i];
        }
        return as_literal(g, open, binding, negated, out);
    default: return false;
    }
}

/* What is known of the part; where it is an atom or its contrary and open, *literal is it and *simple true.
 */
static GroundKnown known_part(Grounder *g, const PddlFormula *part, const int *binding, bool negated,
                              int32_t *literal, bool *simple)
{
    PddlFact fact;
    bool contrary = part->kind == PDDL_NOT;
    const PddlFormula *atom = contrary ? part->parts[0] : part;
    *simple = false;
    if (atom->kind != PDDL_ATOM || !g->t->predicates[atom->predicate].fluent)
        return ground_known(g, part, binding);
    g->work++;
    ground_fact_of(&fact, atom, binding);
    int32_t bit = ground_fact(g, &fact);
    if (bit == GROUND_NEVER)
        return contrary ? GROUND_YES : GROUND_NO;
    *literal = bit << 1 | (negated != contrary);
    *simple = true;
    return GROUND_OPEN;
}

/* Into the sorted list, once; false where its contrary is there. */
static bool insert(int32_t *at, int *n, int32_t literal)
{
    int i = *n;
    while (i && at[i - 1] > literal)
        i--;
    if (i && at[i - 1] == literal)
        return true;
    if ((i && at[i - 1] >> 1 == literal >> 1) || (i < *n && at[i] >> 1 == literal >> 1))
        return false;
    memmove(at + i + 1, at + i, (size_t)(*n - i) * sizeof *at);
    at[i] = literal;
    ++*n;
    return true;
}

/* All parts, or their contraries: first those that come down to one bit, which most do, as one list. */
static Status expand_all(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding, bool negated,
                         GroundAlternatives *to)
{
    enum { FEW = 16 }; /* parts; what lies in the arena stays there */
    const PddlFormula *few[FEW], **open = few;
    int32_t few_at[FEW], *at = few_at, literal;
    int n = 0, open_n = 0;
    if (f->parts_n > FEW) {
        open = arena_alloc(g->arena, (size_t)f->parts_n * sizeof *open);
        at = arena_alloc(g->arena, (size_t)f->parts_n * sizeof *at);
    }
    for (int i = 0; i < f->parts_n; i++) {
        bool simple;
        GroundKnown known = known_part(g, f->parts[i], binding, negated, &literal, &simple);
        if (known == (negated ? GROUND_YES : GROUND_NO))
            return ST_OK;
        if (known != GROUND_OPEN)
            continue;
        if (!simple && !as_literal(g, f->parts[i], binding, negated, &literal))
            open[open_n++] = f->parts[i];
        else if (!insert(at, &n, literal))
            return ST_OK;
    }
    at = memcpy(arena_alloc(g->arena, (size_t)n * sizeof *at + 1), at, (size_t)n * sizeof *at);
    if (!open_n)
        return alternatives_add(g, to, (GroundList){at, n});
    Status st = ST_OK;
    GroundAlternatives all = {0};
    array_push(&all, ((GroundList){at, n}));
    for (int i = 0; i < open_n && all.n && st == ST_OK; i++)
        st = demand(g, a, open[i], binding, negated, &all);
    for (size_t i = 0; i < all.n && st == ST_OK; i++)
        st = alternatives_add(g, to, all.at[i]);
    array_drop(&all);
    return st;
}

Status ground_expand(Grounder *g, const PddlAction *a, const PddlFormula *f, int *binding, bool negated,
                     GroundAlternatives *to)
{
    TRY(ground_spend(g));
    if (f->kind == (negated ? PDDL_OR : PDDL_AND))
        return expand_all(g, a, f, binding, negated, to);
    GroundKnown known = ground_known(g, f, binding);
    int32_t literal;
    if (known != GROUND_OPEN)
        return (known == GROUND_YES) != negated ? alternatives_add(g, to, ground_always) : ST_OK;
    switch (f->kind) {
    case PDDL_NOT: return ground_expand(g, a, f->parts[0], binding, !negated, to);
    case PDDL_AND:
    case PDDL_OR:
        for (int i = 0; i < f->parts_n; i++)
            TRY(ground_expand(g, a, f->parts[i], binding, negated, to));
        return ST_OK;
    case PDDL_EXISTS:
    case PDDL_FORALL: return expand_quantified(g, a, f, binding, negated, to);
    default: break;
    }
    as_literal(g, f, binding, negated, &literal);
    int32_t *at = arena_alloc(g->arena, sizeof *at);
    *at = literal;
    return alternatives_add(g, to, (GroundList){at, 1});
}
