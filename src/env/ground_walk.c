/* Choices of objects, and what of a condition is known before there is a state. */
#include <string.h>

#include "env/ground_inside.h"

Status ground_spend(Grounder *g)
{
    if (++g->work > GROUND_WORK_MAX)
        return fail(ST_LIMIT, "\"%s\" has too many choices: more than %d were looked at", g->doing,
                    GROUND_WORK_MAX);
    return ST_OK;
}

const int64_t *ground_fact(const Grounder *g, const PddlFact *f)
{
    return map_find(g->known, (const char *)f, sizeof *f);
}

bool ground_fact_of(PddlFact *out, const PddlFormula *f, const int *binding)
{
    *out = (PddlFact){.predicate = f->predicate};
    for (int i = 0; i < f->args_n; i++) {
        out->args[i] = f->args[i] >= 0 ? f->args[i] : binding[~f->args[i]];
        if (out->args[i] == GROUND_UNBOUND)
            return false;
    }
    return true;
}

GroundKnown ground_known(Grounder *g, const PddlFormula *f, const int *binding)
{
    PddlFact fact;
    GroundKnown part, all = f->kind == PDDL_OR ? GROUND_NO : GROUND_YES;
    g->work++;
    switch (f->kind) {
    case PDDL_ATOM:
        if (!ground_fact_of(&fact, f, binding))
            return GROUND_OPEN;
        if (!g->t->predicates[f->predicate].fluent)
            return ground_fact(g, &fact) ? GROUND_YES : GROUND_NO;
        return g->adding || ground_fact(g, &fact) ? GROUND_OPEN : GROUND_NO;
    case PDDL_EQUAL:
        if (!ground_fact_of(&fact, f, binding))
            return GROUND_OPEN;
        return fact.args[0] == fact.args[1] ? GROUND_YES : GROUND_NO;
    case PDDL_NOT:
        part = ground_known(g, f->parts[0], binding);
        return part == GROUND_OPEN ? GROUND_OPEN : part == GROUND_YES ? GROUND_NO : GROUND_YES;
    case PDDL_AND:
    case PDDL_OR:
        for (int i = 0; i < f->parts_n; i++) {
            part = ground_known(g, f->parts[i], binding);
            if (part == (f->kind == PDDL_OR ? GROUND_YES : GROUND_NO))
                return part;
            if (part == GROUND_OPEN)
                all = GROUND_OPEN;
        }
        return all;
    default: return GROUND_OPEN;
    }
}

/* Facts that the guard demands and that nothing changes bind slots best. */
static void find_leads(GroundWalk *w, const PddlFormula *f)
{
    if (f->kind == PDDL_AND)
        for (int i = 0; i < f->parts_n; i++)
            find_leads(w, f->parts[i]);
    else if (f->kind == PDDL_ATOM && !w->g->t->predicates[f->predicate].fluent && w->leads_n < PDDL_SLOTS_MAX)
        w->leads[w->leads_n++] = f;
}

static Status walk_slots(GroundWalk *w);

static bool may_bind(const GroundWalk *w, int slot, int object)
{
    return slot >= w->slot && slot < w->slot + w->slots_n &&
           (w->action->types[slot] & w->g->t->objects[object].types);
}

/* Binds what the lead leaves unbound to the fact's objects; false where they differ. */
static bool match(const GroundWalk *w, const PddlFormula *lead, const PddlFact *fact)
{
    for (int i = 0; i < lead->args_n; i++) {
        int arg = lead->args[i], object = fact->args[i];
        int *slot = arg < 0 ? &w->binding[~arg] : &arg;
        if (*slot == GROUND_UNBOUND && may_bind(w, ~arg, object))
            *slot = object;
        else if (*slot != object)
            return false;
    }
    return true;
}

static Status walk_leads(GroundWalk *w, int lead)
{
    int saved[PDDL_SLOTS_MAX];
    if (lead == w->leads_n)
        return walk_slots(w);
    const PddlFormula *f = w->leads[lead];
    const PddlTask *t = w->g->t;
    memcpy(saved, w->binding, sizeof saved);
    PddlFact fact;
    if (ground_fact_of(&fact, f, w->binding)) {
        TRY(ground_spend(w->g));
        return ground_fact(w->g, &fact) ? walk_leads(w, lead + 1) : ST_OK;
    }
    for (int i = w->g->from[f->predicate]; i < w->g->from[f->predicate + 1]; i++) {
        TRY(ground_spend(w->g));
        if (match(w, f, &t->init[i]))
            TRY(walk_leads(w, lead + 1));
        memcpy(w->binding, saved, sizeof saved);
    }
    return ST_OK;
}

/* The unbound slot that a part of the guard limits most: one that alone decides a part; else the first. */
static int next_slot(const GroundWalk *w)
{
    int first = -1;
    for (int s = w->slot; s < w->slot + w->slots_n; s++) {
        if (w->binding[s] != GROUND_UNBOUND)
            continue;
        if (first < 0)
            first = s;
        for (int i = 0; w->guard && w->guard->kind == PDDL_AND && i < w->guard->parts_n; i++) {
            w->binding[s] = 0;
            bool decides = ground_known(w->g, w->guard->parts[i], w->binding) != GROUND_OPEN;
            w->binding[s] = GROUND_UNBOUND;
            if (decides && ground_known(w->g, w->guard->parts[i], w->binding) == GROUND_OPEN)
                return s;
        }
    }
    return first;
}

static Status walk_slots(GroundWalk *w)
{
    TRY(ground_spend(w->g));
    if (w->guard && ground_known(w->g, w->guard, w->binding) == GROUND_NO)
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
    w->binding[slot] = GROUND_UNBOUND;
    return ST_OK;
}

Status ground_walk(GroundWalk *w)
{
    for (int s = w->slot; s < w->slot + w->slots_n; s++)
        w->binding[s] = GROUND_UNBOUND;
    if (w->guard)
        find_leads(w, w->guard);
    TRY(walk_leads(w, 0));
    for (int s = w->slot; s < w->slot + w->slots_n; s++)
        w->binding[s] = GROUND_UNBOUND;
    return ST_OK;
}
